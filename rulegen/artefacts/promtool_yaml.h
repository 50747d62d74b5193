// The test file that `promtool test rules` runs.
#pragma once

#include <string>

#include "rulegen/artefacts/promtool_tests.h"
#include "thresholds/model.h"

namespace outgrown::emit {

std::string PromtoolYaml(const spec::Spec& spec, const plan::PromtoolFile& tests);

}  // namespace outgrown::emit
