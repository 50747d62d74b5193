// What Validate is made of: one table of a spec under judgement, and a part for each kind of table.
// docs/spec.md lists every rule.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "thresholds/diagnostic.h"
#include "thresholds/known_series.h"
#include "thresholds/model.h"
#include "thresholds/placeholders.h"
#include "thresholds/promql.h"

namespace outgrown::spec {

// The longest id: files and series are named by them.
inline constexpr std::size_t kIdBytesMax = 64;

bool IsSnakeCase(std::string_view text);   // [a-z][a-z0-9_]*
bool IsPascalCase(std::string_view text);  // [A-Z][A-Za-z0-9]*
bool IsLabelName(std::string_view text);   // [a-zA-Z_][a-zA-Z0-9_]*, and not __x, which is Prometheus' own
bool IsMetricName(std::string_view text);  // [a-zA-Z_:][a-zA-Z0-9_:]*

// "key[3]", as Positions names an array's elements.
std::string Element(std::string_view key, std::size_t index);

class TableCheck {
 public:
  // `table` names it in diagnostics: "signal.test". What is referred to outlives this.
  TableCheck(std::string_view table, const Positions& positions, Report& report)
      : table_(table), positions_(positions), report_(report) {}

  // Whether the key is there and can be judged.
  bool Has(std::string_view key) const;

  // Whether the author wrote the key, right or not. False in a spec made by hand.
  bool Names(std::string_view key) const { return positions_.contains(key); }

  // Where the key's value is; the table if it is absent.
  Position PositionOf(std::string_view key) const;

  // Reports at the key's value; `element` is the key or Element(key, i).
  void Wrong(std::string_view element, std::string found, std::string expected) const;

  // The same at the key instead of its value.
  void WrongKey(std::string_view element, std::string found, std::string expected) const;

  // Reports at one place inside of the key's text, as exactly as the file allows.
  void WrongInside(std::string_view element, std::string_view text, const Problem& problem) const;

  // Each reports unless the key is absent or its text is right, and says whether it is there and right.
  bool Line(std::string_view key, std::string_view text) const;  // one line, not empty, not blank at its ends
  bool LineOrNothing(std::string_view key, std::string_view text) const;  // the same, or empty
  bool Id(std::string_view key, std::string_view text, bool (*is_right)(std::string_view),
          std::string_view expected) const;

 private:
  // The table's name and the key without an element's index, for diagnostics.
  std::string Path(std::string_view element) const;

  std::string_view table_;
  const Positions& positions_;
  Report& report_;
};

// Finds what occurs twice.
class Unique {
 public:
  // Reports `text` at the key's value if it was added before.
  void Add(const TableCheck& check, std::string_view element, const std::string& text, std::string expected);

  // The same for what counts as equal in its folded form, at the value or at the key itself.
  enum class At { kValue, kKey };
  void AddFolded(const TableCheck& check, std::string_view element, const std::string& folded,
                 std::string_view text, std::string expected, At at);

 private:
  std::unordered_map<std::string, int> first_lines_;
};

// "; did you mean X?", but only for so many of one spec's names: a spec with thousands of wrong references among
// thousands of candidates still gets its answer at once.
class Suggestions {
 public:
  std::string For(std::string_view name, const std::vector<std::string_view>& candidates);

 private:
  std::size_t comparisons_left_ = 200'000;
};

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
void ValidatePanels(const Spec& spec, Report& report, Suggestions& suggestions);

// How often something happens, and which key says so. One that is wrong itself is nothing to judge by.
struct Pace {
  Milliseconds interval;
  std::string_view key;
  bool is_usable = true;
};
Pace EvaluationPace(const Rules& rules);

// Label names, each once. False if one is wrong, or the key can't be judged.
bool LabelNames(const TableCheck& check, std::string_view key, const std::vector<std::string>& labels);
// None that generated rules or Prometheus set themselves.
void NoReservedLabels(const TableCheck& check, std::string_view key, const std::vector<std::string>& labels);
bool IsSeverity(std::string_view text);
// More than nothing, and short enough to leave no hole.
void Interval(const TableCheck& check, std::string_view key, Milliseconds value);
// That an evaluation takes at least a second.
void SlowEnough(const TableCheck& check, std::string_view key, Milliseconds interval);
void Hold(const TableCheck& check, Milliseconds hold, const Pace& pace);
void KeepFiringFor(const TableCheck& check, const std::optional<Milliseconds>& keep_firing_for,
                   const Pace& pace, const Rules& rules);

// The evaluations of the rules that a threshold's `for` or a test's `at` may span. The generated tests make
// all of them: many more take promtool minutes and gigabytes.
inline constexpr int kEvaluationsMax = 100'000;

// Reports a duration over which the rules are evaluated more than kEvaluationsMax times; false if it is.
bool FewEvaluations(const TableCheck& check, std::string_view key, Milliseconds duration, const Pace& pace);

// The expressions of a table and its tests: that they lex and close, and name only known series, labels and
// functions, over windows of four scrapes or more.
class ExpressionCheck {
 public:
  ExpressionCheck(const Spec& spec, const KnownSeriesIndex& series, Suggestions& suggestions)
      : spec_(spec), series_(series), suggestions_(suggestions) {}

  // Signals from `signals_before` on are not recorded yet when it is evaluated.
  void Expression(const TableCheck& check, std::string_view key, std::string_view expr,
                  std::size_t signals_before) const;
  // The same with placeholders, where every signal is recorded.
  void WatchExpression(const TableCheck& check, std::string_view expr) const;
  // The same with the placeholders of a panel and Grafana's variables.
  void PanelQuery(const TableCheck& check, const std::string& element, std::string_view query) const;
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
