#include "rulegen/verify/other_groups.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "rulegen/verify/expected_rules.h"
#include "rulegen/verify/wording.h"

namespace outgrown::verify {
namespace {

using Series = std::set<std::string>;

Series RecordedBy(const std::vector<ExpectedGroup>& groups) {
  Series series;
  for (const ExpectedGroup& group : groups) {
    for (const Rule& rule : group.rules) {
      if (rule.kind == RuleKind::kRecording) series.insert(rule.name);
    }
  }
  return series;
}

Series RecordedBy(const LoadedGroup& group) {
  Series series;
  for (const LoadedRule& loaded : group.rules) {
    if (loaded.rule.kind == RuleKind::kRecording) series.insert(loaded.rule.name);
  }
  return series;
}

}  // namespace

std::vector<std::string> AlsoRecorded(const spec::Spec& spec, const std::vector<ExpectedGroup>& expected,
                                      const LoadedRules& loaded) {
  const Series ours = RecordedBy(expected);
  std::vector<std::string> sentences;
  const auto compare = [&](const Series& theirs, const std::string& group, const std::string& file) {
    for (const std::string& series : theirs) {
      if (!ours.contains(series)) continue;
      sentences.push_back(fmt::format("{} is also recorded by group {}{}", series, Shown(group), From(file)));
    }
  };
  for (const LoadedGroup& group : loaded.groups) {
    if (!IsOwnGroup(spec, group.name)) compare(RecordedBy(group), group.name, group.file);
  }
  for (const OtherGroup& group : loaded.others) {
    compare(Series(group.series.begin(), group.series.end()), group.name, group.file);
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
