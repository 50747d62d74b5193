#include "rulegen/audit/recorded_period.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "rulegen/audit/record_fields.h"

namespace outgrown::audit {
namespace {

Result<evaluate::ThresholdPeriod> ReadThreshold(const Json& json, const ThresholdRow& row) {
  const Result<std::string_view> id = TextField(json, "threshold");
  if (!id || *id != row.id) return Error{"its period is not about the thresholds of its table", ""};
  evaluate::ThresholdPeriod threshold;
  const Result<std::int64_t> breached = IntegerField(json, "breached_evaluations");
  const Result<std::int64_t> longest_ms = IntegerField(json, "longest_beyond_ms");
  if (!breached || !longest_ms || *breached < 0)
    return Error{"its period has a threshold that is not whole", ""};
  threshold.breached_evaluations = static_cast<std::size_t>(*breached);
  threshold.longest_beyond_ms = *longest_ms;
  if (*breached > 0) {
    const Result<std::int64_t> first_ms = IntegerField(json, "first_ms");
    const Result<std::int64_t> last_ms = IntegerField(json, "last_ms");
    if (!first_ms || !last_ms) return Error{"its period has a breach without times", ""};
    threshold.breached_first_ms = *first_ms;
    threshold.breached_last_ms = *last_ms;
  }
  if (const Json* extreme = json.Find("extreme"); extreme != nullptr) {
    const Result<Sample> sample = ReadSample(*extreme);
    if (!sample) return sample.error();
    threshold.extreme = *sample;
  }
  const Result<const Json::Array*> unmeasured = ArrayField(json, "unmeasured");
  if (!unmeasured) return unmeasured.error();
  for (const Json& stretch : **unmeasured) {
    // A pair of times has the form of a sample.
    const Result<Sample> pair = ReadSample(stretch);
    if (!pair) return pair.error();
    threshold.unknown.stretches.emplace_back(pair->time_ms, static_cast<std::int64_t>(pair->value));
  }
  threshold.unknown.cause = decide::Cause::kUnmeasured;
  if (json.Find("unmeasured_cause") != nullptr) {
    const Result<std::string_view> cause = TextField(json, "unmeasured_cause");
    if (!cause) return cause.error();
    threshold.unknown.cause = decide::CauseFromId(*cause);
    if (threshold.unknown.cause == decide::Cause::kNone)
      return Error{"its period has a cause that is none", ""};
  }
  if (json.Find("unknown_ms") != nullptr) {
    const Result<std::int64_t> total_ms = IntegerField(json, "unknown_ms");
    if (!total_ms) return total_ms.error();
    threshold.unknown.total_ms = *total_ms;
  }
  return threshold;
}

}  // namespace

Result<evaluate::Period> ReadPeriod(const Json& record, const Table& table) {
  const Result<const Json*> json = ObjectField(record, "period");
  if (!json) return json.error();
  const Result<std::int64_t> from_ms = IntegerField(**json, "from_ms");
  const Result<std::int64_t> to_ms = IntegerField(**json, "to_ms");
  const Result<const Json::Array*> thresholds = ArrayField(**json, "thresholds");
  if (!from_ms) return from_ms.error();
  if (!to_ms) return to_ms.error();
  if (!thresholds) return thresholds.error();
  evaluate::Period period;
  period.from_ms = *from_ms;
  period.to_ms = *to_ms;
  if ((*thresholds)->size() != table.thresholds.size()) {
    return Error{"its period is not about the thresholds of its table", ""};
  }
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const ThresholdRow& row = table.thresholds[index];
    Result<evaluate::ThresholdPeriod> threshold = ReadThreshold((**thresholds)[index], row);
    if (!threshold) return threshold.error();
    const bool long_enough = row.hold_ms == 0 || threshold->longest_beyond_ms >= row.hold_ms;
    if (threshold->breached_evaluations == 0 && long_enough && threshold->extreme &&
        decide::Beyond(row, threshold->extreme->value)) {
      return Error{fmt::format("its period has {} beyond its limit long enough, and no breach", row.id), ""};
    }
    if (threshold->unknown.stretches.empty() &&
        threshold->unknown.total_ms > evaluate::BridgedMsMax(period.to_ms - period.from_ms)) {
      return Error{
          fmt::format("its period has {} unknown for longer than is forgiven, and nothing unmeasured",
                      row.id),
          ""};
    }
    period.thresholds.push_back(std::move(*threshold));
  }
  return period;
}

}  // namespace outgrown::audit
