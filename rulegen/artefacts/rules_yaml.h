// The rule file that Prometheus, Mimir, Thanos and vmalert load.
#pragma once

#include <string>

#include "rulegen/artefacts/rules.h"
#include "rulegen/artefacts/template.h"
#include "thresholds/model.h"

namespace outgrown::emit {

// The flavors differ in one key: vmalert knows no keep_firing_for.
std::string RulesYaml(const spec::Spec& spec, const plan::RuleFile& rules, spec::Flavor flavor);

// An annotation's text as the Go template that Prometheus and vmalert expand.
std::string GoTemplate(const plan::Template& parts);

}  // namespace outgrown::emit
