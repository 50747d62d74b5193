#include "rulegen/artefacts/promtool/recorded_tests.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "rulegen/artefacts/promtool/test_stores.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/catalog.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"
#include "thresholds/test_series.h"

namespace outgrown::artefacts {

namespace {

// What values are rounded to: nine significant digits of the expected one, and whole numbers from 10^9 on.
double Nearest(double value) {
  constexpr int kDigits = 9;
  if (value == 0) return std::pow(10, -kDigits);
  // The lower bound keeps 1 / NEAREST finite, which round() computes.
  const int exponent = static_cast<int>(std::floor(std::log10(std::abs(value))));
  return std::pow(10, std::clamp(exponent + 1 - kDigits, -300, 0));
}

// As PromQL's round() computes it, so that expected and recorded values round alike.
// promtool compares values exactly by default, so the rounding must be the same to the last bit.
double Rounded(double value, double nearest) {
  const double inverse = 1 / nearest;
  return std::floor(value * inverse + 0.5) / inverse;
}

// Checks that the selected series have the case's value for each of the stores, and that there is no other series.
// An expected list is complete for promtool: a series that the selector finds and the list lacks fails the
// test.
SampleCheck CheckOf(const std::string& record, const std::string& selector, const spec::SignalTest& from,
                    const std::vector<std::vector<Pair>>& stores) {
  const double nearest = Nearest(from.recorded ? from.value : 0);
  SampleCheck check{record, "round(" + selector + ", " + spec::PromqlNumber(nearest) + ")", from.at, {}};
  if (!from.recorded) return check;
  for (const std::vector<Pair>& store : stores)
    check.expected.push_back({Selector("", store), Rounded(from.value, nearest)});
  return check;
}

// Checks that exactly the case's reasons are recorded for each of the stores, if it names them.
void AddReasons(const std::string& record, const spec::SignalTest& from,
                const std::vector<std::vector<Pair>>& stores, PromtoolTest& test) {
  std::vector<std::pair<std::string, double>> reasons = from.split.value_or(decltype(reasons){});
  for (const std::string& reason : from.reasons.value_or(std::vector<std::string>{}))
    reasons.emplace_back(reason, 1);
  if (!from.split && !from.reasons) return;
  constexpr double kNearest = 1e-9;
  SampleCheck check{record, "round(" + record + ", " + spec::PromqlNumber(kNearest) + ")", from.at, {}};
  for (const std::vector<Pair>& store : stores) {
    for (const auto& [reason, value] : reasons) {
      std::vector<Pair> labels = store;
      labels.push_back({"reason", reason});
      check.expected.push_back({Selector("", labels), Rounded(value, kNearest)});
    }
  }
  test.samples.push_back(std::move(check));
}

// Adds the series as that store's. One without some identity label may belong to several stores, and is added once.
// `added` has the selectors that the test has already.
void AddSeries(const CaseSeries& series, std::vector<Pair> store, std::set<std::string>& added,
               PromtoolTest& test) {
  for (std::size_t i = 0; i < store.size(); ++i) {
    if (series.store[i].value.empty()) store[i].value.clear();
  }
  // An empty value is a label that the series has not got; promtool's notation is to leave it out.
  const bool lacks = std::erase_if(store, [](const Pair& label) { return label.value.empty(); }) > 0;
  std::string selector = Selector(series.text, store);
  if (!added.insert(selector).second && lacks) return;
  test.series.emplace_back(std::move(selector), series.notation);
}

// With one store the whole selector also checks the labels; with several the name finds them all, and any
// other.
std::string SelectorOf(const std::string& record, const std::vector<std::vector<Pair>>& stores) {
  return stores.size() == 1 ? Selector(record, stores.front()) : record;
}

PromtoolTest RecordedTest(const spec::Spec& spec, const Recorded& recorded, const spec::SignalTest& from) {
  PromtoolTest test = CaseTest(spec, recorded.series, from);
  const std::vector<std::vector<Pair>> stores = StoresOfCase(spec, spec.store.identity, from);
  test.samples.push_back(CheckOf(recorded.series, SelectorOf(recorded.series, stores), from, stores));
  if (!recorded.by_reason.empty()) AddReasons(recorded.by_reason, from, stores, test);
  return test;
}

// The first case of a single store once for that and once for each store that differs from it in one label: an
// expression that loses a label merges two of them, and the labels of what it records are not these.
// One label at a time: an expression that drops two labels would pass if the stores differed in both.
PromtoolTest StoresTest(const spec::Spec& spec, const Recorded& recorded) {
  const auto found = std::ranges::find_if(recorded.cases, [&](const spec::SignalTest& from) {
    return from.recorded && !spec::NamesSeveralStores(spec.store, from);
  });
  OUTGROWN_CHECK(found != recorded.cases.end());
  const spec::SignalTest& from = *found;
  PromtoolTest test;
  test.name = recorded.series + " keeps stores apart that differ in one of " + IdentityList(spec);
  test.interval = spec.rules.scrape_interval;
  const std::vector<CaseSeries> series = SeriesOfCase(spec, from);
  std::vector<std::vector<Pair>> stores = StoresOfCase(spec, spec.store.identity, from);
  for (const std::string& label : spec.store.identity) stores.push_back(OtherStore(stores.front(), label));
  std::set<std::string> added;
  for (const std::vector<Pair>& store : stores) {
    for (const CaseSeries& one : series) AddSeries(one, store, added, test);
  }
  test.samples.push_back(CheckOf(recorded.series, recorded.series, from, stores));
  return test;
}

// The case with every counter set back to 0 two scrapes before its instant; a right expression does not
// notice. Nothing if the case has no counter that rises until then.
// rate() and increase() add up what a counter rises after a reset; an expression that subtracts raw values
// (or uses delta() on a counter) gives a large negative number here.
std::optional<PromtoolTest> ResetTest(const spec::Spec& spec, const Recorded& recorded,
                                      const spec::SignalTest& from, const Counters& counters) {
  const auto scrapes = static_cast<std::size_t>(from.at / spec.rules.scrape_interval);
  if (scrapes < 4) return {};  // too few samples for a rise, a reset and a rate after it
  // The reset falls between the last two scrapes, well within every window.
  const std::size_t reset_at = scrapes - 1;
  PromtoolTest test = RecordedTest(spec, recorded, from);
  test.name = recorded.series + " survives a counter reset";
  bool rises = false;
  for (std::size_t i = 0; i < from.series.size(); ++i) {
    if (!counters.Has(from.series[i].first)) continue;
    std::optional<SeriesValues> values = ExpandSeries(from.series[i].second);
    if (!values || values->size() <= scrapes || !values->front() || !(*values)[reset_at]) return {};
    rises = rises || *values->front() < *(*values)[reset_at];
    // All counters at once, as when the application restarts: a ratio of two of them would otherwise mix
    // lives.
    test.series[i].second = WriteSeries(WithReset(std::move(*values), reset_at));
  }
  if (!rises) return {};
  return test;
}

// True if the case has counters, and none of them moves until its instant.
// A rate of 0 divided by a rate of 0 is NaN, so what an idle store gives has to be part of the cases.
bool IsIdle(const spec::Spec& spec, const spec::SignalTest& from, const Counters& counters) {
  const auto scrapes = static_cast<std::size_t>(from.at / spec.rules.scrape_interval);
  bool any = false;
  for (const auto& [selector, notation] : from.series) {
    if (!counters.Has(selector)) continue;
    any = true;
    const std::optional<SeriesValues> values = ExpandSeries(notation);
    if (!values || values->size() <= scrapes) return false;
    const auto end = values->begin() + static_cast<std::ptrdiff_t>(scrapes) + 1;
    if (!values->front() || std::adjacent_find(values->begin(), end, std::not_equal_to<>()) != end)
      return false;
  }
  return any;
}

bool ReadsCounters(const Recorded& recorded, const Counters& counters) {
  return std::ranges::any_of(recorded.cases, [&](const spec::SignalTest& from) {
    return std::ranges::any_of(from.series, [&](const auto& series) { return counters.Has(series.first); });
  });
}

std::string Note(const Recorded& recorded, const Counters& counters, bool has_idle, bool has_reset) {
  if (!ReadsCounters(recorded, counters)) {
    return recorded.series + ": its cases read no counter, so idle and counter reset are not tested";
  }
  return recorded.series + ": " +
         (has_idle ? "idle" : "idle NOT tested (no case in which every counter stands still)") + ", " +
         (has_reset ? "counter reset"
                    : "counter reset NOT tested (no case whose counters rise until its instant)");
}

}  // namespace

Counters::Counters(const spec::Spec& spec) {
  for (const spec::Metric& metric : spec.metrics) foreign_types_.emplace(metric.name, metric.type);
}

bool Counters::Has(std::string_view selector) const {
  // By type and not by the suffix _total: other exporters' counters need not have it.
  std::string_view name = selector.substr(0, selector.find('{'));
  while (name.ends_with(' ')) name.remove_suffix(1);
  const auto is = [&](std::string_view metric, std::string_view foreign_type,
                      std::optional<metrics::Type> type) {
    if (const metrics::Metric* known = metrics::Find(metric)) return known->type == type;
    const auto foreign = foreign_types_.find(metric);
    return foreign != foreign_types_.end() && foreign->second == foreign_type;
  };
  if (is(name, "counter", metrics::Type::kCounter)) return true;
  for (const std::string_view part : {"_bucket", "_count", "_sum"}) {
    if (!name.ends_with(part)) continue;
    const std::string_view base = name.substr(0, name.size() - part.size());
    if (is(base, "histogram", metrics::Type::kHistogram)) return true;
    if (part != "_bucket" && is(base, "summary", {})) return true;
  }
  return false;
}

PromtoolTest CaseTest(const spec::Spec& spec, const std::string& of, const spec::SignalTest& from) {
  PromtoolTest test;
  test.name = of + (from.name.empty() ? "" : ": " + from.name);
  test.interval = from.interval.value_or(spec.rules.scrape_interval);
  std::set<std::string> added;
  for (const CaseSeries& one : SeriesOfCase(spec, from)) AddSeries(one, one.store, added, test);
  return test;
}

PromtoolTest MemoryTest(const spec::Spec& spec, const spec::Watch& watch, const spec::SignalTest& from) {
  const std::string record = spec::RecordedSeries(spec.store, watch.record);
  PromtoolTest test = CaseTest(spec, record, from);
  const std::vector<std::vector<Pair>> stores = StoresOfCase(spec, watch.labels, from);
  test.samples.push_back(CheckOf(record, record, from, stores));
  return test;
}

std::vector<PromtoolTest> RecordedTests(const spec::Spec& spec, const Recorded& recorded,
                                        const Counters& counters, std::vector<std::string>& notes) {
  std::vector<PromtoolTest> tests;
  for (const spec::SignalTest& from : recorded.cases) tests.push_back(RecordedTest(spec, recorded, from));
  if (recorded.cases.empty()) return tests;
  bool has_reset = false;
  for (const spec::SignalTest& from : recorded.cases) {
    if (std::optional<PromtoolTest> reset = ResetTest(spec, recorded, from, counters)) {
      tests.push_back(std::move(*reset));
      has_reset = true;
      break;
    }
  }
  // One reset test is enough, so the first case that allows it is taken.
  tests.push_back(StoresTest(spec, recorded));
  const bool has_idle = std::ranges::any_of(
      recorded.cases, [&](const spec::SignalTest& from) { return IsIdle(spec, from, counters); });
  notes.push_back(Note(recorded, counters, has_idle, has_reset));
  return tests;
}

}  // namespace outgrown::artefacts
