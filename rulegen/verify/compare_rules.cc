#include "rulegen/verify/compare_rules.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "rulegen/verify/wording.h"
#include "thresholds/promql.h"

namespace outgrown::verify {
namespace {

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
    if (!same(rule.expr, expected.expr)) {
      Say(fmt::format("expr is `{}`, the spec says `{}`", Shown(plan::CanonicalPromql(rule.expr)),
                      expected.expr));
    }
    Duration("for", rule.hold, expected.hold);
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

// Rules are told apart by kind and name; several of one name pair up in their order.
using Key = std::pair<RuleKind, std::string>;
using Places = std::map<Key, std::vector<std::size_t>>;

void CompareGroup(const ExpectedGroup& expected, const LoadedGroup& loaded, const SameExpression& same,
                  std::vector<std::string>& differences) {
  const std::string group = "group " + expected.name;
  if (loaded.interval != expected.interval) {
    differences.push_back(fmt::format("{}: interval is {}, the spec says {}", group,
                                      FormatDuration(loaded.interval), FormatDuration(expected.interval)));
  }
  // A rule with more results than that fails, so the day of many breaches would be the day without an alert.
  if (loaded.limit != 0) {
    differences.push_back(fmt::format("{}: limit is {}, the spec has none", group, loaded.limit));
  }
  for (const std::string& setting : loaded.settings)
    differences.push_back(fmt::format("{}: {}, the spec has none", group, setting));
  // So it is for an interval after a reload, and as long as the server evaluates nothing.
  const bool idle = !loaded.rules.empty() && std::ranges::none_of(loaded.rules, [](const LoadedRule& rule) {
    return rule.state.evaluated;
  });
  if (idle) differences.push_back(group + ": " + kNotEvaluated);
  Places unpaired;
  for (std::size_t i = loaded.rules.size(); i-- > 0;) {
    unpaired[{loaded.rules[i].rule.kind, loaded.rules[i].rule.name}].push_back(i);
  }
  std::vector<bool> paired(loaded.rules.size(), false);
  std::optional<std::size_t> last;
  bool in_order = true;
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
    if (last && at < *last && in_order) {
      differences.push_back(place + " stands before " + Name(loaded.rules[*last].rule) +
                            ", the spec has it behind");
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

}  // namespace

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

}  // namespace outgrown::verify
