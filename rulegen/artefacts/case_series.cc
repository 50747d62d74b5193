#include "rulegen/artefacts/case_series.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "rulegen/artefacts/example_store.h"
#include "thresholds/test_series.h"

namespace outgrown::plan {

std::vector<CaseSeries> SeriesOfCase(const spec::Spec& spec, const spec::SignalTest& from) {
  std::vector<CaseSeries> all;
  for (const auto& [selector, notation] : from.series) {
    CaseSeries series{selector, ExampleStore(spec), notation};
    const std::optional<spec::TestSeries> read = spec::ReadTestSeries(selector);
    OUTGROWN_CHECK(read.has_value());
    std::string others;
    bool names_identity = false;
    for (const spec::TestLabel& label : read->labels) {
      const auto own = std::ranges::find(series.store, label.name, &Pair::name);
      if (own == series.store.end()) {
        if (!others.empty()) others += ',';
        others += std::string(label.name) + "=" + std::string(label.literal);
        continue;
      }
      names_identity = true;
      own->value = spec::PlainValue(label.literal).value_or("");
    }
    if (names_identity) series.text = std::string(read->metric) + (others.empty() ? "" : "{" + others + "}");
    all.push_back(std::move(series));
  }
  return all;
}

std::vector<std::vector<Pair>> StoresOfCase(const spec::Spec& spec, const std::vector<CaseSeries>& series) {
  std::vector<std::vector<Pair>> stores;
  std::set<std::string> seen;
  for (const CaseSeries& one : series) {
    const bool is_whole =
        std::ranges::none_of(one.store, [](const Pair& label) { return label.value.empty(); });
    if (is_whole && seen.insert(Selector("", one.store)).second) stores.push_back(one.store);
  }
  if (stores.empty()) stores.push_back(ExampleStore(spec));
  return stores;
}

}  // namespace outgrown::plan
