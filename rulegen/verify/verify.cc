#include "rulegen/verify/verify.h"

#include <cstddef>
#include <iterator>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/digest.h"
#include "rulegen/verify/compare_rules.h"
#include "rulegen/verify/expected_rules.h"
#include "rulegen/verify/exporters.h"
#include "rulegen/verify/files.h"
#include "rulegen/verify/other_groups.h"
#include "thresholds/known_series.h"

namespace outgrown::verify {
namespace {

void Append(std::vector<Finding>& to, std::vector<Finding> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

std::string LoadedAt(const std::string& url) { return "loaded rules at " + url; }

// The digest that the loaded rules were generated with: the alert on a mismatch names it.
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

std::vector<Finding> RuleFindings(const spec::Spec& spec, const LoadedRules& loaded,
                                  std::optional<bool> last_reload_succeeded, const std::string& url,
                                  Expressions& expressions) {
  std::vector<Finding> findings;
  const std::string copy = LoadedAt(url);
  if (last_reload_succeeded == false) {
    findings.push_back(
        {State::kBehind, copy, "the last reload failed, what was loaded before still runs", ""});
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

Result<std::vector<SpecReport>> Verify(const std::vector<spec::Spec>& specs, const Copies& copies) {
  const Result<LoadedRules> loaded = copies.rules.Rules();
  const std::optional<bool> reloaded = loaded ? copies.rules.LastReloadSucceeded() : std::nullopt;
  std::vector<SpecReport> reports;
  for (const spec::Spec& spec : specs) {
    SpecReport report{spec.file.string(), spec.store.name, spec.digest, {}};
    Result<std::vector<Finding>> files = CompareFiles(spec, copies.out);
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
    if (spec::HasOwnExporter(spec)) {
      Append(report.findings, CompareExporters(spec, copies.prometheus, copies.now_ms));
    }
    if (std::optional<Finding> behind = SpecFinding(spec, report.findings)) {
      report.findings.push_back(std::move(*behind));
    }
    reports.push_back(std::move(report));
  }
  if (loaded && !reports.empty()) {
    for (std::string& group : GroupsOfNoSpec(specs, *loaded)) {
      reports.back().findings.push_back({State::kNote, LoadedAt(copies.rules.url()), std::move(group), ""});
    }
  }
  return reports;
}

}  // namespace outgrown::verify
