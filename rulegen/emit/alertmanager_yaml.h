// Alertmanager's configuration: the people's own, with the routes and inhibitions of a spec merged in.
#pragma once

#include <string>

#include "common/result.h"
#include "rulegen/plan/routes.h"
#include "rulegen/spec/model.h"

namespace outgrown::emit {

// `base` is the text of the people's file, `base_name` its name for errors. The spec's route goes behind their own routes
// (theirs win), its inhibitions behind theirs; nothing of theirs is changed.
Result<std::string> AlertmanagerYaml(const spec::Spec& spec, const plan::Routing& routing,
                                     const std::string& base, const std::string& base_name);

}  // namespace outgrown::emit
