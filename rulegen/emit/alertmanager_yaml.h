// Alertmanager's configuration: the people's own, with the routes and inhibitions of specs merged in.
#pragma once

#include <string>
#include <vector>

#include "common/result.h"
#include "rulegen/plan/routes.h"
#include "rulegen/spec/model.h"

namespace outgrown::emit {

// `base` is the text of the people's file, `base_name` its name for errors. The routes go behind their own (theirs win),
// the inhibitions behind theirs, in the order of `routings`; nothing of theirs is changed. `spec` is the one that the
// file is marked with.
Result<std::string> AlertmanagerYaml(const spec::Spec& spec, const std::vector<plan::Routing>& routings,
                                     const std::string& base, const std::string& base_name);

}  // namespace outgrown::emit
