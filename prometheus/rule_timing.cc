#include "prometheus/rule_timing.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/json.h"
#include "common/text.h"
#include "common/time_text.h"
#include "prometheus/ask.h"

namespace outgrown::prometheus_api {
namespace {

// vmalert's -rule.evalDelay, and VictoriaMetrics' -search.latencyOffset (1.151).
constexpr std::int64_t kVmalertDelayMs = 30'000;
// What an instant query still shows: with nothing newer than this the series have stopped, and are not late.
constexpr std::int64_t kShownMs = 300'000;

const std::string* TextOf(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  return value == nullptr ? nullptr : value->string();
}

// The stamp of the newest sample of these series; nothing if there is none.
std::optional<std::int64_t> NewestMs(QuerySource& series, std::span<const std::string_view> recorded,
                                     std::int64_t now_ms) {
  Notes notes;  // what goes wrong here goes wrong with the decision's own queries, too
  // timestamp() drops the name, and two series of one store must not become one.
  std::vector<std::string> stamps;
  for (const std::string_view name : recorded)
    stamps.push_back(fmt::format(R"(label_replace(timestamp({0}), "recorded", "{0}", "", ""))", name));
  const std::string promql = fmt::format("max({})", fmt::join(stamps, " or "));
  const Reply reply = AskVector(series, promql, now_ms, notes);
  if (!reply.usable() || reply.series.size() != 1) return std::nullopt;
  const double time_ms = reply.series.front().samples.front().value * 1000;
  const auto now = static_cast<double>(now_ms);
  if (!(time_ms > now - kShownMs && time_ms <= now)) return std::nullopt;
  return std::llround(time_ms);
}

// The rules of a series with the same labels: a server in front of several rulers lists the rules of each with its labels.
struct SameLabels {
  std::set<std::string> queries;
  std::vector<std::string> files;
};
using RulesByLabels = std::map<std::pair<std::string, std::map<std::string, std::string>>, SameLabels>;

void AddQuery(const Json& group, const Json& rule, const std::string& name, RulesByLabels& rules) {
  const std::string* query = TextOf(rule, "query");
  if (query == nullptr) return;
  std::map<std::string, std::string> labels;
  const Json* object = rule.Find("labels");
  if (object != nullptr && object->object() != nullptr) {
    for (const auto& [label, value] : *object->object())
      if (value.string() != nullptr) labels[label] = *value.string();
  }
  SameLabels& one = rules[{name, labels}];
  one.queries.insert(*query);
  if (const std::string* file = TextOf(group, "file"); file != nullptr) one.files.push_back(*file);
}

void TakeNewest(const Json& rule, std::optional<RecordingGroup>& newest) {
  const std::string* evaluated = TextOf(rule, "lastEvaluation");
  // Go's zero time, "0001-01-01T00:00:00Z", stands for "never".
  const std::optional<std::int64_t> time_ms = evaluated == nullptr ? std::nullopt : ParseTime(*evaluated);
  if (!time_ms || *time_ms <= 0) return;
  if (newest && newest->last_evaluation_ms >= *time_ms) return;
  const std::string* health = TextOf(rule, "health");
  newest = RecordingGroup{.last_evaluation_ms = *time_ms,
                          .vmalert = rule.Find("datasourceType") != nullptr,
                          .healthy = health == nullptr || *health == "ok"};
}

}  // namespace

Result<RecordingRules> ReadRecordingRules(std::string_view rules_body,
                                          std::span<const std::string_view> recorded) {
  const Result<Json> document = ParseJson(rules_body);
  if (!document) return document.error();
  const Json* data = document->Find("data");
  const Json* groups = data == nullptr ? nullptr : data->Find("groups");
  if (groups == nullptr) return Error{"no list of rules", ""};
  RecordingRules found;
  if (groups->array() == nullptr) return found;
  RulesByLabels by_labels;
  for (const Json& group : *groups->array()) {
    const Json* rules = group.Find("rules");
    if (rules == nullptr || rules->array() == nullptr) continue;
    for (const Json& rule : *rules->array()) {
      const std::string* name = TextOf(rule, "name");
      if (name == nullptr || !Contains(recorded, *name)) continue;
      TakeNewest(rule, found.group);
      AddQuery(group, rule, *name, by_labels);
    }
  }
  for (auto& [key, one] : by_labels) {
    if (one.queries.size() > 1) found.differ.push_back({key.first, std::move(one.files)});
  }
  return found;
}

RuleFindings JudgeRules(std::string_view rules_body, QuerySource& series,
                        std::span<const std::string_view> recorded, std::int64_t interval_ms,
                        std::optional<std::int64_t> now_ms) {
  Result<RecordingRules> rules = ReadRecordingRules(rules_body, recorded);
  if (!rules) return {};
  const std::optional<RecordingGroup>& group = rules->group;
  const bool elsewhere = !group || group->vmalert;
  RuleFindings findings{.behind_ms = 0, .alerts_lag = elsewhere, .differ = std::move(rules->differ)};
  if (!now_ms || (group && !group->healthy)) return findings;
  const std::optional<std::int64_t> newest_ms = NewestMs(series, recorded, *now_ms);
  if (!newest_ms) return findings;
  // A server's clock that is ahead must not hide what has happened since.
  const std::int64_t evaluated_ms = group ? std::min(group->last_evaluation_ms, *now_ms) : *now_ms;
  std::int64_t& behind_ms = findings.behind_ms;
  behind_ms = std::max<std::int64_t>(evaluated_ms - *newest_ms, 0);
  if (elsewhere) behind_ms = std::min(behind_ms, kVmalertDelayMs + 2 * interval_ms);
  // The evaluation's own duration, or one whose samples don't show yet: no delay.
  if (behind_ms < interval_ms) behind_ms = 0;
  return findings;
}

}  // namespace outgrown::prometheus_api
