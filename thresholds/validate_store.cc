// [store], [[verdict]] and [[metric]].
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "common/exit_status.h"
#include "thresholds/validation.h"

namespace outgrown::spec {
namespace {

// Labels that generated rules or Prometheus itself set; as identity they would be overwritten, and two alerts whose
// values always differ are never equal.
constexpr std::array<std::string_view, 7> kReservedLabels = {"alertname", "severity", "verdict", "threshold",
                                                             "reason",    "le",       "quantile"};
// Severities whose order is known to everybody, from mild to severe.
constexpr std::array<std::string_view, 7> kSeverities = {"none",  "info",     "notice", "warning",
                                                         "error", "critical", "page"};
// What a shell, a signal or an earlier status of ours could mean instead starts here.
constexpr int kExitCodeMax = 125;
constexpr int kExitCodeMin = kExitDrift + 1;

// The rank of a severity; kSeverities.size() if it has none.
std::size_t SeverityRank(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(kSeverities, name) - kSeverities.begin());
}

void VerdictText(const TableCheck& check, const Spec& spec, const Verdict& verdict) {
  if (!check.Line("text", verdict.text)) return;
  // Scripts split the verdict line there.
  if (verdict.text.find(" - ") != std::string::npos) {
    check.Wrong("text", Quoted(verdict.text),
                "a text without \" - \", which separates verdict and justification");
  } else if (verdict.text == "UNDETERMINED") {
    check.Wrong("text", Quoted(verdict.text), "another text: this one is the verdict on missing data");
  } else if (verdict.text == spec.store.sufficient) {
    check.Wrong("text", Quoted(verdict.text), "another text than store.sufficient");
  }
}

void ExitCode(const TableCheck& check, const Verdict& verdict) {
  if (!check.Has("exit_code")) return;
  // 126, 127 and 128 + N are the shell's: not executable, not found, ended by signal N (POSIX, Shell Command
  // Language, 2.8.2).
  if (verdict.exit_code < kExitCodeMin || verdict.exit_code > kExitCodeMax ||
      verdict.exit_code == kExitUndetermined) {
    check.Wrong(
        "exit_code", std::to_string(verdict.exit_code),
        "an exit status from 7 to 125 other than 30 (0 to 6 and 30 have a meaning of their own, 126 and more "
        "the shell's)");
  }
}

// `name` is a series that the store's own exporter has.
void ScrapedSeries(const TableCheck& check, std::string_view key, const std::string& name,
                   const KnownSeriesIndex& index, Suggestions& suggestions) {
  const KnownSeries* const series = index.Find(name);
  if (!IsMetricName(name)) {
    check.Wrong(key, Quoted(name), "a metric's name without matchers");
  } else if (series == nullptr && index.is_complete()) {
    check.Wrong(
        key, "the unknown series " + Quoted(name),
        "a series of the exporter or one that [[metric]] declares" + suggestions.For(name, index.names()));
  } else if (series != nullptr && series->signal) {
    check.Wrong(key, Quoted(name) + ", which this spec records", "a series that is scraped");
  } else if (series != nullptr && series->of_target) {
    // It has no label of a store, and it is there as long as the target is listed: no store would ever be
    // silent.
    check.Wrong(key, Quoted(name) + ", which Prometheus makes for every target",
                "a series that the store's own exporter has");
  }
}

}  // namespace

bool LabelNames(const TableCheck& check, std::string_view key, const std::vector<std::string>& labels) {
  if (!check.Has(key)) return false;
  Unique unique;
  bool all_right = true;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::string element = Element(key, i);
    if (!IsLabelName(labels[i])) {
      all_right = false;
      check.Wrong(element, Quoted(labels[i]),
                  "a label's name ([a-zA-Z_][a-zA-Z0-9_]*, not beginning with __)");
    } else {
      unique.Add(check, element, labels[i], "each label once");
    }
  }
  return all_right;
}

void NoReservedLabels(const TableCheck& check, std::string_view key, const std::vector<std::string>& labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (std::ranges::find(kReservedLabels, labels[i]) == kReservedLabels.end()) continue;
    check.Wrong(Element(key, i), Quoted(labels[i]), "a label that rules and alerts don't set themselves");
  }
}

