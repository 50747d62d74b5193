// The last decision about each store, from the end of a decision log: what the exporter shows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/result.h"
#include "rulegen/decision_log/chain.h"

namespace outgrown::decision_log {

struct LastDecision {
  std::string spec;                                         // "checkpoint"
  std::vector<std::pair<std::string, std::string>> labels;  // that name the store, as they were logged
  std::string digest;                                       // of the spec that it was made by
  std::string verdict;                                      // a verdict's id, "sufficient" or "undetermined"
  std::int64_t time_ms = 0;                                 // the moment that the decision is about
};

struct LastDecisions {
  std::vector<LastDecision> decisions;  // one for each store, by spec and labels; the log's later one counts
  Link last;                            // the last record of any kind
};

inline constexpr std::size_t kLogTailBytes = std::size_t{2} << 20U;

// Reads the last `tail_bytes` of the log with pread, without its lock: what an append is in the middle of has no newline
// yet and is left out. Decisions from given measurements and runs that found no store are no decisions. Nothing if
// there is no log yet or no record in it. An error if the file can't be read, is no regular one, or its last record
// is damaged; one that a rotation has moved away is not looked for.
Result<std::optional<LastDecisions>> ReadLastDecisions(const std::filesystem::path& path,
                                                       std::size_t tail_bytes = kLogTailBytes);

}  // namespace outgrown::decision_log
