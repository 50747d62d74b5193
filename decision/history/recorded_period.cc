#include "decision/history/recorded_period.h"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "decision/history/record_fields.h"

namespace outgrown::audit {
namespace {

// The rules of no spec are evaluated more often (thresholds/validate_rules.cc). The interval that the record's table has
// may be a newer one than that of the period's evaluations.
constexpr std::int64_t kApartMinMs = 1000;

// What a threshold's part must fit into.
struct Frame {
  std::int64_t from_ms;
  std::int64_t to_ms;
  std::int64_t interval_ms;
  std::int64_t window_ms;  // how far before the period the threshold's signal is looked at
};

// When it stood breached, and how often: times within the period, that fit the number of evaluations.
Result<void> ReadBreach(const Json& json, const ThresholdRow& row, const Frame& frame,
                        evaluate::ThresholdPeriod& threshold) {
  const Result<std::int64_t> breached = IntegerField(json, "breached_evaluations");
  if (!breached) return breached.error();
  if (*breached < 0) return Error{"its period has a threshold that is not whole", ""};
  threshold.breached_evaluations = static_cast<std::size_t>(*breached);
  if (*breached == 0) return {};
  const Result<std::int64_t> first_ms = IntegerField(json, "first_ms");
  const Result<std::int64_t> last_ms = IntegerField(json, "last_ms");
  if (!first_ms || !last_ms) return Error{"its period has a breach without times", ""};
  threshold.breached_first_ms = *first_ms;
  threshold.breached_last_ms = *last_ms;
  if (*first_ms < frame.from_ms || *last_ms < *first_ms || *last_ms > frame.to_ms) {
    return Error{fmt::format("its period has a breach of {} that is not within it", row.id), ""};
  }
  const bool once = *first_ms == *last_ms;
  if (once != (*breached == 1) || (*breached - 1) > (*last_ms - *first_ms) / kApartMinMs) {
    return Error{fmt::format("its period has a breach of {} whose evaluations and times don't fit", row.id),
                 ""};
  }
  return {};
}

Result<void> ReadExtreme(const Json& json, const ThresholdRow& row, const Frame& frame,
                         evaluate::ThresholdPeriod& threshold) {
  const Json* extreme = json.Find("extreme");
  if (extreme == nullptr) return {};
  const Result<Sample> sample = ReadSample(*extreme);
  if (!sample) return sample.error();
  // The newest sample of an evaluation may be two intervals old.
  if (sample->time_ms < frame.from_ms - 2 * frame.interval_ms || sample->time_ms > frame.to_ms) {
    return Error{fmt::format("its period has an extreme of {} that is not within it", row.id), ""};
  }
  threshold.extreme = *sample;
  return {};
}

Result<void> ReadUnmeasured(const Json& json, const ThresholdRow& row, const Frame& frame,
                            evaluate::ThresholdPeriod& threshold) {
  const Result<const Json::Array*> unmeasured = ArrayField(json, "unmeasured");
  if (!unmeasured) return unmeasured.error();
  // In a breach that reaches into the period something may have been missing before it.
  std::int64_t known_ms = frame.from_ms - frame.window_ms - frame.interval_ms;
  for (const Json& stretch : **unmeasured) {
    const Result<std::pair<std::int64_t, std::int64_t>> times = ReadTimes(stretch);
    if (!times) return times.error();
    if (times->first < known_ms || times->second <= times->first || times->second > frame.to_ms) {
      return Error{fmt::format("its period has an unmeasured stretch of {} that is not within it", row.id),
                   ""};
    }
    known_ms = times->second;
    threshold.unknown.stretches.push_back(*times);
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
    if (*total_ms < 0 || *total_ms > frame.to_ms - frame.from_ms)
      return Error{fmt::format("its period has {} unknown for longer than it is", row.id), ""};
    threshold.unknown.total_ms = *total_ms;
  }
  if (threshold.unknown.stretches.empty() &&
      threshold.unknown.total_ms > evaluate::BridgedMsMax(frame.to_ms - frame.from_ms)) {
    return Error{
        fmt::format("its period has {} unknown for longer than is forgiven, and nothing unmeasured", row.id),
        ""};
  }
  return {};
}

Result<evaluate::ThresholdPeriod> ReadThreshold(const Json& json, const ThresholdRow& row,
                                                const Frame& frame) {
  const Result<std::string_view> id = TextField(json, "threshold");
  if (!id || *id != row.id) return Error{"its period is not about the thresholds of its table", ""};
  evaluate::ThresholdPeriod threshold;
  if (Result<void> read = ReadBreach(json, row, frame, threshold); !read) return read.error();
  if (Result<void> read = ReadExtreme(json, row, frame, threshold); !read) return read.error();
  if (Result<void> read = ReadUnmeasured(json, row, frame, threshold); !read) return read.error();
  const Result<std::int64_t> longest_ms = IntegerField(json, "longest_beyond_ms");
  if (!longest_ms) return longest_ms.error();
  threshold.longest_beyond_ms = *longest_ms;
  const bool breach_shown =
      *longest_ms >= row.hold_ms && threshold.extreme && decide::Beyond(row, threshold.extreme->value);
  if (threshold.breached_evaluations == 0 && breach_shown) {
    return Error{fmt::format("its period has {} beyond its limit long enough, and no breach", row.id), ""};
  }
  if (threshold.breached_evaluations > 0 && !breach_shown) {
    return Error{
        fmt::format("its period has a breach of {}, and it never beyond its limit long enough", row.id), ""};
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
  const Result<std::int64_t> time_ms = IntegerField(record, "time_ms");
  if (!time_ms) return time_ms.error();
  if (*to_ms != *time_ms) return Error{"its period doesn't end at its time", ""};
  if (*from_ms > *to_ms) return Error{"its period ends before it begins", ""};
  if ((*thresholds)->size() != table.thresholds.size()) {
    return Error{"its period is not about the thresholds of its table", ""};
  }
  evaluate::Period period;
  period.from_ms = *from_ms;
  period.to_ms = *to_ms;
  if ((*json)->Find("measured_since_ms") != nullptr) {
    const Result<std::int64_t> since_ms = IntegerField(**json, "measured_since_ms");
    if (!since_ms) return since_ms.error();
    if (*since_ms > *to_ms) return Error{"its period is measured only after its end", ""};
    period.measured_since_ms = *since_ms;
  }
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const ThresholdRow& row = table.thresholds[index];
    const Frame frame = {.from_ms = *from_ms,
                         .to_ms = *to_ms,
                         .interval_ms = table.interval_ms,
                         .window_ms = evaluate::WindowMs(table, row.signal)};
    Result<evaluate::ThresholdPeriod> threshold = ReadThreshold((**thresholds)[index], row, frame);
    if (!threshold) return threshold.error();
    period.thresholds.push_back(std::move(*threshold));
  }
  return period;
}

}  // namespace outgrown::audit
