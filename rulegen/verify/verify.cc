#include "rulegen/verify/verify.h"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/horizons.h"
#include "common/text.h"
#include "common/time_text.h"
#include "prometheus/ask.h"
#include "rulegen/artefacts/artefacts.h"
#include "rulegen/verify/compare_rules.h"
#include "thresholds/known_series.h"
#include "thresholds/names.h"
#include "thresholds/placeholders.h"
#include "thresholds/promql.h"

namespace outgrown::verify {
namespace {

constexpr std::size_t kDigestDigits = 64;

bool IsDashboard(const std::filesystem::path& path) { return path.extension() == ".json"; }

std::string CopyAt(const std::filesystem::path& path) {
  return (IsDashboard(path) ? "dashboard " : "file ") + path.string();
}

std::string Counted(std::size_t count, const char* one) {
  return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

using prometheus_api::LabelValue;

// How long alerts and decisions remember a silent store, which is what must be retained.
constexpr std::int64_t kMemoryHours = kLookbackMs / 3'600'000;

// What deploy/prometheus.default sets, and the default period of --backtest and --archive.
constexpr Milliseconds kDocumentedRetention{7LL * 86'400'000};

using Target = std::pair<std::string, std::string>;  // job, instance

Target TargetOf(const prometheus_api::Series& series) {
  return {std::string(LabelValue(series.labels, "job")), std::string(LabelValue(series.labels, "instance"))};
}

std::string Copy(const Target& target) {
  return fmt::format("exporter at {} (job {})", PlainText(target.second), PlainText(target.first));
}

std::vector<Finding> Unknown(const prometheus_api::QuerySource& prometheus, std::string why) {
  return {{State::kUnknown, "exporters as seen by " + prometheus.name(), std::move(why), ""}};
}

void Append(std::vector<Finding>& to, std::vector<Finding> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

std::string LoadedAt(const std::string& url) { return "loaded rules at " + url; }

// The digest that the loaded rules were generated with: the alert on a mismatch names it.
// "" where no watch of the spec asks for {digest}; the comparison by content does not depend on it.
std::string LoadedDigest(const std::vector<LoadedGroup>& groups) {
  constexpr std::string_view kBefore = "digest!=\"";
  for (const LoadedGroup& group : groups) {
    for (const LoadedRule& loaded : group.rules) {
      const std::size_t at = loaded.rule.expr.find(kBefore);
      if (at == std::string::npos) continue;
      const std::string_view rest = std::string_view(loaded.rule.expr).substr(at + kBefore.size());
      return std::string(rest.substr(0, rest.find('"')));
    }
  }
  return {};
}

std::vector<LoadedGroup> OwnGroups(const spec::Spec& spec, const LoadedRules& loaded) {
  std::vector<LoadedGroup> own;
  for (const LoadedGroup& group : loaded.groups) {
    if (IsOwnGroup(spec, group.name)) own.push_back(group);
  }
  return own;
}

// What kind of copy a finding is about: "exporter at app-1:9108 (job a)" -> "exporter".
std::string_view KindOf(const Finding& finding) {
  return std::string_view(finding.copy).substr(0, finding.copy.find(' '));
}

}  // namespace

// Only whole digests count: a mark that was edited must not be printed as if it were one.
std::string_view MarkedDigest(std::string_view bytes) {
  const std::string_view digest = spec::ReadMark(bytes).digest;
  const bool whole = digest.size() == kDigestDigits &&
                     digest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  return whole ? digest : std::string_view();
}

// The digest in the mark separates an old file from one that was edited.
Finding FileFinding(const spec::Spec& spec, const tree::FileDifference& difference) {
  const std::string copy = CopyAt(difference.path);
  if (!difference.there) return {State::kBehind, copy, "it is missing", ""};
  const std::string_view digest = MarkedDigest(*difference.there);
  if (digest.empty()) return {State::kBehind, copy, "it differs and does not carry rulegen's mark", ""};
  if (digest != spec.digest) {
    return {State::kBehind, copy,
            fmt::format("it was generated from digest {}, the spec's is {}", ShortDigest(digest),
                        ShortDigest(spec.digest)),
            std::string(digest)};
  }
  std::string what = "it differs, with the spec's own digest: edited by hand, or of another rulegen";
  const bool holds_others = spec.alertmanager && !spec.alertmanager->also.empty() &&
                            difference.path.filename() == spec.store.name + ".alertmanager.yml";
  if (holds_others) what += ", or a spec of alertmanager.also has changed";
  return {State::kBehind, copy, std::move(what), spec.digest};
}

Result<std::vector<Finding>> CompareFiles(const tree::Made& made,
                                          const std::optional<std::filesystem::path>& out) {
  const spec::Spec& spec = *made.spec;
  const auto differences = tree::CompareTree(made, tree::Layout(spec, out));
  if (!differences) return differences.error();
  std::vector<Finding> findings;
  for (const tree::FileDifference& difference : *differences) {
    findings.push_back(FileFinding(spec, difference));
  }
  const auto left_overs = tree::LeftOvers({made}, out, false);
  if (!left_overs) return left_overs.error();
  for (const tree::LeftOver& file : *left_overs)
    findings.push_back({State::kBehind, CopyAt(file.path), "it is left over: " + file.why, ""});
  const auto all = [&](bool dashboards, const char* copy, const char* one) {
    const auto is_one = [&](const auto& file) { return IsDashboard(file.path) == dashboards; };
    const bool differ = std::ranges::any_of(*differences, is_one) || std::ranges::any_of(*left_overs, is_one);
    const auto count = static_cast<std::size_t>(std::ranges::count_if(
        made.artefacts, [&](const artefacts::Artefact& artefact) { return is_one(artefact); }));
    if (differ || count == 0) return;
    findings.push_back({State::kInStep, copy, Counted(count, one) + " as the spec generates", spec.digest});
  };
  all(false, "files", "file");
  all(true, "dashboards", "dashboard");
  return findings;
}

// By the series that every exporter has about its compiled table, and not by asking the exporters: they may
// be out of reach from here, while Prometheus has what they said.
std::vector<Finding> CompareExporters(const spec::Spec& spec, prometheus_api::QuerySource& prometheus,
                                      std::int64_t now_ms) {
  // A store's name is [a-z][a-z0-9_]*: nothing to escape.
  const std::string info = fmt::format("checkpoint_threshold_table_info{{store=\"{}\"}}", spec.store.name);
  prometheus_api::Notes notes;
  const prometheus_api::Reply now = prometheus_api::AskVector(prometheus, info, now_ms, notes);
  if (!now.usable()) return Unknown(prometheus, now.asked.problem);
  // An exporter that stopped is missing in an instant query, so those of the last 26 hours are asked for as well.
  const prometheus_api::Reply lately = prometheus_api::AskVector(
      prometheus, fmt::format("count by (job, instance) (last_over_time({}[{}h]))", info, kMemoryHours),
      now_ms, notes);
  if (!lately.usable()) return Unknown(prometheus, lately.asked.problem);

  std::vector<Finding> findings;
  std::set<Target> reporting;
  for (const prometheus_api::Series& series : now.series) {
    const Target target = TargetOf(series);
    reporting.insert(target);
    const std::string_view digest = LabelValue(series.labels, "digest");
    if (digest == spec.digest) continue;
    findings.push_back({State::kBehind, Copy(target),
                        fmt::format("its table is of digest {}, the spec's is {}",
                                    PlainText(ShortDigest(digest)), ShortDigest(spec.digest)),
                        std::string(digest)});
  }
  for (const prometheus_api::Series& series : lately.series) {
    const Target target = TargetOf(series);
    if (reporting.contains(target)) continue;
    findings.push_back(
        {State::kBehind, Copy(target),
         fmt::format("silent: it reported a digest within the last {}h and does not now", kMemoryHours), ""});
  }
  if (!findings.empty()) return findings;
  if (reporting.empty()) {
    return {{State::kBehind, "exporters as seen by " + prometheus.name(),
             "none reports a digest for the store " + spec.store.name, ""}};
  }
  return {{State::kInStep, "exporters as seen by " + prometheus.name(),
           fmt::format("{} with digest {}", reporting.size(), ShortDigest(spec.digest)), spec.digest}};
}

std::vector<Finding> RuleFindings(const spec::Spec& spec, const LoadedRules& loaded,
                                  std::optional<bool> last_reload_succeeded, const std::string& url,
                                  Expressions& expressions) {
  std::vector<Finding> findings;
  const std::string copy = LoadedAt(url);
  if (last_reload_succeeded == false) {
    findings.push_back(
        {State::kBehind, copy, "the last reload failed; the rules loaded before still run", ""});
  }
  std::vector<ExpectedGroup> expected;
  if (spec.output.rules) expected = ExpectedRules(spec, FlavorOf(loaded, spec));
  const std::vector<LoadedGroup> own = OwnGroups(spec, loaded);
  const std::string digest = LoadedDigest(own);
  for (std::string& difference : CompareRules(
           expected, own,
           [&](const std::string&left, const std::string&right) { return expressions.Same(left, right); })) {
    findings.push_back({State::kBehind, copy, std::move(difference), digest});
  }
  for (std::string& rule : AlsoElsewhere(spec, expected, loaded)) {
    findings.push_back({State::kBehind, copy, std::move(rule), digest});
  }
  if (findings.empty()) {
    std::size_t rules = 0;
    for (const ExpectedGroup& group : expected) rules += group.rules.size();
    findings.push_back({State::kInStep, copy,
                        fmt::format("{} rules in {} groups as the spec generates, evaluated and healthy",
                                    rules, expected.size()),
                        digest});
  }
  if (!last_reload_succeeded) {
    findings.push_back({State::kNote, copy, "the server does not say whether its last reload succeeded", ""});
  }
  return findings;
}

std::optional<Finding> CompiledFinding(const spec::Spec& spec, const Table& compiled,
                                       bool spec_replaces_compiled) {
  if (compiled.store != spec.store.name) return std::nullopt;
  const std::string digest(compiled.digest);
  if (digest == spec.digest) {
    return Finding{State::kInStep, "compiled table",
                   fmt::format("digest {} as the spec's", ShortDigest(digest)), digest};
  }
  const std::string differs =
      fmt::format("digest {}, the spec's is {}", ShortDigest(digest), ShortDigest(spec.digest));
  if (spec_replaces_compiled)
    return Finding{State::kNote, "compiled table", differs + "; --spec replaces it", ""};
  return Finding{State::kBehind, "compiled table", differs + "; rebuild, or decide with --spec", digest};
}

Milliseconds LongestRange(const spec::Spec& spec) {
  std::vector<std::string> expressions;
  for (const spec::Signal& signal : spec.signals) {
    expressions.push_back(signal.expr);
    expressions.push_back(signal.split);
  }
  if (spec.coverage) {
    expressions.push_back(spec.coverage->expr);
    expressions.push_back(spec.coverage->reason);
  }
  for (const spec::Watch& watch : spec.watches)
    expressions.push_back(spec::FillPlaceholders(watch.expr, spec));
  Milliseconds longest{0};
  for (const std::string& expr : expressions) {
    for (const spec::RangeUse& range : spec::FindReferences(expr).ranges)
      longest = std::max(longest, range.duration);
  }
  return longest;
}

std::optional<Finding> RetentionFinding(std::optional<Milliseconds> retention, Milliseconds longest_range,
                                        const std::string& url) {
  if (!retention || *retention >= kDocumentedRetention) return std::nullopt;
  std::string what = fmt::format("samples are kept for {}, less than 7 days", FormatDuration(*retention));
  if (*retention < longest_range)
    what += fmt::format("; the spec's expressions read {}", FormatDuration(longest_range));
  if (*retention < Milliseconds(kLookbackMs))
    what += fmt::format("; alerts and decisions remember a silent store for {}h", kMemoryHours);
  return Finding{State::kNote, "retention at " + url,
                 what +
                     "; --since and --backtest see no further back than what is kept: raise "
                     "--storage.tsdb.retention.time",
                 ""};
}

std::optional<Finding> SpecFinding(const spec::Spec& spec, const std::vector<Finding>& findings) {
  std::set<std::string_view> digests;
  std::set<std::string_view> kinds;
  for (const Finding& finding : findings) {
    if (finding.digest.empty()) continue;
    digests.insert(finding.digest);
    kinds.insert(KindOf(finding));
  }
  if (kinds.size() < 2 || digests.size() != 1 || *digests.begin() == spec.digest) return std::nullopt;
  return Finding{
      State::kNote, "spec",
      fmt::format("every copy that carries a digest carries {}: either digest {} is not deployed yet, or "
                  "this spec is the copy that is behind",
                  ShortDigest(*digests.begin()), ShortDigest(spec.digest)),
      ""};
}

Result<std::vector<SpecReport>> Verify(const std::vector<tree::Made>& made, const Copies& copies) {
  const Result<LoadedRules> loaded = LoadRules(copies.rules);
  const std::optional<bool> reloaded = loaded ? copies.rules.LastReloadSucceeded() : std::nullopt;
  const std::optional<Milliseconds> retention = copies.series.Retention();
  std::vector<SpecReport> reports;
  std::vector<const spec::Spec*> specs;
  for (const tree::Made& one : made) {
    const spec::Spec& spec = *one.spec;
    specs.push_back(&spec);
    SpecReport report{spec.file.string(), spec.store.name, spec.digest, {}};
    Result<std::vector<Finding>> files = CompareFiles(one, copies.out);
    if (!files) return files.error();
    Append(report.findings, std::move(*files));
    if (std::optional<Finding> compiled =
            CompiledFinding(spec, copies.compiled, copies.spec_replaces_compiled)) {
      report.findings.push_back(std::move(*compiled));
    }
    if (loaded) {
      Append(report.findings, RuleFindings(spec, *loaded, reloaded, copies.rules.url(), copies.expressions));
    } else {
      report.findings.push_back({State::kUnknown, LoadedAt(copies.rules.url()), loaded.error().what, ""});
    }
    if (std::optional<Finding> kept = RetentionFinding(retention, LongestRange(spec), copies.series.url()))
      report.findings.push_back(std::move(*kept));
    if (spec::HasOwnExporter(spec)) {
      Append(report.findings, CompareExporters(spec, copies.prometheus, copies.now_ms));
    }
    if (std::optional<Finding> behind = SpecFinding(spec, report.findings)) {
      report.findings.push_back(std::move(*behind));
    }
    reports.push_back(std::move(report));
  }
  // With --spec it is not known which other specs there are, nor what they generate.
  if (!copies.spec_replaces_compiled && !reports.empty()) {
    const auto left_overs = tree::LeftOvers(made, copies.out, true);
    if (!left_overs) return left_overs.error();
    for (const tree::LeftOver& file : *left_overs) {
      const auto names_it = [&](const Finding& finding) { return finding.copy == CopyAt(file.path); };
      if (std::ranges::none_of(reports, [&](const SpecReport& report) {
            return std::ranges::any_of(report.findings, names_it);
          })) {
        reports.back().findings.push_back(
            {State::kBehind, CopyAt(file.path), "it is left over: " + file.why, ""});
      }
    }
  }
  if (loaded && !reports.empty()) {
    for (std::string& group : GroupsOfNoSpec(specs, *loaded)) {
      reports.back().findings.push_back({State::kNote, LoadedAt(copies.rules.url()), std::move(group), ""});
    }
  }
  return reports;
}

}  // namespace outgrown::verify
