// [store], [[verdict]], [[metric]], [rules], [output] and [alertmanager].
#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/exit_status.h"
#include "thresholds/validation.h"

namespace outgrown::spec {
namespace {

// Labels that generated rules or Prometheus itself set; as identity they would be overwritten.
constexpr std::array<std::string_view, 6> kReservedLabels = {"alertname", "severity", "verdict",
                                                             "threshold", "le",       "quantile"};
// Severities whose order is known to everybody, from mild to severe.
constexpr std::array<std::string_view, 7> kSeverities = {"none",  "info",     "notice", "warning",
                                                         "error", "critical", "page"};
// What a shell, a signal or an earlier status of ours could mean instead starts here.
constexpr int kExitCodeMax = 125;
constexpr int kExitCodeMin = kExitDrift + 1;

// True if `name` is a severity of known rank.
std::size_t SeverityRank(std::string_view name) {
  return static_cast<std::size_t>(std::ranges::find(kSeverities, name) - kSeverities.begin());
}

void VerdictText(const TableCheck& check, const Spec& spec, const Verdict& verdict) {
  if (!check.Line("text", verdict.text)) return;
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
    // It has no label of a store, and it is there as long as the target is listed: no store would ever be silent.
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
  for (std::size_t i = 0; i < store.identity.size(); ++i) {
    if (std::ranges::find(kReservedLabels, store.identity[i]) == kReservedLabels.end()) continue;
    check.Wrong(Element("identity", i), Quoted(store.identity[i]),
                "a label that rules and alerts don't set themselves");
  }

  // An alert on an overdue decision finds the decision about a store by this label.
  const auto subject = std::ranges::find(store.identity, "subject");
  if (subject != store.identity.end()) {
    check.Wrong(Element("identity", static_cast<std::size_t>(subject - store.identity.begin())),
                Quoted(*subject), "another label: the exporter's decisions have this one");
  }

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

    // Verdicts stand from mild to severe; both rising together show that they do.
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

namespace {

// Prometheus forgets a sample after this long (--query.lookback-delta), so samples further apart leave holes.
constexpr Milliseconds kLookback = std::chrono::minutes(5);

constexpr Milliseconds kIntervalMin = std::chrono::seconds(1);

bool IsUrl(std::string_view url) {
  std::size_t at = std::string_view::npos;
  if (url.starts_with("https://")) at = 8;
  if (url.starts_with("http://")) at = 7;
  if (at >= url.size() || url[at] == '/') return false;
  return std::ranges::all_of(url, [](char c) {
    return c > 0x20 && c < 0x7F && std::string_view("\"<>\\^`{|}#").find(c) == std::string_view::npos;
  });
}

// What is wrong with a relative path; nothing if it is right. `is_folder`: artefacts are written there.
std::optional<std::string> PathProblem(std::string_view path, bool is_folder) {
  if (path.empty()) return "an empty path";
  if (path.starts_with('/')) return Quoted(path) + ", an absolute path";
  if (FindControl(path) || path.find('\\') != std::string_view::npos) return Quoted(path);
  if (path.front() == ' ' || path.back() == ' ' || path.front() == '~') return Quoted(path);
  bool named = false;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty()) return "an empty name between slashes";
    if (part == ".git") return "a path into .git";
    if (part == ".." && named) return "\"..\" behind a name";
    if (part != "." && part != "..") named = true;
  }
  if (!named) return is_folder ? "a folder without a name of its own" : "no file's name";
  return std::nullopt;
}

void Folder(const TableCheck& check, std::string_view key, std::string_view path) {
  if (!check.Has(key)) return;
  if (const std::optional<std::string> problem = PathProblem(path, /*is_folder=*/true))
    check.Wrong(key, *problem, "a folder relative to the spec's, such as \"gen\" or \"../docs/gen\"");
}

// `element`: the key, or one of its list. `example` of such a file.
bool File(const TableCheck& check, std::string_view element, std::string_view path,
          std::string_view example) {
  const std::optional<std::string> problem = PathProblem(path, /*is_folder=*/false);
  if (problem)
    check.Wrong(element, *problem, "a file relative to the spec's folder, such as " + Quoted(example));
  return !problem;
}

void Also(const TableCheck& check, const std::vector<std::string>& files) {
  if (!check.Has("also")) return;
  Unique unique;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string element = Element("also", i);
    if (!File(check, element, files[i], "postgresql.toml")) continue;
    unique.AddFolded(check, element, std::filesystem::path(files[i]).lexically_normal().string(), files[i],
                     "each spec once", Unique::At::kValue);
  }
}

}  // namespace

void Interval(const TableCheck& check, std::string_view key, Milliseconds value) {
  if (!check.Has(key)) return;
  if (value <= Milliseconds(0)) {
    check.Wrong(key, Quoted(FormatDuration(value)), "more than nothing");
  } else if (value >= kLookback) {
    check.Wrong(key, Quoted(FormatDuration(value)), "less than 5m, after which Prometheus forgets a sample");
  }
}

void SlowEnough(const TableCheck& check, std::string_view key, Milliseconds interval) {
  if (!check.Has(key) || interval >= kIntervalMin) return;
  check.Wrong(key, Quoted(FormatDuration(interval)),
              "at least " + FormatDuration(kIntervalMin) + ": the generated tests span more than an hour");
}

