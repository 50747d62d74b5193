// The series of a spec's test case, as those of stores: what of the identity they name themselves, and what rulegen adds.
#pragma once

#include <string>
#include <vector>

#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

struct CaseSeries {
  std::string text;         // without the identity's labels: `m{status="ok"}`
  std::vector<Pair> store;  // the identity's labels; where the case names one, its value, which may be empty
  std::string notation;
};

// One for each of the case's series, in its order. Precondition: a validated case.
std::vector<CaseSeries> SeriesOfCase(const spec::Spec& spec, const spec::SignalTest& from);

// The stores that have a series, each once, in the order of the series; a series without one of the identity's labels
// (`up{database=""}`) is no store's own. The example store if that leaves none.
std::vector<std::vector<Pair>> StoresOfCase(const spec::Spec& spec, const std::vector<CaseSeries>& series);

}  // namespace outgrown::plan
