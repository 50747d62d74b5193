#include "decision/record/recorded_period.h"

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "decision/engine/window.h"
#include "decision/record/recorded.h"

namespace outgrown::decision {
namespace {

// The threshold's unknown time, as far as a verdict rests on it.
Result<Unknown> ReadUnknown(const Json& json, const ThresholdRow& row, std::int64_t period_ms) {
  Unknown unknown;
  const Result<const Json::Array*> unmeasured = ArrayField(json, "unmeasured");
  if (!unmeasured) return unmeasured.error();
  for (const Json& stretch : **unmeasured) {
    const Result<std::pair<std::int64_t, std::int64_t>> times = ReadTimes(stretch);
    if (!times) return times.error();
    unknown.stretches.push_back(*times);
  }
  const auto total_ms = OptionalIntegerField(json, "unknown_ms");
  if (!total_ms) return total_ms.error();
  unknown.total_ms = total_ms->value_or(0);  // the first records have none
  if (unknown.stretches.empty() && unknown.total_ms > BridgedMsMax(period_ms)) {
    return Error{
        fmt::format("its period has {} unknown for longer than is tolerated, but nothing unmeasured", row.id),
        ""};
  }
  return unknown;
}

Result<ThresholdPeriod> ReadThreshold(const Json& json, const ThresholdRow& row, std::int64_t period_ms) {
  const Result<std::string_view> id = TextField(json, "threshold");
  const Result<std::int64_t> breached = IntegerField(json, "breached_evaluations");
  const Result<std::int64_t> longest_ms = IntegerField(json, "longest_beyond_ms");
  if (!id || *id != row.id) return Error{"its period is not about the thresholds of its table", ""};
  if (!breached) return breached.error();
  if (!longest_ms) return longest_ms.error();
  if (*breached < 0) return Error{"its period has an incomplete threshold", ""};
  ThresholdPeriod threshold;
  threshold.breached_evaluations = static_cast<std::size_t>(*breached);
  threshold.longest_beyond_ms = *longest_ms;
  if (const Json* extreme = json.Find("extreme"); extreme != nullptr) {
    const Result<Sample> sample = ReadSample(*extreme);
    if (!sample) return sample.error();
    threshold.extreme = *sample;
  }
  Result<Unknown> unknown = ReadUnknown(json, row, period_ms);
  if (!unknown) return unknown.error();
  threshold.unknown = std::move(*unknown);
  const bool shown =
      *longest_ms >= row.hold_ms && threshold.extreme && engine::Beyond(row, threshold.extreme->value);
  if (*breached == 0 && shown) {
    return Error{fmt::format("its period has {} beyond its limit for long enough, but no breach", row.id),
                 ""};
  }
  if (*breached > 0 && !shown) {
    return Error{
        fmt::format("its period has a breach of {}, but no value beyond its limit for long enough", row.id),
        ""};
  }
  return threshold;
}

}  // namespace

Result<Period> ReadPeriod(const Json& record, const Table& table) {
  const Result<const Json*> json = ObjectField(record, "period");
  if (!json) return json.error();
  const Result<std::int64_t> from_ms = IntegerField(**json, "from_ms");
  const Result<std::int64_t> to_ms = IntegerField(**json, "to_ms");
  const Result<std::int64_t> time_ms = IntegerField(record, "time_ms");
  const Result<const Json::Array*> thresholds = ArrayField(**json, "thresholds");
  if (!from_ms) return from_ms.error();
  if (!to_ms) return to_ms.error();
  if (!time_ms) return time_ms.error();
  if (!thresholds) return thresholds.error();
  if (*to_ms != *time_ms) return Error{"its period doesn't end at its time", ""};
  if (*from_ms > *to_ms) return Error{"its period ends before it begins", ""};
  if ((*thresholds)->size() != table.thresholds.size())
    return Error{"its period is not about the thresholds of its table", ""};
  Period period;
  period.from_ms = *from_ms;
  period.to_ms = *to_ms;
  const auto since_ms = OptionalIntegerField(**json, "measured_since_ms");
  if (!since_ms) return since_ms.error();
  if (*since_ms > *to_ms) return Error{"its period is measured only after its end", ""};
  period.measured_since_ms = *since_ms;
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    Result<ThresholdPeriod> threshold =
        ReadThreshold((**thresholds)[index], table.thresholds[index], *to_ms - *from_ms);
    if (!threshold) return threshold.error();
    period.thresholds.push_back(std::move(*threshold));
  }
  return period;
}

void Periods::Take(const Json& record) {
  const Json* const period = record.Find("period");
  const Json* const table = record.Find("table");
  if (period == nullptr || table == nullptr) return;
  const Result<std::int64_t> from_ms = IntegerField(*period, "from_ms");
  const Result<std::int64_t> to_ms = IntegerField(*period, "to_ms");
  const Result<std::int64_t> interval_ms = IntegerField(*table, "interval_ms");
  if (from_ms.ok() && to_ms.ok() && interval_ms.ok()) spans_.push_back({*from_ms, *to_ms, *interval_ms});
}

std::vector<Hole> Periods::Holes() const {
  std::vector<Span> spans = spans_;
  std::ranges::sort(spans, {}, &Span::from_ms);
  std::vector<Hole> holes;
  std::int64_t until_ms = spans.empty() ? 0 : spans.front().from_ms;
  for (const Span& span : spans) {
    if (span.from_ms - until_ms > span.interval_ms) holes.push_back({until_ms, span.from_ms});
    until_ms = std::max(until_ms, span.to_ms);
  }
  return holes;
}

}  // namespace outgrown::decision
