#include "rulegen/verify/other_groups.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "rulegen/verify/expected_rules.h"
#include "rulegen/verify/wording.h"

namespace outgrown::verify {
namespace {

using Names = std::set<std::string>;

Names NamesOf(const std::vector<ExpectedGroup>& groups, RuleKind kind) {
  Names names;
  for (const ExpectedGroup& group : groups) {
    for (const Rule& rule : group.rules) {
      if (rule.kind == kind) names.insert(rule.name);
    }
  }
  return names;
}

Names NamesOf(const LoadedGroup& group, RuleKind kind) {
  Names names;
  for (const LoadedRule& loaded : group.rules) {
    if (loaded.rule.kind == kind) names.insert(loaded.rule.name);
  }
  return names;
}

}  // namespace

std::vector<std::string> AlsoElsewhere(const spec::Spec& spec, const std::vector<ExpectedGroup>& expected,
                                       const LoadedRules& loaded) {
  const Names series = NamesOf(expected, RuleKind::kRecording);
  const Names alerts = NamesOf(expected, RuleKind::kAlerting);
  std::vector<std::string> sentences;
  const auto compare = [&](const Names& ours, const Names& theirs, const char* what, const std::string& group,
                           const std::string& file) {
    for (const std::string& name : theirs) {
      if (ours.contains(name))
        sentences.push_back(fmt::format("{} is also {} group {}{}", name, what, Shown(group), From(file)));
    }
  };
  constexpr const char* kRecorded = "recorded by";
  constexpr const char* kAlert = "an alert of";
  for (const LoadedGroup& group : loaded.groups) {
    if (IsOwnGroup(spec, group.name)) continue;
    compare(series, NamesOf(group, RuleKind::kRecording), kRecorded, group.name, group.file);
    compare(alerts, NamesOf(group, RuleKind::kAlerting), kAlert, group.name, group.file);
  }
  for (const OtherGroup& group : loaded.others) {
    compare(series, Names(group.series.begin(), group.series.end()), kRecorded, group.name, group.file);
    compare(alerts, Names(group.alerts.begin(), group.alerts.end()), kAlert, group.name, group.file);
  }
  return sentences;
}

std::vector<std::string> GroupsOfNoSpec(const std::vector<spec::Spec>& specs, const LoadedRules& loaded) {
  std::vector<std::string> sentences;
  for (const LoadedGroup& group : loaded.groups) {
    if (std::ranges::any_of(specs, [&](const spec::Spec& spec) { return IsOwnGroup(spec, group.name); }))
      continue;
    sentences.push_back(fmt::format(
        "group {}{} is of no spec given here: it is another repo's, or its rule file was left behind",
        Shown(group.name), From(group.file)));
  }
  return sentences;
}

}  // namespace outgrown::verify
