// The decision log: JSON Lines, one record a decision, each holding the hash of the one before.
//
//   {"schema":2,"sequence":118,"previous":"<64 hex>","logged":"<RFC 3339>",MEMBERS,"hash":"<64 hex>"}\n
//
// "previous" is the "hash" of the record before (64 zeros for the first of all), "hash" the SHA-256 of the line's bytes
// before `,"hash":`. So a changed, removed or inserted line breaks the chain. It is unkeyed: someone who rewrites
// everything after a record is not noticed unless the last hash is kept elsewhere. A chain may hold records of
// schema 1 before those of schema 2.
//
//   decisions.jsonl                 the log; what a symbolic link names, if it is one
//   decisions.jsonl.000000000118    a rotated segment, named by its last record's number
//   decisions.newest.json           the newest decision about each store, and the last record's number and hash
//
// A decision is printed only after its record has reached the disk. Writers exclude each other with flock(2)
// on the log; a record is one write(2). What a crash left unfinished at the end was never acknowledged; the
// next append cuts it off and says so in its record ("dropped_bytes"). A failed write is truncated away.
// Appending to a damaged log is refused.
//
// Each append replaces the newest-decision file before it frees the lock. That file is also a second place
// that knows where the chain ended, so that a log that was emptied or moved away continues with the next
// number ("log_missing") and one that was truncated or replaced is found ("last_known").
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

namespace outgrown::decision_log {

// --- The chain (chain.cc) ---

// A record's place in the chain.
struct Link {
  std::int64_t sequence = 0;  // 0: before the first
  std::string hash = std::string(64, '0');

