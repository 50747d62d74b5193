// Alertmanager's configuration: the people's own, with the routes and inhibitions of specs merged in.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/result.h"
#include "rulegen/artefacts/routes.h"
#include "thresholds/model.h"

namespace outgrown::emit {

// `base` is the text of the people's file, `base_name` its name for errors. The routes go behind their own (theirs win),
// the inhibitions behind theirs, in the order of `routings`. Of theirs the relative paths are changed that Alertmanager
// reads from its configuration's folder, so that they lead to the same files: `templates`, and the files of an
// `http_config` (all others it reads from where it was started). `base_folder` is the base's folder from the one that the
// text goes to. `spec` is the one that the file is marked with.
Result<std::string> AlertmanagerYaml(const spec::Spec& spec, const std::vector<plan::Routing>& routings,
                                     const std::string& base, const std::string& base_name,
                                     const std::filesystem::path& base_folder);

}  // namespace outgrown::emit