// Narrower than a label's value may be: it is also part of a route's matcher and a receiver's name.
bool IsSeverity(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && is_letter(text[0]) && std::ranges::all_of(text, [&](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

void ValidateStore(const Spec& spec, const KnownSeriesIndex& series, Report& report,
                   Suggestions& suggestions) {
  const Store& store = spec.store;
  // A table [store] that is absent was reported; there is nothing to judge.
  if (!spec.positions.empty() && store.positions.empty()) return;
  const TableCheck check("store", store.positions, report);
  check.Id("name", store.name, IsSnakeCase,
           "a name of lower-case letters, digits and _, beginning with a letter");
  check.Line("title", store.title);
  check.Line("sufficient", store.sufficient);
  check.Line("next", store.next);

  if (check.Has("identity") && store.identity.empty()) {
    check.Wrong("identity", "an empty list", "the labels that name one store");
  }
  LabelNames(check, "identity", store.identity);
  NoReservedLabels(check, "identity", store.identity);

  // An alert on an overdue decision finds the decision about a store by this label.
  const auto subject = std::ranges::find(store.identity, "subject");
  if (subject != store.identity.end()) {
    check.Wrong(Element("identity", static_cast<std::size_t>(subject - store.identity.begin())),
                Quoted(*subject), "another label: the exporter's decisions have this one");
  }

  // A recorded one would vanish with the rules' evaluation, and a broken rule would read as a store that is
  // gone.
  if (check.Has("present")) ScrapedSeries(check, "present", store.present, series, suggestions);
  if (check.Has("modified")) ScrapedSeries(check, "modified", store.modified, series, suggestions);
}

void ValidateVerdicts(const Spec& spec, Report& report) {
  Unique ids;
  Unique texts;
  const Verdict* milder = nullptr;
  for (const Verdict& verdict : spec.verdicts) {
    const TableCheck check("verdict", verdict.positions, report);
    if (check.Id("id", verdict.id, IsSnakeCase,
                 "an id of lower-case letters, digits and _, beginning with a letter")) {
      ids.Add(check, "id", verdict.id, "an id that no other verdict has");
    }
    VerdictText(check, spec, verdict);
    if (check.Has("text")) texts.Add(check, "text", verdict.text, "a text that no other verdict has");
    ExitCode(check, verdict);
    if (check.Has("severity") && !IsSeverity(verdict.severity)) {
      check.Wrong("severity", Quoted(verdict.severity),
                  "a label value of letters, digits, _ and -, beginning with a letter, such as \"warning\"");
    }

    // Verdicts are listed from mild to severe; both rising together show that they are.
    if (milder != nullptr) {
      const TableCheck before("verdict", milder->positions, report);
      if (check.Has("exit_code") && before.Has("exit_code") && verdict.exit_code <= milder->exit_code) {
        check.Wrong("exit_code", std::to_string(verdict.exit_code),
                    "more than " + std::to_string(milder->exit_code) + " of the milder verdict before it");
      }
      const std::size_t rank = SeverityRank(verdict.severity);
      const std::size_t rank_before = SeverityRank(milder->severity);
      if (rank < kSeverities.size() && rank_before < kSeverities.size() && rank < rank_before) {
        check.Wrong("severity", Quoted(verdict.severity) + " after " + Quoted(milder->severity),
                    "verdicts from mild to severe");
      }
    }
    milder = &verdict;
  }
}

void ValidateMetrics(const Spec& spec, Report& report) {
  Unique names;
  // An empty spec's index knows the catalog and Prometheus' own series, and nothing else.
  const Spec nothing_declared;
  const KnownSeriesIndex own(nothing_declared);
  for (const Metric& metric : spec.metrics) {
    const TableCheck check("metric", metric.positions, report);
    if (check.Has("name") && !IsMetricName(metric.name)) {
      check.Wrong("name", Quoted(metric.name), "a metric's name ([a-zA-Z_:][a-zA-Z0-9_:]*)");
    } else if (check.Has("name")) {
      names.Add(check, "name", metric.name, "each metric once");
      if (own.Find(metric.name) != nullptr || own.IsHistogram(metric.name)) {
        check.Wrong("name", Quoted(metric.name),
                    "a foreign metric (the exporter's and Prometheus' own are known)");
      } else if (metric.name.starts_with(spec.store.name + ":") && !spec.store.name.empty()) {
        check.Wrong("name", Quoted(metric.name),
                    "a foreign metric (" + spec.store.name + ":... is what this spec records)");
      }
    }
    constexpr std::array<std::string_view, 4> kTypes = {"counter", "gauge", "histogram", "summary"};
    if (check.Has("type") && std::ranges::find(kTypes, metric.type) == kTypes.end()) {
      check.Wrong("type", Quoted(metric.type), R"("counter", "gauge", "histogram" or "summary")");
    }
    check.Line("help", metric.help);
    LabelNames(check, "labels", metric.labels);
  }
}

}  // namespace outgrown::spec
