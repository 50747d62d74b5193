// Expressions and their tests: every name in them is one that exists.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "common/text.h"
#include "thresholds/diagnostic.h"
#include "thresholds/names.h"
#include "thresholds/placeholders.h"
#include "thresholds/promql.h"
#include "thresholds/test_series.h"
#include "thresholds/validation.h"

namespace outgrown::spec {
namespace {

// A longer one is no expression that a person has written.
constexpr std::size_t kExpressionBytesMax = 64U << 10U;
// A rate needs two samples in its window; with four scrapes it survives two lost ones and any phase.
constexpr int kWindowScrapesMin = 4;

// Prometheus takes either and gives nonsense: rate() of a gauge reads each decrease as a counter's reset,
// delta() of a counter each reset as a loss.
constexpr std::array<std::string_view, 4> kForCounters = {"rate", "irate", "increase", "resets"};
constexpr std::array<std::string_view, 4> kForGauges = {"delta", "idelta", "deriv", "predict_linear"};

// Judges the names of one text, an expression or a test's series.
class Names {
 public:
  // `filled` is `text` with its placeholders filled in, and what the places are in.
  Names(const TableCheck& check, std::string_view element, std::string_view text, const Filled& filled,
        const KnownSeriesIndex& series, Suggestions& suggestions)
      : check_(check),
        element_(element),
        text_(text),
        filled_(filled),
        series_(series),
        suggestions_(suggestions) {}

  void Wrong(std::size_t offset, std::string found, std::string expected) const {
    check_.WrongInside(element_, text_, {filled_.Origin(offset), std::move(found), std::move(expected)});
  }

  // Null, and reported, if the series is not known.
  const KnownSeries* Series(const Selector& selector) const {
    const NameUse& metric = selector.metric;
    if (metric.name.empty()) {
      Wrong(metric.offset, "a selector without a metric's name", "a name before the \"{\"");
      return nullptr;
    }
    const KnownSeries* known = series_.Find(metric.name);
    const bool is_histogram = known == nullptr && series_.IsHistogram(metric.name);
    // A native one has its own name, and only a rate of it means anything.
    if (is_histogram && selector.function == "rate") return series_.Find(std::string(metric.name) + "_sum");
    if (is_histogram) {
      const std::string name(metric.name);
      Wrong(metric.offset, "the histogram " + Quoted(metric.name),
            "one of its series: " + name + "_bucket, " + name + "_count or " + name + "_sum");
    } else if (known == nullptr && series_.is_complete()) {
      Wrong(metric.offset, "the unknown series " + Quoted(metric.name),
            "a series of the exporter, of this spec, or one that [[metric]] declares" +
                suggestions_.For(metric.name, series_.names()));
    }
    return known;
  }

  void Labels(const Selector& selector, const KnownSeries& known) const {
    for (const Matcher& matcher : selector.matchers) {
      if (series_.HasLabel(known, matcher.label.name)) continue;
      UnknownLabel(matcher.label, "a label of " + Quoted(selector.metric.name), known.labels);
    }
  }

  void UnknownLabel(const NameUse& label, std::string expected,
                    const std::vector<std::string_view>& candidates) const {
    Wrong(label.offset, "the unknown label " + Quoted(label.name),
          std::move(expected) + suggestions_.For(label.name, candidates));
  }

