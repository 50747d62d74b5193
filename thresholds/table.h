// The threshold table: the spec's part that decisions need, as aligned rows of constant data.
//
// The rows are compiled in (CompiledTable) or made from a spec at run time (spec_table.h); the decision engine sees no
// difference. Rows refer to each other by index into the same Table, checked at compile time for
// compiled tables. Plain data without constructors that run: safe to use from any thread, at any time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace outgrown {

enum class Direction : std::uint8_t { kAbove, kBelow };
enum class Unit : std::uint8_t { kRatio, kPerSecond, kSeconds, kBytes, kCount };

// What a signal is worth while the application's counting is incomplete (coverage below the minimum).
enum class Uncovered : std::uint8_t {
  kValid,       // does not rest on the counting: the file's size, the servers
  kUnknown,     // worth nothing: the error ratio, the latency
  kLowerBound,  // can only be too small: a breach above its limit is proven, anything else is unknown
};

// From mild to severe: a greater index is more severe.
struct VerdictRow {
  std::string_view id;        // "migrate_now"
  std::string_view text;      // "MIGRATE NOW"
  std::string_view severity;  // "critical"
  int exit_code;              // of --evaluate --exit-code
};

inline constexpr std::uint16_t kNoSignal = 0xffff;

struct SignalRow {
  std::string_view id;      // "write_error_ratio"
  std::string_view title;   // "Write errors"
  std::string_view series;  // the recorded series: "checkpoint:write_error_ratio"
  Unit unit;
  Uncovered uncovered;
  std::string_view split_series = {};  // its shares by the label `reason`; "" if it is not split
  std::int64_t window_ms = 0;  // how far its expression looks back; 0 if it reads newest samples alone
  std::uint16_t ceiling =
      kNoSignal;  // the signal that says how far this one can go, index into Table::signals
};

// Why the coverage is what it is: a value of the label `reason` of Table::reason_series.
struct ReasonRow {
  std::string_view id;        // "other_file"
  std::string_view sentence;  // "the application writes to another file than the exporter reads"
};

// What to do where the largest share of a split signal has this reason.
struct AdviceRow {
  std::uint16_t signal;       // index into Table::signals
  std::string_view reason;    // "busy_snapshot"
  std::string_view sentence;  // "begin transactions that write with BEGIN IMMEDIATE"
};

struct ThresholdRow {
  std::string_view id;     // "WriteErrors"
  std::string_view alert;  // "CheckpointWriteErrors"
  std::uint16_t signal;    // index into Table::signals
  std::uint16_t verdict;   // index into Table::verdicts
  Direction direction;
  double limit;              // in the signal's unit; breached strictly beyond it
  std::int64_t hold_ms;      // the alert's `for`
  std::string_view because;  // "Write errors >1% (SQLite saturated)"
};

struct Table {
  std::string_view store;       // "checkpoint"
  std::string_view title;       // "SQLite checkpoint store"
  std::string_view sufficient;  // "SQLite sufficient"
  std::string_view next;        // "PostgreSQL"
  std::string_view present;     // "checkpoint_block_up"
  std::string_view digest;      // the spec's, 64 hexadecimal digits
  std::int64_t interval_ms;     // between recorded samples
  std::int64_t scrape_interval_ms;
  std::int64_t keep_firing_for_ms;   // 0: alerts resolve at once
  std::string_view coverage_series;  // "checkpoint:coverage_ratio"; "" if the spec has no coverage
  double coverage_minimum;
  // Above it more was counted than the store has seen. Infinite: nothing is too much.
  double coverage_maximum = std::numeric_limits<double>::infinity();
  std::int64_t coverage_window_ms = 0;  // SignalRow::window_ms of the coverage
  std::string_view reason_series = {};  // "checkpoint:coverage_reason"; "" if the spec gives no reasons
  std::span<const ReasonRow> reasons =
      {};                          // in the order of the spec; a reason without a row reads as itself
  std::string_view modified = {};  // "checkpoint_file_modified_timestamp_seconds"; "" if the spec names none
  std::span<const std::string_view> identity;
  std::span<const VerdictRow> verdicts;
  std::span<const SignalRow> signals;
  std::span<const AdviceRow> advice = {};
  std::span<const ThresholdRow> thresholds;
};

// The units that a signal may have, as the spec spells them, in the order of the enumeration.
inline constexpr std::array<std::string_view, 5> kUnitNames = {"ratio", "per_second", "seconds", "bytes",
                                                               "count"};
static_assert(static_cast<std::size_t>(Unit::kCount) + 1 == kUnitNames.size());

constexpr std::string_view UnitName(Unit unit) { return kUnitNames.at(static_cast<std::size_t>(unit)); }

// The unit of that name; nothing if there is none.
constexpr std::optional<Unit> ParseUnit(std::string_view name) {
  for (std::size_t i = 0; i < kUnitNames.size(); ++i) {
    if (kUnitNames[i] == name) return static_cast<Unit>(i);
  }
  return std::nullopt;
}

// More signals or thresholds than this don't compile in, so that what is decided in process needs no allocation.
inline constexpr std::size_t kCompiledRowsMax = 256;

// The table that was compiled in from rules/checkpoint.toml. Constant data: valid from before main until the
// end, from any thread.
const Table& CompiledTable();

}  // namespace outgrown
