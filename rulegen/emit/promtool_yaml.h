// The test file that `promtool test rules` runs.
#pragma once

#include <string>

#include "rulegen/plan/promtool_tests.h"
#include "rulegen/spec/model.h"

namespace outgrown::emit {

std::string PromtoolYaml(const spec::Spec& spec, const plan::PromtoolFile& tests);

}  // namespace outgrown::emit
