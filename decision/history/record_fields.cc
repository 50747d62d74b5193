#include "decision/history/record_fields.h"

#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "common/number.h"
#include "common/text.h"
#include "common/time_text.h"

namespace outgrown::audit {
namespace {

Error Lacks(std::string_view key, std::string_view kind) {
  return Error{fmt::format("its \"{}\" is missing or not {}", key, kind), ""};
}

// Times in milliseconds; a double holds these exactly.
constexpr double kIntegerMax = 9e15;

// What Rfc3339 has words for: from the beginning of the year 0 to the end of the year 9999.
constexpr std::int64_t kCalendarFromMs = -62'167'219'200'000;
constexpr std::int64_t kCalendarToMs = 253'402'300'799'999;

std::optional<std::int64_t> Integer(const Json* json) {
  if (json == nullptr || json->number() == nullptr) return std::nullopt;
  const double value = *json->number();
  if (!(std::abs(value) <= kIntegerMax) || value != std::floor(value)) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

// A recorded value: a number, or "NaN", "+Inf", "-Inf".
std::optional<double> Value(const Json& json) {
  if (json.number() != nullptr) return *json.number();
  if (json.string() == nullptr) return std::nullopt;
  const std::optional<double> value = ParseNumber(*json.string());
  return value && !std::isfinite(*value) ? value : std::nullopt;
}

}  // namespace

Result<std::string_view> TextField(const Json& object, std::string_view key) {
  const Json* found = object.Find(key);
  if (found == nullptr || found->string() == nullptr) return Lacks(key, "a string");
  return std::string_view(*found->string());
}

Result<double> NumberField(const Json& object, std::string_view key) {
  const Json* found = object.Find(key);
  if (found == nullptr || found->number() == nullptr) return Lacks(key, "a number");
  return *found->number();
}

Result<std::int64_t> IntegerField(const Json& object, std::string_view key) {
  const std::optional<std::int64_t> value = Integer(object.Find(key));
  if (!value) return Lacks(key, "a whole number");
  return *value;
}

Result<const Json::Array*> ArrayField(const Json& object, std::string_view key) {
  const Json* found = object.Find(key);
  if (found == nullptr || found->array() == nullptr) return Lacks(key, "an array");
  return found->array();
}

Result<const Json*> ObjectField(const Json& object, std::string_view key) {
  const Json* found = object.Find(key);
  if (found == nullptr || found->object() == nullptr) return Lacks(key, "an object");
  return found;
}

Result<std::int64_t> TimeField(const Json& record) {
  Result<std::int64_t> time_ms = IntegerField(record, "time_ms");
  if (!time_ms) return time_ms;
  const Result<std::string_view> time = TextField(record, "time");
  if (!time) return time.error();
  if (*time_ms < kCalendarFromMs || *time_ms > kCalendarToMs || *time != Rfc3339(*time_ms)) {
    return Error{"its \"time\" and its \"time_ms\" are not the same instant", ""};
  }
  return time_ms;
}

Result<evaluate::Origin> OriginField(const Json& record) {
  const Result<std::string_view> origin = TextField(record, "origin");
  if (!origin) return origin.error();
  if (*origin == "prometheus") return evaluate::Origin::kPrometheus;
  if (*origin == "given") return evaluate::Origin::kGiven;
  return Error{fmt::format("its origin \"{}\" is none that is known", PlainText(*origin, 60)), ""};
}

Result<std::pair<std::int64_t, std::int64_t>> ReadTimes(const Json& pair) {
  const Json::Array* parts = pair.array();
  const bool is_pair = parts != nullptr && parts->size() == 2;
  const std::optional<std::int64_t> first = is_pair ? Integer(&(*parts)[0]) : std::nullopt;
  const std::optional<std::int64_t> second = is_pair ? Integer(&(*parts)[1]) : std::nullopt;
  if (!first || !second) return Error{"it has something else where two times belong", ""};
  return std::pair(*first, *second);
}

Result<Sample> ReadSample(const Json& pair) {
  const Json::Array* parts = pair.array();
  const bool is_pair = parts != nullptr && parts->size() == 2;
  const std::optional<std::int64_t> time_ms = is_pair ? Integer(&(*parts)[0]) : std::nullopt;
  const std::optional<double> value = is_pair ? Value((*parts)[1]) : std::nullopt;
  if (!time_ms || !value) return Error{"it has something else where a time and a value belong", ""};
  return Sample{*time_ms, *value};
}

Result<evaluate::SignalSamples> SamplesField(const Json& signal) {
  evaluate::SignalSamples samples;
  samples.cause = decide::Cause::kNone;
  if (signal.Find("cause") != nullptr) {
    const Result<std::string_view> cause = TextField(signal, "cause");
    if (!cause) return cause.error();
    samples.cause = decide::CauseFromId(*cause);
    if (samples.cause == decide::Cause::kNone) return Lacks("cause", "one that is known");
  }
  const Result<const Json::Array*> pairs = ArrayField(signal, "samples");
  if (!pairs) return pairs.error();
  for (const Json& pair : **pairs) {
    const Result<Sample> sample = ReadSample(pair);
    if (!sample) return sample.error();
    if (!samples.samples.empty() && sample->time_ms <= samples.samples.back().time_ms) {
      return Lacks("samples", "in the order of their times");
    }
    samples.samples.push_back(*sample);
  }
  return samples;
}

}  // namespace outgrown::audit
