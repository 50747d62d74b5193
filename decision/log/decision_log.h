// The decision log: JSON Lines, one record a decision, each holding the hash of the one before (chain.h).
//
// A decision is printed only after its record has reached the disk. Writers exclude each other with flock(2) on the
// file; a record is one write(2). What a crash left unfinished at the end was never acknowledged; the next append
// cuts it off and says so in its record ("dropped_bytes"). A write that fails is taken back. Appending to a damaged
// log is refused: `rulegen --audit` tells what is wrong.
//
// Rotation: a log of 64 MiB is renamed to PATH.SEQUENCE (its last record's, twelve digits) and the chain goes on in a
// new file at PATH. A new or empty file takes up the chain of the newest such segment beside it. If that is not within a
// rotation, the log that followed the segment was moved away, or a rotation was cut short; which of them can't be told. The
// record says "log_missing" then, since those of a moved log may have the same numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "decision/log/chain.h"

namespace outgrown::decision_log {

inline constexpr std::int64_t kRotateBytes = 64LL << 20U;

// decisions.jsonl in $STATE_DIRECTORY (its first folder; systemd sets it), else in $XDG_STATE_HOME/outgrown, else in
// $HOME/.local/state/outgrown. An error if the environment names none of them.
Result<std::filesystem::path> DefaultLogPath();

// Appends one record for each of `members` (JSON members' text) and syncs them to the disk; makes missing folders. Gives
// the link of each. On an error none of them counts as logged. Ignores SIGXFSZ meanwhile, so not beside a
// thread that changes that signal's handling.
Result<std::vector<Link>> AppendRecords(const std::filesystem::path& path, std::vector<std::string> members,
                                        std::int64_t logged_ms, std::int64_t rotate_bytes = kRotateBytes);

// The rotated segments of the log at `path`, oldest first; without `path` itself.
Result<std::vector<std::filesystem::path>> LogSegments(const std::filesystem::path& path);

}  // namespace outgrown::decision_log
