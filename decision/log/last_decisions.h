// The last decision about each store, from the end of a decision log: what the exporter shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "decision/log/chain.h"
#include "decision/log/record_head.h"

namespace outgrown::decision_log {

struct LastDecision {
  std::string spec;          // "checkpoint"
  Labels labels;             // that name the store, as they were logged
  std::string digest;        // of the spec that it was made by
  std::string verdict;       // a verdict's id, "sufficient" or "undetermined"
  std::int64_t time_ms = 0;  // the moment that the decision is about
};

struct LastDecisions {
  std::vector<LastDecision> decisions;  // one for each store, by spec and labels; the log's later one counts
  Link last;                            // the last record of any kind
};

// How far back the log is read, over its newest segment and the rotated one before: some 20,000 records.
inline constexpr std::int64_t kLogReachBytes = std::int64_t{64} << 20U;
// The longest last record; longer ones before it are read as far as their verdict.
inline constexpr std::int64_t kLastRecordBytesMax = std::int64_t{4} << 20U;
// More stores than this are no fleet but an attack on memory.
inline constexpr std::size_t kDecisionsMax = 100'000;

// Reads the last `reach_bytes` of the log with pread, without its lock: what an append is in the middle of has no newline
// yet and is left out. Where the segment at `path` is shorter, or a rotation has just moved it away, the newest rotated
// segment follows. Decisions from given measurements and runs that found no store are no decisions. Nothing if
// there is no log yet or no record in it. An error if a file can't be read or is no regular one, if the last record
// is damaged or too long, or if there are too many stores. Only the last record's hash is verified.
Result<std::optional<LastDecisions>> ReadLastDecisions(const std::filesystem::path& path,
                                                       std::int64_t reach_bytes = kLogReachBytes);

}  // namespace outgrown::decision_log
