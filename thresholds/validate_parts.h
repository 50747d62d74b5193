// The parts of Validate, one a kind of table; validate.cc puts them together.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "thresholds/diagnostic.h"
#include "thresholds/known_series.h"
#include "thresholds/model.h"
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

// The evaluations of the rules that a threshold's `for` or a test's `at` may span. The generated tests make all of them:
// many more take promtool minutes and gigabytes.
inline constexpr int kEvaluationsMax = 100'000;

// Reports a duration over which the rules are evaluated more than kEvaluationsMax times; false if it is. An interval that is
// wrong itself is not judged by.
bool FewEvaluations(const TableCheck& check, std::string_view key, Milliseconds duration, const Rules& rules);

// The `expr` of a signal or of the coverage: that it lexes and closes, and names only known series, labels and
// functions, over windows of four scrapes or more. Signals from `signals_before` on are not recorded yet when it is
// evaluated.
class ExpressionCheck {
 public:
  ExpressionCheck(const Spec& spec, const KnownSeriesIndex& series, Suggestions& suggestions)
      : spec_(spec), series_(series), suggestions_(suggestions) {}

  void Expression(const TableCheck& check, std::string_view expr, std::size_t signals_before) const;
  void Tests(std::string_view table, const std::vector<SignalTest>& tests, const TableCheck& parent,
             Report& report) const;

 private:
  // Whether windows and tests can be measured by rules.scrape_interval.
  bool HasScrapeInterval() const;
  void Test(const TableCheck& check, const SignalTest& test) const;
  // The samples that its values fill; 0 if they are wrong.
  std::size_t TestSeries(const TableCheck& check, const std::string& element, const std::string& selector,
                         const std::string& values) const;

  const Spec& spec_;
  const KnownSeriesIndex& series_;
  Suggestions& suggestions_;
};

}  // namespace outgrown::spec
