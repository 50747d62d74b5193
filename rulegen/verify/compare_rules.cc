#include "rulegen/verify/compare_rules.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "common/text.h"
#include "rulegen/artefacts/escape.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/promql.h"

namespace outgrown::verify {
namespace {

// " (from FILE)"; "" if the server doesn't say which file a group came from.
std::string From(std::string_view file) { return file.empty() ? "" : " (from " + Shown(file) + ")"; }

Rule Expected(const artefacts::RecordingRule& planned) {
  Rule rule;
  rule.kind = RuleKind::kRecording;
  rule.name = planned.record;
  rule.expr = planned.expr;
  return rule;
}

// Built by the same functions as the rule file, so that the comparison cannot disagree with --generate.
Rule Expected(const artefacts::AlertRule& planned, spec::Flavor flavor) {
  Rule rule;
  rule.kind = RuleKind::kAlerting;
  rule.name = planned.alert;
  rule.expr = planned.expr;
  rule.hold = planned.hold;
  rule.keep_firing_for = Milliseconds(0);
  if (planned.keep_firing_for && flavor != spec::Flavor::kVictoriaMetrics179) {
    rule.keep_firing_for = *planned.keep_firing_for;
  }
  for (const artefacts::Pair& label : planned.labels)
    rule.labels[label.name] = artefacts::GoTemplateText(label.value);
  for (const artefacts::Annotation& annotation : planned.annotations) {
    rule.annotations[annotation.name] = artefacts::GoTemplate(annotation.text);
  }
  return rule;
}

using Texts = std::map<std::string, std::string>;

constexpr const char* kNotEvaluated = "not evaluated since it was loaded";

std::string Name(const Rule& rule) {
  return (rule.kind == RuleKind::kAlerting ? "alert " : "recording rule ") + Shown(rule.name);
}

// The sentences about one rule, with the place in front.
class RuleComparison {
 public:
  RuleComparison(const std::string& place, std::vector<std::string>& differences)
      : place_(place), differences_(differences) {}

  void Compare(const Rule& expected, const Rule& rule, const SameExpression& same) {
    // A server answers with its own form of an expression (Prometheus prints its syntax tree), so texts may
    // differ where the expressions do not.
    if (!same(rule.expr, expected.expr)) {
      Say(fmt::format("expr is `{}`, the spec says `{}`", Shown(spec::CanonicalPromql(rule.expr)),
                      expected.expr));
    }
    Duration("for", rule.hold, expected.hold);
    // Servers before the key existed do not report it; nothing is known then.
    if (rule.keep_firing_for && expected.keep_firing_for) {
      Duration("keep_firing_for", *rule.keep_firing_for, *expected.keep_firing_for);
    }
    All("label", rule.labels, expected.labels);
    All("annotation", rule.annotations, expected.annotations);
  }

  void State(const RuleState& state) {
    if (!state.evaluated) {
      Say(kNotEvaluated);
    } else if (state.health != "ok" || !state.last_error.empty()) {
      Say(fmt::format("its health is {}{}", Shown(state.health),
                      state.last_error.empty() ? "" : ": " + Shown(state.last_error)));
    }
  }

 private:
  void Say(const std::string& what) { differences_.push_back(place_ + ": " + what); }

  void Duration(const char* key, Milliseconds loaded, Milliseconds expected) {
    if (loaded == expected) return;
    Say(fmt::format("{} is {}, the spec says {}", key, FormatDuration(loaded), FormatDuration(expected)));
  }

  // Both ways: what is missing, and what was added.
  void All(const char* what, const Texts& loaded, const Texts& expected) {
    for (const auto& [name, text] : expected) {
      const auto found = loaded.find(name);
      if (found == loaded.end()) {
        Say(fmt::format("{} {} is missing, the spec says \"{}\"", what, name, Shown(text)));
      } else if (found->second != text) {
        Say(fmt::format("{} {} is \"{}\", the spec says \"{}\"", what, name, Shown(found->second),
                        Shown(text)));
      }
    }
    for (const auto& [name, text] : loaded) {
      if (expected.contains(name)) continue;
      Say(fmt::format("{} {} is \"{}\", the spec has none", what, Shown(name), Shown(text)));
    }
  }

