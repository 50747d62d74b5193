// The other specs whose routes and inhibitions a spec's Alertmanager configuration holds too.
#pragma once

#include <vector>

#include "thresholds/diagnostic.h"
#include "thresholds/model.h"

namespace outgrown::generate {

struct AlsoSpecs {
  std::vector<spec::Spec> specs;  // in the order of alertmanager.also; only if there are no diagnostics
  std::vector<spec::Diagnostic> diagnostics;  // at the elements of alertmanager.also
  bool unreadable = false;                    // one could not be read: the world's failure, not the spec's
};

// Reads the specs that alertmanager.also names; nothing where the spec names none. Their own [alertmanager] means
// nothing here.
AlsoSpecs LoadAlso(const spec::Spec& spec);

}  // namespace outgrown::generate
