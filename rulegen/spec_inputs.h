// What a spec's artefacts are made from beside the spec, read from disk: the specs that alertmanager.also names and the
// Alertmanager configuration that alertmanager.base names. And the names that two specs must not share: one
// Prometheus and one Alertmanager know stores and alerts by them.
#pragma once

#include <optional>
#include <vector>

#include "common/result.h"
#include "rulegen/artefacts/artefacts.h"
#include "thresholds/diagnostic.h"
#include "thresholds/model.h"

namespace outgrown::rulegen {

// For each name that one of the specs has and an earlier one too, what is wrong, at the later one.
std::vector<spec::Diagnostic> SharedNames(const std::vector<spec::Spec>& specs);

struct AlsoSpecs {
  std::vector<spec::Spec> specs;  // in the order of alertmanager.also; only if there are no diagnostics
  std::vector<spec::Diagnostic> diagnostics;  // at the elements of alertmanager.also
  bool unreadable = false;                    // one could not be read: the world's failure, not the spec's
};

// Reads the specs that alertmanager.also names; nothing where the spec names none. Their own [alertmanager] means
// nothing here.
AlsoSpecs LoadAlso(const spec::Spec& spec);

// Reads the file that alertmanager.base names; nothing where the spec names none or generates no such configuration.
Result<std::optional<artefacts::Base>> LoadBase(const spec::Spec& spec);

}  // namespace outgrown::rulegen