  friend bool operator==(const Link&, const Link&) = default;
};

struct SealedRecord {
  Link link;
  std::string previous;  // the hash of the record before
};

// The line, without the newline. `members` is JSON members' text, without braces.
std::string SealRecord(const Link& before, std::int64_t logged_ms, std::string_view members, Link& sealed);

// Takes a line (without its newline) apart and verifies its own hash; an error says what is wrong with it.
Result<SealedRecord> OpenRecord(std::string_view line);

// What bytes at the end of a log are that form no whole valid record.
enum class Remainder {
  kUnfinished,  // a record that a crash cut short, or whose blocks a power cut left zero: never acknowledged
  kDamaged,     // anything else: bytes that were a record once, or never belonged here
};

// `bytes`: a line that is no valid record, without its newline if it has one. Only the very last may lack it.
Remainder ClassifyRemainder(std::string_view bytes, bool ends_with_newline);

// --- Reading (read.cc) ---

struct LogLine {
  const std::filesystem::path& file;
  std::int64_t number;       // from 1, within the file
  const std::string& bytes;  // without the newline
  bool ends_with_newline;    // false: the file's end
  bool last_of_file;
};

// Calls `take` for each line of `file`. An error if it can't be read; a log that grows meanwhile is read up to some
// moment's end.
Result<void> ForEachLine(const std::filesystem::path& file, const std::function<void(const LogLine&)>& take);

// The file that a path means: where it is a symbolic link, what that names, there or not. So a log is rotated where it
// lies, and all names of it have one lock, one set of segments and one newest-decision file.
std::filesystem::path ResolveLog(std::filesystem::path path);

// The rotated segments of the log at `path`, oldest first; without `path` itself.
Result<std::vector<std::filesystem::path>> LogSegments(const std::filesystem::path& path);

// The files that hold the chain of the log at `path`, oldest first: its segments and, if it exists, itself. An error
// if there is none.
Result<std::vector<std::filesystem::path>> LogFiles(const std::filesystem::path& path);

// Where the chain ends in a log's file, and what a crash left behind it.
struct LogTail {
  Link link;                       // of the last record; the chain's beginning if there is none
  std::int64_t end_bytes = 0;      // where the next record belongs
  std::int64_t dropped_bytes = 0;  // of an unfinished record after that
  bool ends_with_newline = true;   // false: the last record is whole but for its newline
};

// Reads from the file's end back to the last record's beginning. An error if that record is damaged or what follows it
// is nothing that a crash could have left. `path` is for errors only.
Result<LogTail> ReadLogTail(int fd, const std::filesystem::path& path);

// The newest record of the log's files that another program rotated, by renaming them within the folder ("LOG.1",
// "LOG-20261130"). Number 0: there are such files, of the log or of the newest decisions, and none can be read. Nothing:
// there is none.
std::optional<Link> LastOfRotated(const std::filesystem::path& path);

// --- The newest decisions (newest.cc) ---

using Labels = std::vector<std::pair<std::string, std::string>>;

// Of one store. A time that lies after the record's own ("logged") counts as that one.
struct NewestDecision {
  std::string spec;             // "checkpoint"
  Labels labels;                // that name the store, by name
  std::string digest;           // of the spec that it was made by
  std::string verdict;          // a verdict's id, "sufficient" or "undetermined"
  std::int64_t time_ms = 0;     // the moment that it is about
  std::int64_t logged_ms = 0;   // when its record was written
  std::int64_t instant_ms = 0;  // of the newest one that was not asked for with --at; 0: none
  std::int64_t period_ms = 0;   // the end of the newest period among those; 0: none
};

struct NewestDecisions {
  Link last;                              // the log's last record of any kind
  std::vector<NewestDecision> decisions;  // one for each store, by spec and labels
};

// "decisions.newest.json" beside "decisions.jsonl".
std::filesystem::path NewestPath(const std::filesystem::path& log);

// Reads the file of the log at `log`, without any lock. Nothing if there is none or it is another log's. An error if it
// can't be read or is no such file, and if `log` is no regular file.
Result<std::optional<NewestDecisions>> ReadNewest(const std::filesystem::path& log);

// The same for --since last: built from the log where the file is missing or unreadable, as in
// the first run after an upgrade. Empty if there is no log.
NewestDecisions LoadNewest(const std::filesystem::path& log);

// --- Appending (append.cc) ---

inline constexpr std::int64_t kRotateBytes = 64LL << 20U;

// decisions.jsonl in $STATE_DIRECTORY (its first folder; systemd sets it), else in $XDG_STATE_HOME/outgrown, else in
// $HOME/.local/state/outgrown. An error if the environment names none of them.
Result<std::filesystem::path> DefaultLogPath();

struct Appended {
  std::vector<Link> links;            // of each record
  std::vector<std::string> warnings;  // for standard error: what was unexpected about the log
};

// What the newest-decision file takes from a decision from Prometheus: the same as the record's members say.
struct Decided {
  NewestDecision decision;   // without what the time of logging adds
  bool looked_back = false;  // with --at: no newer one than those before
  bool period = false;       // --since
};

struct Record {
  std::string members;             // JSON members' text
  std::optional<Decided> decided;  // nothing for any other record
};

// One of the records that are appended.
using RecordOf = std::function<Record(std::size_t index)>;

// Appends `count` records and syncs them to the disk; makes missing folders; then replaces the newest-decision file, which is
// built from the log where it is missing or behind. On an error none of the records counts as logged; if only that file can't be
// replaced, there is a warning. `record_of` is asked for each once, in their order, while the log is locked and those before
// are written by another thread. Ignores SIGXFSZ meanwhile, so not beside a thread that changes that signal's handling.
Result<Appended> AppendRecords(const std::filesystem::path& path, std::size_t count,
                               const RecordOf& record_of, std::int64_t logged_ms,
                               std::int64_t rotate_bytes = kRotateBytes);

// The same of records that are there; what they decided is read from them.
Result<Appended> AppendRecords(const std::filesystem::path& path, std::vector<std::string> members,
                               std::int64_t logged_ms, std::int64_t rotate_bytes = kRotateBytes);

}  // namespace outgrown::decision_log