  const std::string& place_;
  std::vector<std::string>& differences_;
};

// Rules are matched by kind and name; several of one name in their order.
using Key = std::pair<RuleKind, std::string>;
using Places = std::map<Key, std::vector<std::size_t>>;

void CompareGroup(const ExpectedGroup& expected, const LoadedGroup& loaded, const SameExpression& same,
                  std::vector<std::string>& differences) {
  const std::string group = "group " + expected.name;
  if (loaded.interval != expected.interval) {
    differences.push_back(fmt::format("{}: interval is {}, the spec says {}", group,
                                      FormatDuration(loaded.interval), FormatDuration(expected.interval)));
  }
  // Prometheus fails a rule with more results than `limit`: with many breaches at once no alert would fire.
  if (loaded.limit != 0) {
    differences.push_back(fmt::format("{}: limit is {}, the spec has none", group, loaded.limit));
  }
  for (const std::string& setting : loaded.settings)
    differences.push_back(fmt::format("{}: {}, the spec has none", group, setting));
  // This is so for one interval after a reload. Reported once for the group, not for each rule.
  const bool idle = !loaded.rules.empty() && std::ranges::none_of(loaded.rules, [](const LoadedRule& rule) {
    return rule.state.evaluated;
  });
  if (idle) differences.push_back(group + ": " + kNotEvaluated);
  Places unpaired;
  // From the end, so that the first of equal names is the last of its list and is taken first.
  for (std::size_t i = loaded.rules.size(); i-- > 0;) {
    unpaired[{loaded.rules[i].rule.kind, loaded.rules[i].rule.name}].push_back(i);
  }
  std::vector<bool> paired(loaded.rules.size(), false);
  std::size_t last = 0;  // matched place
  bool in_order = !loaded.sorted;
  for (const Rule& rule : expected.rules) {
    const std::string place = group + ": " + Name(rule);
    const auto found = unpaired.find({rule.kind, rule.name});
    if (found == unpaired.end() || found->second.empty()) {
      differences.push_back(place + " is not loaded");
      continue;
    }
    const std::size_t at = found->second.back();
    found->second.pop_back();
    paired[at] = true;
    if (at < last && in_order) {
      differences.push_back(place + " comes before " + Name(loaded.rules[last].rule) +
                            ", the spec has it after");
      in_order = false;
    }
    last = at;
    RuleComparison comparison(place, differences);
    comparison.Compare(rule, loaded.rules[at].rule, same);
    if (!idle) comparison.State(loaded.rules[at].state);
  }
  for (std::size_t i = 0; i < loaded.rules.size(); ++i) {
    if (paired[i]) continue;
    differences.push_back(
        fmt::format("{}: {} is loaded, the spec has none", group, Name(loaded.rules[i].rule)));
  }
}

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

std::vector<ExpectedGroup> ExpectedRules(const spec::Spec& spec, spec::Flavor flavor) {
  std::vector<ExpectedGroup> groups;
  for (const artefacts::RuleGroup& planned : artefacts::PlanRules(spec).groups) {
    ExpectedGroup group{planned.name, planned.interval, {}};
    for (const artefacts::Rule& rule : planned.rules) {
      const auto* recording = std::get_if<artefacts::RecordingRule>(&rule);
      group.rules.push_back(recording != nullptr ? Expected(*recording)
                                                 : Expected(std::get<artefacts::AlertRule>(rule), flavor));
    }
    groups.push_back(std::move(group));
  }
  return groups;
}

// A store's name has no "-", so that no store's groups begin like another's.
bool IsOwnGroup(const spec::Spec& spec, std::string_view group) {
  const std::string own = artefacts::GroupName(spec);
  return group == own || group.starts_with(own + "-");
}

std::vector<std::string> CompareRules(const std::vector<ExpectedGroup>& expected,
                                      const std::vector<LoadedGroup>& loaded, const SameExpression& same) {
  std::vector<std::string> differences;
  std::map<std::string_view, std::vector<const LoadedGroup*>> by_name;
  for (const LoadedGroup& group : loaded) by_name[group.name].push_back(&group);
  for (const ExpectedGroup& group : expected) {
    const auto found = by_name.find(group.name);
    if (found == by_name.end()) {
      differences.push_back(fmt::format("group {} is not loaded ({} rules)", group.name, group.rules.size()));
      continue;
    }
    // Moved out before the erase, which ends `found`. What is left in by_name is loaded and not expected.
    const std::vector<const LoadedGroup*> copies = std::move(found->second);
    by_name.erase(found);
    // The same group from two files evaluates twice, and one of them is likely to be forgotten.
    for (std::size_t i = 1; i < copies.size(); ++i) {
      differences.push_back(fmt::format("group {} is loaded once more{}", group.name, From(copies[i]->file)));
    }
    for (const LoadedGroup* copy : copies) CompareGroup(group, *copy, same, differences);
  }
  for (const auto& [name, copies] : by_name) {
    for (const LoadedGroup* copy : copies) {
      differences.push_back(
          fmt::format("group {}{} is loaded, the spec has none of that name", Shown(name), From(copy->file)));
    }
  }
  return differences;
}

// A series that two rules record has samples of both, in turn; alerts and decisions would read the mixture.
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

std::vector<std::string> GroupsOfNoSpec(const std::vector<const spec::Spec*>& specs,
                                        const LoadedRules& loaded) {
  std::vector<std::string> sentences;
  for (const LoadedGroup& group : loaded.groups) {
    if (std::ranges::any_of(specs, [&](const spec::Spec* spec) { return IsOwnGroup(*spec, group.name); }))
      continue;
    sentences.push_back(fmt::format(
        "group {}{} is of no spec given here: it is another repo's, or its rule file was left behind",
        Shown(group.name), From(group.file)));
  }
  return sentences;
}

}  // namespace outgrown::verify