 private:
  const TableCheck& check_;
  std::string_view element_;
  std::string_view text_;
  const Filled& filled_;
  const KnownSeriesIndex& series_;
  Suggestions& suggestions_;
};

void FunctionFits(const Names& names, const Selector& selector, const KnownSeries& known) {
  const bool for_counters = Contains(kForCounters, selector.function);
  const bool for_gauges = Contains(kForGauges, selector.function);
  if (for_counters && !known.is_counter) {
    names.Wrong(selector.metric.offset,
                std::string(selector.function) + " of " + Quoted(selector.metric.name) + ", no counter",
                "a counter (of a gauge take delta or deriv)");
  } else if (for_gauges && known.is_counter) {
    names.Wrong(selector.metric.offset,
                std::string(selector.function) + " of the counter " + Quoted(selector.metric.name),
                "a gauge (of a counter take rate or increase)");
  }
}

void Functions(const Names& names, const References& references, const Spec& spec, Suggestions& suggestions) {
  const bool victoria = std::ranges::any_of(spec.rules.flavors, [](Flavor flavor) {
    return flavor == Flavor::kVictoriaMetrics || flavor == Flavor::kVictoriaMetrics179;
  });
  for (const NameUse& function : references.functions) {
    if (!Contains(FunctionNames(), function.name)) {
      const std::vector<std::string_view> known(FunctionNames().begin(), FunctionNames().end());
      names.Wrong(function.offset, "the unknown function " + Quoted(function.name),
                  "a function that Prometheus 2.42 and 3.x know" + suggestions.For(function.name, known));
    } else if (victoria && !IsInVictoriaMetrics(function.name)) {
      names.Wrong(function.offset, Quoted(function.name) + ", which VictoriaMetrics does not know",
                  "a function of every engine in rules.flavors");
    }
  }
}

// What grouping, joins and the functions on labels name.
// A misspelt label in `by` is no error for Prometheus: it groups by a label that is always empty, and adds
// stores together.
void OtherLabels(const Names& names, const References& references, const KnownSeriesIndex& series,
                 const std::vector<const KnownSeries*>& read) {
  const auto judge = [&](const NameUse& label) {
    const bool known =
        std::ranges::any_of(read, [&](const KnownSeries* one) { return series.HasLabel(*one, label.name); });
    if (known || Contains(references.made_labels, label.name)) return;
    std::vector<std::string_view> candidates = {"job", "instance"};
    for (const KnownSeries* one : read)
      candidates.insert(candidates.end(), one->labels.begin(), one->labels.end());
    names.UnknownLabel(label, "a label that one of the expression's series has", candidates);
  };
  for (const NameUse& label : references.grouping_labels) judge(label);
  for (const NameUse& label : references.source_labels) judge(label);
}

// Equal for two series that the generated test would write alike: labels in any order, those of the identity
// filled in.
std::string SameSeries(const Store& store, std::string_view selector) {
  const std::optional<TestSeries> series = ReadTestSeries(selector);
  if (!series) return NormalisePromql(selector);
  // An empty value is no label (docs/spec.md, [[signal.test]]).
  std::map<std::string_view, std::string> labels;
  for (const std::string& label : store.identity) labels[label] = ExampleValue(label);
  for (const TestLabel& label : series->labels)
    labels[label.name] = PlainValue(label.literal).value_or(label.literal);
  std::string text(series->metric);
  for (const auto& [name, value] : labels) {
    // NUL can be in none of these texts, so that no two different lists make one text.
    if (!value.empty()) text += std::string(1, '\0').append(name) + "=" + value;
  }
  return text;
}

// The query with a constant for each of Grafana's variables ($__rate_interval, ${job}), as long as the
// variable is, so that every place stays where it was: a day where a range is wanted, which is long enough
// for every rate.
std::string WithoutVariables(std::string_view query) {
  constexpr std::string_view kWord = "_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  std::string text(query);
  for (std::size_t at = text.find('$'); at != std::string::npos; at = text.find('$', at + 1)) {
    const bool in_braces = text.substr(at + 1, 1) == "{";
    std::size_t end = text.find_first_not_of(kWord, at + (in_braces ? 2 : 1));
    end = in_braces ? text.find('}', at) : std::min(end, text.size());
    if (end == std::string::npos || end < at + 2) continue;  // no variable
    if (in_braces) ++end;
    const std::size_t before = text.find_last_not_of(" \n", at == 0 ? 0 : at - 1);
    const bool is_range =
        at > 0 && before != std::string::npos && (text[before] == '[' || text[before] == ':');
    std::string constant = is_range ? "1d" : "1";
    constant.resize(end - at, ' ');
    text.replace(at, end - at, constant);
  }
  return text;
}

}  // namespace

bool ExpressionCheck::HasScrapeInterval() const {
  return !IsUnusable(spec_.rules.positions, "scrape_interval") &&
         spec_.rules.scrape_interval > Milliseconds(0);
}

Filled ExpressionCheck::Fill(std::string_view text) const {
  // The digest is made of the validated spec; expressions are judged before. Any text of the same form will
  // do.
  static const std::string kSomeDigest(64, '0');
  return FillPlaceholders(text, spec_, kSomeDigest);
}

void ExpressionCheck::Expression(const TableCheck& check, std::string_view key, std::string_view expr,
                                 std::size_t signals_before) const {
  if (check.Has(key)) Judge(check, key, expr, {std::string(expr), {}, {}}, signals_before);
}

void ExpressionCheck::WatchExpression(const TableCheck& check, std::string_view expr) const {
  if (!check.Has("expr")) return;
  const Filled filled = Fill(expr);
  if (filled.problem) return check.WrongInside("expr", expr, *filled.problem);
  Judge(check, "expr", expr, filled, spec_.signals.size());
}

void ExpressionCheck::PanelQuery(const TableCheck& check, const std::string& element,
                                 std::string_view query) const {
  const std::string constant = WithoutVariables(query);
  const Filled filled = FillPanelQuery(constant, spec_, "");
  if (filled.problem) return check.WrongInside(element, query, *filled.problem);
  Judge(check, element, query, filled, spec_.signals.size());
}

void ExpressionCheck::Judge(const TableCheck& check, std::string_view key, std::string_view expr,
                            const Filled& filled, std::size_t signals_before) const {
  if (filled.text.size() > kExpressionBytesMax) {
    check.Wrong(key, std::to_string(filled.text.size()) + " bytes",
                "at most " + std::to_string(kExpressionBytesMax) + " bytes");
    return;
  }
  const References references = FindReferences(filled.text);
  const Names names(check, key, expr, filled, series_, suggestions_);
  for (const Problem& problem : references.problems)
    names.Wrong(problem.offset, problem.found, problem.expected);
  Functions(names, references, spec_, suggestions_);

  std::vector<const KnownSeries*> read;
  bool all_known = references.problems.empty();
  for (const Selector& selector : references.selectors) {
    const KnownSeries* known = names.Series(selector);
    all_known = all_known && known != nullptr;
    if (known == nullptr) continue;
    read.push_back(known);
    names.Labels(selector, *known);
    FunctionFits(names, selector, *known);
    // The rules of a group are evaluated in order: a signal further down would give the value of the
    // evaluation before, and nothing at the first one.
    if (known->signal && *known->signal >= signals_before) {
      names.Wrong(selector.metric.offset, Quoted(selector.metric.name) + ", which is not recorded yet",
                  "a signal declared above this one");
    }
  }
  if (all_known && read.empty()) names.Wrong(0, "an expression that reads no series", "at least one series");
  // A series that isn't known could be the one that has the label.
  if (all_known) OtherLabels(names, references, series_, read);

  if (!HasScrapeInterval()) return;
  const Milliseconds window_min = kWindowScrapesMin * spec_.rules.scrape_interval;
  for (const RangeUse& range : references.ranges) {
    if (range.duration >= window_min) continue;
    names.Wrong(range.offset, "a window of " + std::string(range.text),
                "at least " + FormatDuration(window_min) + ", four times rules.scrape_interval");
  }
}

void ExpressionCheck::Tests(std::string_view table, const std::vector<SignalTest>& tests,
                            const TableCheck& parent, Report& report) const {
  if (tests.empty() && parent.Has("test")) {
    parent.Wrong("test", "no test", "at least one [[" + std::string(table) + "]]");
  }
  // The cases of a watch say themselves what stores there are.
  const bool of_watch = table == "watch.test";
  const bool of_several = !of_watch && !tests.empty() && !IsUnusable(spec_.store.positions, "identity") &&
                          std::ranges::all_of(tests, [&](const SignalTest& test) {
                            return NamesSeveralStores(spec_.store, test);
                          });
  if (of_several) {
    parent.Wrong(
        "test", "tests of several stores alone",
        "one whose series are of a single store: from that the test is made which keeps stores apart");
  }
  Unique unique_names;
  for (const SignalTest& test : tests) {
    const TableCheck check(table, test.positions, report);
    if (check.LineOrNothing("name", test.name) && !test.name.empty()) {
      unique_names.Add(check, "name", test.name, "a name that no other test of it has");
    }
    Test(check, test, of_watch);
  }
}

void ExpressionCheck::Test(const TableCheck& check, const SignalTest& test, bool of_watch) const {
  if (check.Has("value") && !std::isfinite(test.value))
    check.Wrong("value", "no finite number", "a finite number");
  if (check.Has("at") && test.at <= Milliseconds(0))
    check.Wrong("at", Quoted(FormatDuration(test.at)), "more than nothing");
  Pace evaluations = EvaluationPace(spec_.rules);
  Pace samples{spec_.rules.scrape_interval, "rules.scrape_interval", HasScrapeInterval()};
  if (test.interval) {
    evaluations = samples = {*test.interval, "interval", check.Has("interval")};
    if (check.Has("interval")) SlowEnough(check, "interval", *test.interval);
    samples.is_usable = samples.is_usable && *test.interval > Milliseconds(0);
  }
  // promtool evaluates every rule up to the latest `at`: a case that spans years would take minutes and
  // gigabytes.
  if (!FewEvaluations(check, "at", test.at, evaluations)) return;
  if (!check.Has("series")) return;
  if (test.series.empty()) check.Wrong("series", "an empty table", "at least one series and its values");

  Unique unique;
  std::size_t samples_max = 0;
  bool all_right = true;
  for (std::size_t i = 0; i < test.series.size(); ++i) {
    const auto& [written, values] = test.series[i];
    const std::string selector = of_watch ? Fill(written).text : written;
    const std::string element = Element("series", i);
    unique.AddFolded(check, element, SameSeries(spec_.store, selector), selector, "each series once",
                     Unique::At::kKey);
    const std::size_t count = TestSeries(check, element, selector, values);
    all_right = all_right && count > 0;
    samples_max = std::max(samples_max, count);
  }
  if (!all_right || samples_max == 0 || !check.Has("at") || !samples.is_usable) return;
  // Beyond the last sample Prometheus goes on with it for five minutes, which would hide that a case has too
  // few.
  const Milliseconds end = samples.interval * (samples_max - 1);
  if (test.at > end) {
    check.Wrong("at", Quoted(FormatDuration(test.at)),
                "at most " + FormatDuration(end) + ", where the series end (one sample every " +
                    std::string(samples.key) + ")");
  }
}

std::size_t ExpressionCheck::TestSeries(const TableCheck& check, const std::string& element,
                                        const std::string& selector, const std::string& values) const {
  const std::optional<spec::TestSeries> one = ReadTestSeries(selector);
  if (!one) {
    check.WrongKey(element, Quoted(selector), "a series such as 'writes_total{status=\"error\"}'");
    return 0;
  }
  const KnownSeries* known = series_.Find(one->metric);
  if (known == nullptr && series_.is_complete()) {
    check.WrongKey(element, "the unknown series " + Quoted(one->metric),
                   "a series that the expression can read" + suggestions_.For(one->metric, series_.names()));
  }
  std::unordered_set<std::string_view> seen;
  for (const TestLabel& label : one->labels) {
    if (known != nullptr && !series_.HasLabel(*known, label.name)) {
      check.WrongKey(element, "the unknown label " + Quoted(label.name),
                     "a label of " + Quoted(one->metric) + suggestions_.For(label.name, known->labels));
    }
    if (!seen.insert(label.name).second)
      check.WrongKey(element, Quoted(selector) + " with " + Quoted(label.name) + " twice", "each label once");
    // Generated tests write the store's labels anew, to expect and to vary them.
    if (Contains(spec_.store.identity, label.name) && !PlainValue(label.literal)) {
      check.WrongKey(element, "a value of " + Quoted(label.name) + " with an escape",
                     "a plain text for a label of store.identity");
    }
  }
  const Notation notation = ReadNotation(values);
  if (notation.problem) check.WrongInside(element, values, *notation.problem);
  return notation.problem ? 0 : notation.samples;
}

}  // namespace outgrown::spec
