#include "decision/record/recorded.h"

#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "common/text.h"
#include "common/time_text.h"
#include "decision/report/wording.h"
#include "thresholds/table.h"

namespace outgrown::decision {
namespace {

Error Lacks(std::string_view key, std::string_view kind) {
  return Error{fmt::format("its \"{}\" is missing or not {}", key, kind), ""};
}

// Times in milliseconds; a double holds these exactly.
constexpr double kIntegerMax = 9e15;

// The range of Rfc3339: from the beginning of the year 0 to the end of the year 9999.
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

Result<Uncovered> UncoveredFromId(std::string_view id) {
  if (id == "valid") return Uncovered::kValid;
  if (id == "unknown") return Uncovered::kUnknown;
  if (id == "lower_bound") return Uncovered::kLowerBound;
  return Error{"its table has a signal with an unknown \"uncovered\"", ""};
}

// The first records have no "unit": their values are plain numbers.
Result<Unit> UnitField(const Json& signal) {
  if (signal.Find("unit") == nullptr) return Unit::kCount;
  const Result<std::string_view> name = TextField(signal, "unit");
  if (!name) return name.error();
  const std::optional<Unit> unit = ParseUnit(*name);
  if (!unit) return Error{"its table has a signal with an unknown \"unit\"", ""};
  return *unit;
}

// The index of the row with that id.
template <typename Rows>
Result<std::uint16_t> IndexOf(const Rows& rows, std::string_view id) {
  for (std::size_t index = 0; index < rows.size(); ++index) {
    if (rows[index].id == id) return static_cast<std::uint16_t>(index);
  }
  return Error{"its table names a signal or a verdict that it doesn't have", ""};
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

Result<std::optional<std::int64_t>> OptionalIntegerField(const Json& object, std::string_view key) {
  if (object.Find(key) == nullptr) return std::optional<std::int64_t>();
  const Result<std::int64_t> value = IntegerField(object, key);
  return value ? Result(std::optional(*value)) : value.error();
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

Result<Origin> OriginField(const Json& record) {
  const Result<std::string_view> origin = TextField(record, "origin");
  if (!origin) return origin.error();
  if (*origin == "prometheus") return Origin::kPrometheus;
  if (*origin == "given") return Origin::kGiven;
  return Error{fmt::format("its origin \"{}\" is unknown", PlainText(*origin, 60)), ""};
}

Result<Sample> ReadSample(const Json& pair) {
  const Json::Array* parts = pair.array();
  const bool is_pair = parts != nullptr && parts->size() == 2;
  const std::optional<std::int64_t> time_ms = is_pair ? Integer(&(*parts)[0]) : std::nullopt;
  const std::optional<double> value = is_pair ? Value((*parts)[1]) : std::nullopt;
  if (!time_ms || !value) return Error{"it has something else where a time and a value are expected", ""};
  return Sample{*time_ms, *value};
}

Result<std::pair<std::int64_t, std::int64_t>> ReadTimes(const Json& pair) {
  const Json::Array* parts = pair.array();
  const bool is_pair = parts != nullptr && parts->size() == 2;
  const std::optional<std::int64_t> first = is_pair ? Integer(&(*parts)[0]) : std::nullopt;
  const std::optional<std::int64_t> second = is_pair ? Integer(&(*parts)[1]) : std::nullopt;
  if (!first || !second) return Error{"it has something else where two times are expected", ""};
  return std::pair(*first, *second);
}

Result<SignalSamples> SamplesField(const Json& signal) {
  SignalSamples samples;
  samples.cause = engine::Cause::kNone;
  if (signal.Find("cause") != nullptr) {
    const Result<std::string_view> cause = TextField(signal, "cause");
    if (!cause) return cause.error();
    samples.cause = engine::CauseFromId(*cause);
    if (samples.cause == engine::Cause::kNone) return Lacks("cause", "a known one");
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

Result<void> RecordedTable::Read(const Json& record) {
  const Result<const Json*> table = ObjectField(record, "table");
  if (!table) return table.error();
  const Result<std::int64_t> interval_ms = IntegerField(**table, "interval_ms");
  if (!interval_ms) return interval_ms.error();
  if (*interval_ms <= 0) return Error{"its table's interval is not positive", ""};
  const Result<std::string_view> sufficient = TextField(**table, "sufficient");
  if (!sufficient) return sufficient.error();
  table_.interval_ms = *interval_ms;
  table_.sufficient = *sufficient;
  if ((*table)->Find("coverage_minimum") != nullptr) {
    const Result<double> minimum = NumberField(**table, "coverage_minimum");
    if (!minimum) return minimum.error();
    table_.coverage_minimum = *minimum;
    table_.coverage_series = "recorded";  // not empty: there is a coverage
  }
  if ((*table)->Find("coverage_maximum") != nullptr) {
    const Result<double> maximum = NumberField(**table, "coverage_maximum");
    if (!maximum) return maximum.error();
    table_.coverage_maximum = *maximum;
  }
  const Result<const Json::Array*> verdicts = ArrayField(**table, "verdicts");
  if (!verdicts) return verdicts.error();
  for (const Json& verdict : **verdicts) {
    const Result<std::string_view> id = TextField(verdict, "id");
    const Result<std::string_view> text = TextField(verdict, "text");
    if (!id || !text) return Error{"its table has a verdict without \"id\" or \"text\"", ""};
    verdicts_.push_back({.id = *id, .text = *text, .severity = {}, .exit_code = 0});
  }
  if (Result<void> read = ReadSignals(**table); !read) return read;
  if (Result<void> read = ReadThresholds(**table); !read) return read;
  table_.verdicts = verdicts_;
  table_.signals = signals_;
  table_.thresholds = thresholds_;
  return {};
}

Result<void> RecordedTable::ReadSignals(const Json& table) {
  const Result<const Json::Array*> signals = ArrayField(table, "signals");
  if (!signals) return signals.error();
  for (const Json& signal : **signals) {
    const Result<std::string_view> id = TextField(signal, "id");
    const Result<std::string_view> title = TextField(signal, "title");
    const Result<std::string_view> uncovered_id = TextField(signal, "uncovered");
    if (!id || !title || !uncovered_id) return Error{"its table has an incomplete signal", ""};
    const Result<Uncovered> uncovered = UncoveredFromId(*uncovered_id);
    if (!uncovered) return uncovered.error();
    const Result<Unit> unit = UnitField(signal);
    if (!unit) return unit.error();
    signals_.push_back({.id = *id, .title = *title, .series = {}, .unit = *unit, .uncovered = *uncovered});
  }
  return {};
}

Result<void> RecordedTable::ReadThresholds(const Json& table) {
  const Result<const Json::Array*> thresholds = ArrayField(table, "thresholds");
  if (!thresholds) return thresholds.error();
  for (const Json& threshold : **thresholds) {
    const bool above = threshold.Find("above") != nullptr;
    const Result<double> limit = NumberField(threshold, above ? "above" : "below");
    const Result<std::int64_t> hold_ms = IntegerField(threshold, "for_ms");
    const Result<std::string_view> id = TextField(threshold, "id");
    const Result<std::string_view> because = TextField(threshold, "because");
    const Result<std::string_view> signal_id = TextField(threshold, "signal");
    const Result<std::string_view> verdict_id = TextField(threshold, "verdict");
    if (!limit || !hold_ms || !id || !because || !signal_id || !verdict_id) {
      return Error{"its table has an incomplete threshold", ""};
    }
    const Result<std::uint16_t> signal = IndexOf(signals_, *signal_id);
    const Result<std::uint16_t> verdict = IndexOf(verdicts_, *verdict_id);
    if (!signal) return signal.error();
    if (!verdict) return verdict.error();
    thresholds_.push_back({.id = *id,
                           .alert = {},
                           .signal = *signal,
                           .verdict = *verdict,
                           .direction = above ? Direction::kAbove : Direction::kBelow,
                           .limit = *limit,
                           .hold_ms = *hold_ms,
                           .because = *because});
  }
  return {};
}

std::string TitleOf(const Json& record, std::string_view spec) {
  Labels labels;
  if (const Json* json = record.Find("labels"); json != nullptr && json->object() != nullptr) {
    for (const auto& [name, value] : *json->object()) {
      if (value.string() != nullptr) labels.emplace_back(name, *value.string());
    }
  }
  const Result<std::string_view> origin = TextField(record, "origin");
  const bool given = origin.ok() && *origin == "given" && !labels.empty();
  return fmt::format("{}: {}{}", PlainText(spec), StoreTitle(labels), given ? " (given values)" : "");
}

std::optional<std::int64_t> BreachedAtMs(const Json& record) {
  const Json* const second = record.Find("breached_at_ms");
  return Integer(second != nullptr ? second : record.Find("stood_ms"));  // its name in schema 1
}

}  // namespace outgrown::decision
