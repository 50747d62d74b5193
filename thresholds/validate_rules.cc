// [rules], and where files go to and come from: [output] and [alertmanager].
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "thresholds/validation.h"

namespace outgrown::spec {

namespace {

// Prometheus forgets a sample after this long (--query.lookback-delta), so samples further apart leave holes.
constexpr Milliseconds kLookback = std::chrono::minutes(5);

constexpr Milliseconds kIntervalMin = std::chrono::seconds(1);

// No "#", since an anchor follows; the other characters RFC 3986 allows in no URL, and YAML, Markdown or a Go
// template would interpret some of them.
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
  // The shell alone expands ~; written literally it would make a folder of that name.
  if (path.front() == ' ' || path.back() == ' ' || path.front() == '~') return Quoted(path);
  bool named = false;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, slash);
    path.remove_prefix(std::min(slash + 1, path.size()));
    if (part.empty()) return "an empty name between slashes";
    // --generate must not be able to write hooks or configuration of the repository.
    if (part == ".git") return "a path into .git";
    // Such a path means different folders before and after a symbolic link is followed.
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

// A label's value in Kubernetes, and its key behind the prefix: at most 63 letters, digits, "-", "_" and ".", a letter or
// digit at both ends.
bool IsObjectLabelPart(std::string_view text) {
  const auto is_end = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  return !text.empty() && text.size() <= 63 && is_end(text.front()) && is_end(text.back()) &&
         std::ranges::all_of(text, [&](char c) { return is_end(c) || c == '-' || c == '_' || c == '.'; });
}

// "release", "app.kubernetes.io/part-of": the prefix is a name in DNS.
bool IsObjectLabel(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return IsObjectLabelPart(key);
  const std::string_view prefix = key.substr(0, slash);
  const bool lower = std::ranges::none_of(prefix, [](char c) { return (c >= 'A' && c <= 'Z') || c == '_'; });
  return lower && IsObjectLabelPart(prefix) && IsObjectLabelPart(key.substr(slash + 1));
}

void PrometheusOperator(const TableCheck& check, const Rules& rules) {
  if (IsUnusable(rules.positions, "flavors") || rules.flavors.empty()) return;
  const auto is_flavor = [&](Flavor flavor) {
    return std::ranges::find(rules.flavors, flavor) != rules.flavors.end();
  };
  if (!is_flavor(Flavor::kPrometheusOperator)) {
    const std::string none = "no such key: it is of the flavor \"prometheus-operator\" alone";
    if (check.Has("object_labels") && !rules.object_labels.empty())
      check.Wrong("object_labels", "a table", none);
    if (check.Has("helm") && rules.helm) check.Wrong("helm", "true", none);
    return;
  }
  // promtool reads a rule file and no object, so the generated tests need the rule file.
  if (!is_flavor(Flavor::kPrometheus)) {
    check.Wrong("flavors", "\"prometheus-operator\" without \"prometheus\"",
                "both: the generated tests are of the rule file");
  }
  for (const auto& [key, value] : rules.object_labels) {
    if (!check.Has("object_labels")) return;
    if (!IsObjectLabel(key))
      check.Wrong("object_labels", "the label " + Quoted(key), "a label's key in Kubernetes");
    if (!value.empty() && !IsObjectLabelPart(value))
      check.Wrong("object_labels", Quoted(value),
                  "a label's value in Kubernetes, at most 63 letters, digits, -, _ and .");
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
  // vmalert 1.79 of Debian 12 doesn't know the key, so rules of its flavor are generated without it; with
  // that flavor alone the key would have no effect and no diagnostic.
  const bool known =
      std::ranges::any_of(rules.flavors, [](Flavor flavor) { return flavor != Flavor::kVictoriaMetrics179; });
  if (!known && !rules.flavors.empty() && !IsUnusable(rules.positions, "flavors")) {
    check.Wrong("keep_firing_for", Quoted(FormatDuration(*keep_firing_for)),
                "no such key: \"victoriametrics-1.79\" alone does not know it");
  }
}

void ValidateRules(const Spec& spec, Report& report) {
  const Rules& rules = spec.rules;
  const TableCheck check("rules", rules.positions, report);
  Interval(check, "scrape_interval", rules.scrape_interval);
  Interval(check, "interval", rules.interval);
  if (rules.interval > Milliseconds(0)) SlowEnough(check, "interval", rules.interval);

  if (check.Has("flavors") && rules.flavors.empty()) {
    check.Wrong(
        "flavors", "an empty list",
        R"(at least one of "prometheus", "victoriametrics", "victoriametrics-1.79" and "prometheus-operator")");
  }
  for (std::size_t i = 1; check.Has("flavors") && i < rules.flavors.size(); ++i) {
    if (std::find(rules.flavors.begin(), rules.flavors.begin() + static_cast<std::ptrdiff_t>(i),
                  rules.flavors[i]) == rules.flavors.begin() + static_cast<std::ptrdiff_t>(i)) {
      continue;
    }
    check.Wrong(Element("flavors", i), "the same flavor again", "each flavor once");
  }

  PrometheusOperator(check, rules);

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
  NoReservedLabels(alertmanager, "equal", spec.alertmanager->equal);
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
