// [[signal]] and [coverage]: names, references, expressions and tests.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/number.h"
#include "thresholds/names.h"
#include "thresholds/validate_parts.h"

namespace outgrown::spec {
namespace {

void SignalIds(const TableCheck& check, const Spec& spec, std::string_view key,
               const std::vector<std::string>& ids, Suggestions& suggestions) {
  if (!check.Has(key)) return;
  std::vector<std::string_view> known;
  for (const Signal& signal : spec.signals) known.push_back(signal.id);
  const std::unordered_set<std::string_view> lookup(known.begin(), known.end());
  Unique unique;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string element = Element(key, i);
    unique.Add(check, element, ids[i], "each signal once");
    // A signal that could not be read was reported, and could be the one that is meant.
    const bool all_read = !lookup.empty() && !lookup.contains("") && !IsUnusable(spec.positions, "signal");
    if (lookup.contains(ids[i]) || !all_read) continue;
    check.Wrong(element, "the unknown signal " + Quoted(ids[i]),
                "the id of a [[signal]]" + suggestions.For(ids[i], known));
  }
}

}  // namespace

void ValidateSignals(const Spec& spec, const KnownSeriesIndex& series, Report& report,
                     Suggestions& suggestions) {
  const ExpressionCheck expressions(spec, series, suggestions);
  Unique ids;
  for (std::size_t i = 0; i < spec.signals.size(); ++i) {
    const Signal& signal = spec.signals[i];
    const TableCheck check("signal", signal.positions, report);
    if (check.Id("id", signal.id, IsSnakeCase,
                 "an id of lower-case letters, digits and _, beginning with a letter")) {
      ids.Add(check, "id", signal.id, "an id that no other signal has");
      if (std::ranges::find(OwnSeriesIds(), signal.id) != OwnSeriesIds().end())
        check.Wrong("id", Quoted(signal.id), "another id: rulegen records a series of that name itself");
    }
    check.Line("title", signal.title);
    check.LineOrNothing("description", signal.description);
    expressions.Expression(check, signal.expr, i);
    expressions.Tests("signal.test", signal.tests, check, report);
  }
}

void ValidateCoverage(const Spec& spec, const KnownSeriesIndex& series, Report& report,
                      Suggestions& suggestions) {
  if (!spec.coverage) return;
  const Coverage& coverage = *spec.coverage;
  const TableCheck check("coverage", coverage.positions, report);
  const ExpressionCheck expressions(spec, series, suggestions);
  expressions.Expression(check, coverage.expr, spec.signals.size());
  expressions.Tests("coverage.test", coverage.tests, check, report);
  if (check.Has("minimum") && !(coverage.minimum > 0 && coverage.minimum <= 1)) {
    check.Wrong("minimum", ExactNumber(coverage.minimum), "a number above 0 and up to 1");
  }
  SignalIds(check, spec, "unknown", coverage.unknown, suggestions);
  SignalIds(check, spec, "lower_bound", coverage.lower_bound, suggestions);
  const std::unordered_set<std::string_view> unknown(coverage.unknown.begin(), coverage.unknown.end());
  for (std::size_t i = 0; i < coverage.lower_bound.size(); ++i) {
    if (!unknown.contains(coverage.lower_bound[i])) continue;
    check.Wrong(Element("lower_bound", i), Quoted(coverage.lower_bound[i]) + ", as in coverage.unknown",
                "each signal in one of the two");
  }
}

}  // namespace outgrown::spec
