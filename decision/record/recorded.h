// What a record of the decision log says, read back, whichever of schema 1 and 2 it has. Each function gives
// the value or an error that names what is missing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/json.h"
#include "common/result.h"
#include "decision/engine/window.h"
#include "decision/evaluation.h"
#include "decision/measure/measure.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// The views and pointers live as long as the record.
Result<std::string_view> TextField(const Json& object, std::string_view key);
Result<double> NumberField(const Json& object, std::string_view key);
Result<std::int64_t> IntegerField(const Json& object, std::string_view key);
// Nothing where the key is absent.
Result<std::optional<std::int64_t>> OptionalIntegerField(const Json& object, std::string_view key);
Result<const Json::Array*> ArrayField(const Json& object, std::string_view key);
Result<const Json*> ObjectField(const Json& object, std::string_view key);

// The record's "time_ms". An error also if its "time" is another instant, or it is none of the years 0 to 9999.
Result<std::int64_t> TimeField(const Json& record);

// Where the values came from.
Result<Origin> OriginField(const Json& record);

// A pair of time and value.
Result<Sample> ReadSample(const Json& pair);

// A pair of times.
Result<std::pair<std::int64_t, std::int64_t>> ReadTimes(const Json& pair);

// "samples" and "cause" of a recorded signal.
Result<SignalSamples> SamplesField(const Json& signal);

// The part of a threshold table that a record carries, as a table again. Its texts are views into the record,
// which must outlive it. Neither copied nor moved: table() points into it.
class RecordedTable {
 public:
  RecordedTable() = default;
  RecordedTable(const RecordedTable&) = delete;
  RecordedTable& operator=(const RecordedTable&) = delete;

  // Reads the record's "table"; an error names what is missing or refers to nothing.
  Result<void> Read(const Json& record);

  const Table& table() const { return table_; }

 private:
  Result<void> ReadSignals(const Json& table);
  Result<void> ReadThresholds(const Json& table);

  std::vector<VerdictRow> verdicts_;
  std::vector<SignalRow> signals_;
  std::vector<ThresholdRow> thresholds_;
  Table table_ = {};
};

// "checkpoint: a @ app-1:9108 (app)": the spec and what names the store.
std::string TitleOf(const Json& record, std::string_view spec);

// The evaluation that the record's findings and samples are of: the one at which its verdict's breach began,
// where it is about a period with a breach. Nothing otherwise.
std::optional<std::int64_t> BreachedAtMs(const Json& record);

}  // namespace outgrown::decision
