// The parts of Validate, one a kind of table; validate.cc puts them together.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "thresholds/diagnostic.h"
#include "thresholds/known_series.h"
#include "thresholds/model.h"
#include "thresholds/placeholders.h"
#include "thresholds/table_check.h"

namespace outgrown::spec {

void ValidateStore(const Spec& spec, const KnownSeriesIndex& series, Report& report,
                   Suggestions& suggestions);
void ValidateRules(const Spec& spec, Report& report);
void ValidatePaths(const Spec& spec, Report& report);  // [output] and [alertmanager]
void ValidateVerdicts(const Spec& spec, Report& report);
void ValidateMetrics(const Spec& spec, Report& report);
void ValidateSignals(const Spec& spec, const KnownSeriesIndex& series, Report& report,
                     Suggestions& suggestions);
void ValidateThresholds(const Spec& spec, Report& report, Suggestions& suggestions);
void ValidateCoverage(const Spec& spec, const KnownSeriesIndex& series, Report& report,
                      Suggestions& suggestions);
void ValidateWatches(const Spec& spec, Report& report, Suggestions& suggestions);
void ValidatePanels(const Spec& spec, Report& report);

// How often something happens, and which key says so. One that is wrong itself is nothing to judge by.
struct Pace {
  Milliseconds interval;
  std::string_view key;
  bool is_usable = true;
};
Pace EvaluationPace(const Rules& rules);

// Label names, each once. False if one is wrong, or the key can't be judged.
bool LabelNames(const TableCheck& check, std::string_view key, const std::vector<std::string>& labels);
bool IsSeverity(std::string_view text);
// More than nothing, and short enough to leave no hole.
void Interval(const TableCheck& check, std::string_view key, Milliseconds value);
// That an evaluation takes at least a second.
void SlowEnough(const TableCheck& check, std::string_view key, Milliseconds interval);
void Hold(const TableCheck& check, Milliseconds hold, const Pace& pace);
void KeepFiringFor(const TableCheck& check, const std::optional<Milliseconds>& keep_firing_for,
                   const Pace& pace, const Rules& rules);

// The evaluations of the rules that a threshold's `for` or a test's `at` may span. The generated tests make all of them:
// many more take promtool minutes and gigabytes.
inline constexpr int kEvaluationsMax = 100'000;

// Reports a duration over which the rules are evaluated more than kEvaluationsMax times; false if it is.
bool FewEvaluations(const TableCheck& check, std::string_view key, Milliseconds duration, const Pace& pace);

// The expressions of a table and its tests: that they lex and close, and name only known series, labels and functions, over
// windows of four scrapes or more.
class ExpressionCheck {
 public:
  ExpressionCheck(const Spec& spec, const KnownSeriesIndex& series, Suggestions& suggestions)
      : spec_(spec), series_(series), suggestions_(suggestions) {}

  // Signals from `signals_before` on are not recorded yet when it is evaluated.
  void Expression(const TableCheck& check, std::string_view key, std::string_view expr,
                  std::size_t signals_before) const;
  // The same with placeholders, where every signal is recorded.
  void WatchExpression(const TableCheck& check, std::string_view expr) const;
  void Tests(std::string_view table, const std::vector<SignalTest>& tests, const TableCheck& parent,
             Report& report) const;

 private:
  void Judge(const TableCheck& check, std::string_view key, std::string_view expr, const Filled& filled,
             std::size_t signals_before) const;
  // Whether windows and tests can be measured by rules.scrape_interval.
  bool HasScrapeInterval() const;
  void Test(const TableCheck& check, const SignalTest& test, bool of_watch) const;
  // The samples that its values fill; 0 if they are wrong.
  std::size_t TestSeries(const TableCheck& check, const std::string& element, const std::string& selector,
                         const std::string& values) const;
  // `text` with its placeholders filled in, for as long as the digest is not known.
  Filled Fill(std::string_view text) const;

  const Spec& spec_;
  const KnownSeriesIndex& series_;
  Suggestions& suggestions_;
};

}  // namespace outgrown::spec
