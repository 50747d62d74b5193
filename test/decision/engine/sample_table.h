// The table that rules/checkpoint.toml compiles to, written by hand: the decision's tests stand on their own.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "thresholds/table.h"

namespace outgrown::test {

inline constexpr std::int64_t kIntervalMs = 30'000;

// Indices into SampleTable().signals and .thresholds.
enum SampleSignal : std::uint16_t { kErrorRatio, kWritesPerSecond, kServers, kFileSize, kWriteP99 };
enum SampleThreshold : std::uint16_t {
  kWriteErrors,
  kThroughput,
  kMultiServer,
  kThroughputApproaching,
  kFileSizeLimit,
  kWriteLatency
};

// clang-format off
inline constexpr std::array<std::string_view, 3> kSampleIdentity = {"job", "instance", "database"};
inline constexpr std::array kSampleVerdicts = {
    VerdictRow{"migrate_soon", "MIGRATE SOON", "warning", 10},
    VerdictRow{"migrate_now", "MIGRATE NOW", "critical", 20},
};
inline constexpr std::array kSampleSignals = {
    SignalRow{"write_error_ratio", "Write errors", "checkpoint:write_error_ratio", Unit::kRatio, Uncovered::kUnknown},
    SignalRow{"writes_per_second", "Writes per second", "checkpoint:writes_per_second", Unit::kPerSecond, Uncovered::kLowerBound},
    SignalRow{"servers", "Servers", "checkpoint:servers", Unit::kCount, Uncovered::kValid},
    SignalRow{"file_size_bytes", "File size", "checkpoint:file_size_bytes", Unit::kBytes, Uncovered::kValid},
    SignalRow{"write_p99_seconds", "P99 write latency", "checkpoint:write_p99_seconds", Unit::kSeconds, Uncovered::kUnknown},
};
inline constexpr std::array kSampleThresholds = {
    ThresholdRow{"WriteErrors", "CheckpointWriteErrors", kErrorRatio, 1, Direction::kAbove, 0.01, 300'000, "Write errors >1% (SQLite saturated)"},
    ThresholdRow{"Throughput", "CheckpointThroughput", kWritesPerSecond, 1, Direction::kAbove, 100, 600'000, "Throughput >100/sec (capacity ceiling)"},
    ThresholdRow{"MultiServer", "CheckpointMultiServer", kServers, 1, Direction::kAbove, 1, 0, "Multi-server requires network DB"},
    ThresholdRow{"ThroughputApproaching", "CheckpointThroughputApproaching", kWritesPerSecond, 0, Direction::kAbove, 80, 600'000, "Throughput >80/sec (approaching capacity ceiling)"},
    ThresholdRow{"FileSize", "CheckpointFileSize", kFileSize, 0, Direction::kAbove, 5368709120, 0, "File size >5GB (performance degradation likely)"},
    ThresholdRow{"WriteLatency", "CheckpointWriteLatency", kWriteP99, 0, Direction::kAbove, 0.1, 600'000, "P99 write latency >100ms (lock contention likely)"},
};
// clang-format on

inline constexpr Table kSampleTable = {
    .store = "checkpoint",
    .title = "SQLite checkpoint store",
    .sufficient = "SQLite sufficient",
    .next = "PostgreSQL",
    .present = "checkpoint_block_up",
    .digest = "3f9c2a1b00000000000000000000000000000000000000000000000000000000",
    .interval_ms = kIntervalMs,
    .scrape_interval_ms = 15'000,
    .keep_firing_for_ms = 900'000,
    .coverage_series = "checkpoint:coverage_ratio",
    .coverage_minimum = 0.95,
    .identity = kSampleIdentity,
    .verdicts = kSampleVerdicts,
    .signals = kSampleSignals,
    .thresholds = kSampleThresholds,
};

inline constexpr std::string_view kSampleReasons = "checkpoint:coverage_reason";
inline constexpr std::string_view kSampleSplit = "checkpoint:write_error_ratio:split";
inline constexpr std::array kSampleReasonRows = {
    ReasonRow{"other_file", "the application writes to another file than the exporter reads"},
    ReasonRow{"trace_lost", "the observer lost its place"},
};

inline constexpr std::array kSampleAdvice = {
    AdviceRow{kWritesPerSecond, "busy_snapshot", "advice for another signal"},
    AdviceRow{kErrorRatio, "busy", "shorten the transactions"},
    AdviceRow{kErrorRatio, "busy_snapshot", "begin it with BEGIN IMMEDIATE"},
};

// The sample table with what its expressions look back, a split, and reasons.
inline const Table& SampleTableWithWindows() {
  static const auto signals = [] {
    auto rows = kSampleSignals;
    rows[kErrorRatio].split_series = kSampleSplit;
    for (SignalRow& row : rows) row.window_ms = row.uncovered == Uncovered::kValid ? 0 : 300'000;
    return rows;
  }();
  static const Table table = [] {
    Table changed = kSampleTable;
    changed.signals = signals;
    changed.coverage_window_ms = 300'000;
    changed.coverage_maximum = 1.05;
    changed.reason_series = kSampleReasons;
    changed.reasons = kSampleReasonRows;
    changed.advice = kSampleAdvice;
    return changed;
  }();
  return table;
}

}  // namespace outgrown::test
