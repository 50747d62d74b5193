// The stores that generated tests are about: one value a label, "database-a" for the label database.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

// The identity labels of the store that most tests are about.
std::vector<Pair> ExampleStore(const spec::Spec& spec);

// Another store that differs from `store` in that one label: "database-b" where it has "database-a".
std::vector<Pair> OtherStore(std::vector<Pair> store, std::string_view label);

// The example store with its last identity label named by what happens to it: database="above".
std::vector<Pair> StoreNamed(const spec::Spec& spec, std::string_view what);

// A series for a test's input: `selector` (a name, perhaps with matchers) and these labels, which it does not have yet.
std::string Selector(std::string_view selector, const std::vector<Pair>& labels);

// One series of a spec's test case: what of the identity it names itself, and what rulegen adds.
struct CaseSeries {
  std::string text;         // without the identity's labels: `m{status="ok"}`
  std::vector<Pair> store;  // the identity's labels; where the case names one, its value, which may be empty
  std::vector<Pair> more;   // its other labels
  std::string notation;
};

// One for each of the case's series, in its order, with the placeholders filled in. Precondition: a validated case.
std::vector<CaseSeries> SeriesOfCase(const spec::Spec& spec, const spec::SignalTest& from);

// The stores that the case is about, each once, in the order of its series: the values of these labels in the
// series that have all of them (`up{database=""}` is no store's own), and of what the case itself says that
// its alert has. The example store if that leaves none.
std::vector<std::vector<Pair>> StoresOfCase(const spec::Spec& spec, const std::vector<std::string>& labels,
                                            const spec::SignalTest& from);

// promtool's notation of series ("0+1x80 _x4 stale"), as far as generated tests change it.

// One value an interval; nothing where the notation has a gap ("_") or a staleness mark.
using SeriesValues = std::vector<std::optional<double>>;

// Expands "a+bxn", "a-bxn", "axn", "a", "_", "_xn", "stale". Nothing if it is something else, or more than
// 10^6 values. Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/
std::optional<SeriesValues> ExpandSeries(std::string_view notation);

// The inverse, in as few words as it can find. "stale" becomes a gap.
std::string WriteSeries(const SeriesValues& values);

// The counter with a reset: from index `at` on it counts from 0, as after a restart, with the same increases.
SeriesValues WithReset(SeriesValues values, std::size_t at);

}  // namespace outgrown::artefacts