Pace EvaluationPace(const Rules& rules) {
  return {rules.interval, "rules.interval", !IsUnusable(rules.positions, "interval")};
}

bool FewEvaluations(const TableCheck& check, std::string_view key, Milliseconds duration, const Pace& pace) {
  if (!check.Has(key) || !pace.is_usable || pace.interval < kIntervalMin) return true;
  const Milliseconds most = kEvaluationsMax * pace.interval;
  if (duration <= most) return true;
  check.Wrong(key, Quoted(FormatDuration(duration)),
              "at most " + FormatDuration(most) + ", " + std::to_string(kEvaluationsMax) + " times " +
                  std::string(pace.key) + ": the generated tests evaluate the rules so often");
  return false;
}

void Hold(const TableCheck& check, Milliseconds hold, const Pace& pace) {
  if (check.Has("for") && pace.is_usable && hold > Milliseconds(0) && hold < pace.interval) {
    check.Wrong("for", Quoted(FormatDuration(hold)),
                "\"0s\" or at least " + std::string(pace.key) + " (" + FormatDuration(pace.interval) +
                    "), since no rule is evaluated in between");
  }
  FewEvaluations(check, "for", hold, pace);
}

void KeepFiringFor(const TableCheck& check, const std::optional<Milliseconds>& keep_firing_for,
                   const Pace& pace, const Rules& rules) {
  if (!keep_firing_for || !check.Has("keep_firing_for")) return;
  if (pace.is_usable && *keep_firing_for < pace.interval) {
    check.Wrong("keep_firing_for", Quoted(FormatDuration(*keep_firing_for)),
                "at least " + std::string(pace.key) + " (" + FormatDuration(pace.interval) +
                    "); a shorter one has no effect");
  }
  const bool prometheus = std::ranges::find(rules.flavors, Flavor::kPrometheus) != rules.flavors.end();
  if (!prometheus && !rules.flavors.empty() && !IsUnusable(rules.positions, "flavors")) {
    check.Wrong("keep_firing_for", Quoted(FormatDuration(*keep_firing_for)),
                "no such key: of rules.flavors none knows it (only \"prometheus\" does)");
  }
}

void ValidateRules(const Spec& spec, Report& report) {
  const Rules& rules = spec.rules;
  const TableCheck check("rules", rules.positions, report);
  Interval(check, "scrape_interval", rules.scrape_interval);
  Interval(check, "interval", rules.interval);
  if (rules.interval > Milliseconds(0)) SlowEnough(check, "interval", rules.interval);

  if (check.Has("flavors") && rules.flavors.empty()) {
    check.Wrong("flavors", "an empty list", "at least one of \"prometheus\" and \"victoriametrics\"");
  }
  for (std::size_t i = 1; check.Has("flavors") && i < rules.flavors.size(); ++i) {
    if (std::find(rules.flavors.begin(), rules.flavors.begin() + static_cast<std::ptrdiff_t>(i),
                  rules.flavors[i]) == rules.flavors.begin() + static_cast<std::ptrdiff_t>(i)) {
      continue;
    }
    check.Wrong(Element("flavors", i), "the same flavor again", "each flavor once");
  }

  KeepFiringFor(check, rules.keep_firing_for, EvaluationPace(rules), rules);

  if (check.Has("runbook_url") && !rules.runbook_url.empty() && !IsUrl(rules.runbook_url)) {
    check.Wrong("runbook_url", Quoted(rules.runbook_url),
                "a URL that begins with https:// or http://, without blanks and without # (each alert's "
                "anchor follows)");
  }
}

void ValidatePaths(const Spec& spec, Report& report) {
  const TableCheck output("output", spec.output.positions, report);
  if (spec.output.rules) Folder(output, "rules", *spec.output.rules);
  if (spec.output.dashboards) Folder(output, "dashboards", *spec.output.dashboards);
  if (spec.output.docs) Folder(output, "docs", *spec.output.docs);
  if (!spec.alertmanager) return;
  const TableCheck alertmanager("alertmanager", spec.alertmanager->positions, report);
  const bool given = spec.alertmanager->positions.contains("base") || !spec.alertmanager->base.empty();
  if (given && alertmanager.Has("base"))
    File(alertmanager, "base", spec.alertmanager->base, "alertmanager.base.yml");
  Also(alertmanager, spec.alertmanager->also);
  LabelNames(alertmanager, "equal", spec.alertmanager->equal);
  for (std::size_t i = 0; alertmanager.Has("equal") && i < spec.alertmanager->equal.size(); ++i) {
    const std::string& label = spec.alertmanager->equal[i];
    if (std::ranges::find(spec.store.identity, label) == spec.store.identity.end()) continue;
    alertmanager.Wrong(Element("equal", i), Quoted(label), "a label beside those of store.identity");
  }
  if (!spec.output.rules && !IsUnusable(spec.output.positions, "rules")) {
    report.Add(alertmanager.PositionOf("base"), "alertmanager", "no folder for its file",
               "rules in [output], which says where the configuration goes");
  }
}

}  // namespace outgrown::spec
