// The part of a threshold table that a log record carries, as a table again.
#pragma once

#include <string_view>
#include <vector>

#include "common/json_tree.h"
#include "common/result.h"
#include "thresholds/table.h"

namespace outgrown::audit {

// Its texts are views into the record, which must outlive it. Neither copied nor moved: table() points into it.
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

}  // namespace outgrown::audit
