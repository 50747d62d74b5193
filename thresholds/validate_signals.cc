// [[signal]] and [coverage]: names, references, expressions and tests.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/text.h"
#include "thresholds/names.h"
#include "thresholds/validation.h"

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

// What a case says was recorded: exactly one of the two.
// By what the author wrote, not by the values: `recorded` is true by default, and a value of 0 is one.
void Outcome(const TableCheck& check, const SignalTest& test) {
  const bool has_value = check.Names("value");
  const bool has_recorded = check.Names("recorded");
  if (has_value && has_recorded) {
    check.WrongKey("recorded", "recorded beside value", "one of the two");
  } else if (has_recorded && check.Has("recorded") && test.recorded) {
    check.Wrong("recorded", "true", "false, where nothing is recorded; else value");
  } else if (!has_value && !has_recorded && test.recorded) {
    check.Wrong("value", "nothing", "a finite number (or recorded = false)");
  }
}

void Split(const TableCheck& check, const Signal& signal, const SignalTest& test) {
  if (!test.split || !check.Has("split")) return;
  // One that was reported leaves the text empty, too.
  if (signal.split.empty() && !IsUnusable(signal.positions, "split"))
    check.WrongKey("split", "a split", "none, since the signal has no key split");
}

void Reasons(const TableCheck& check, const Coverage& coverage, const SignalTest& test) {
  if (!test.reasons || !check.Has("reasons")) return;
  if (coverage.reason.empty() && !IsUnusable(coverage.positions, "reason"))
    check.WrongKey("reasons", "reasons", "none, since the coverage has no key reason");
  Unique unique;
  for (std::size_t i = 0; i < test.reasons->size(); ++i)
    unique.Add(check, Element("reasons", i), (*test.reasons)[i], "each reason once");
}

// The sentences of reasons that `source`, an expression's key, gives.
void Sentences(const TableCheck& check, const char* key, const char* source, bool has_source,
               const std::vector<std::pair<std::string, std::string>>& sentences) {
  if (!check.Has(key)) return;
  if (!sentences.empty() && !has_source)
    check.WrongKey(key, "sentences of reasons",
                   fmt::format("the key {}, which says which of them apply", source));
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    const auto& [reason, sentence] = sentences[i];
    const std::string element = Element(key, i);
    if (!IsSnakeCase(reason))
      check.WrongKey(element, Quoted(reason),
                     "a reason of lower-case letters, digits and _, beginning with a letter");
    check.Line(element, sentence);
  }
}

// A value and what it can reach are compared, so they have one unit.
void Ceiling(const TableCheck& check, const Spec& spec, const Signal& signal) {
  if (signal.ceiling.empty() && !check.Names("ceiling")) return;
  const auto other = std::ranges::find(spec.signals, signal.ceiling, &Signal::id);
  if (other == spec.signals.end() || other->id == signal.id || other->unit != signal.unit)
    check.Wrong("ceiling", Quoted(signal.ceiling), "the id of another signal of the same unit");
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
      // Of two rules that record the same series Prometheus drops the second sample of each instant
      // ("duplicate sample for timestamp").
      if (std::ranges::find(OwnSeriesIds(), signal.id) != OwnSeriesIds().end())
        check.Wrong("id", Quoted(signal.id), "another id: rulegen records a series of that name itself");
      const auto same = std::ranges::find(spec.watches, signal.id, &Watch::record);
      if (same != spec.watches.end())
        check.Wrong("id", Quoted(signal.id), "another id: a [[watch]] records a series of that name");
    }
    check.Line("title", signal.title);
    check.LineOrNothing("description", signal.description);
    // Signals above this one may be read, this one and those below not.
    expressions.Expression(check, "expr", signal.expr, i);
    // An empty text that was written is an error; one that was not is "no split".
    if (!signal.split.empty() || check.Names("split"))
      expressions.Expression(check, "split", signal.split, i);
    Ceiling(check, spec, signal);
    Sentences(check, "advice", "split", !signal.split.empty() || IsUnusable(signal.positions, "split"),
              signal.advice);
    expressions.Tests("signal.test", signal.tests, check, report);
    for (const SignalTest& test : signal.tests) {
      const TableCheck test_check("signal.test", test.positions, report);
      Outcome(test_check, test);
      Split(test_check, signal, test);
    }
  }
}

void ValidateCoverage(const Spec& spec, const KnownSeriesIndex& series, Report& report,
                      Suggestions& suggestions) {
  if (!spec.coverage) return;
  const Coverage& coverage = *spec.coverage;
  const TableCheck check("coverage", coverage.positions, report);
  const ExpressionCheck expressions(spec, series, suggestions);
  expressions.Expression(check, "expr", coverage.expr, spec.signals.size());
  if (!coverage.reason.empty() || check.Names("reason"))
    expressions.Expression(check, "reason", coverage.reason, spec.signals.size());
  Sentences(check, "reasons", "reason", !coverage.reason.empty() || IsUnusable(coverage.positions, "reason"),
            coverage.reasons);
  expressions.Tests("coverage.test", coverage.tests, check, report);
  for (const SignalTest& test : coverage.tests) {
    const TableCheck test_check("coverage.test", test.positions, report);
    Outcome(test_check, test);
    Reasons(test_check, coverage, test);
  }
  // At 0 no coverage would ever be too low; above 1 a complete count would be. Written so that NaN is
  // refused.
  if (check.Has("minimum") && !(coverage.minimum > 0 && coverage.minimum <= 1)) {
    check.Wrong("minimum", ExactNumber(coverage.minimum), "a number above 0 and up to 1");
  }
  if (check.Has("maximum") && !(coverage.maximum >= 1)) {
    check.Wrong("maximum", ExactNumber(coverage.maximum), "a number of at least 1");
  }
  SignalIds(check, spec, "unknown", coverage.unknown, suggestions);
  SignalIds(check, spec, "lower_bound", coverage.lower_bound, suggestions);
  const std::unordered_set<std::string_view> unknown(coverage.unknown.begin(), coverage.unknown.end());
  for (std::size_t i = 0; i < coverage.lower_bound.size(); ++i) {
    // The two contradict each other: unknown proves nothing, a lower bound proves a breach.
    if (!unknown.contains(coverage.lower_bound[i])) continue;
    check.Wrong(Element("lower_bound", i), Quoted(coverage.lower_bound[i]) + ", as in coverage.unknown",
                "each signal in one of the two");
  }
}

}  // namespace outgrown::spec
