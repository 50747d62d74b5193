// How many write transactions a SQLite store has committed, as the store itself counts them.
//
// WAL mode: iChange of the wal-index (-shm), one more with each commit of any process. It starts at 0 whenever a
// wal-index is begun (first connection, recovery); WalLives adds up its lives. With no log at all no process
// has the store open, and the counter of the wal-index that doesn't exist yet is 0. Rollback modes: the
// database header's change counter, one more with each commit. It never resets.
//
// The two count different things from different starts, so a value names its source: a change of journal mode must not
// look like a burst of commits.
//
// What is not counted: in rollback modes with locking_mode=EXCLUSIVE all but the first commit of a connection, which is
// why an exclusively locked store gives a reason and no value.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "exporter/sqlite/headers.h"
#include "exporter/sqlite/probe_file.h"
#include "exporter/sqlite/problem.h"

namespace outgrown::exporter::sqlite {

// A read transaction on a snapshot that is not the newest: no checkpoint copies frames beyond it.
struct OldReader {
  std::uint32_t frames = 0;  // of the log that it sees
  pid_t process = 0;         // 0: not known (ProbeFile::Lock)
  friend bool operator==(const OldReader&, const OldReader&) = default;
};

struct CommitCounter {
  enum class Source { kWalIndex, kHeader };
  Source source = Source::kWalIndex;
  std::uint32_t commits = 0;         // wraps at 2^32
  std::uint32_t change_counter = 0;  // of the header, which in WAL mode counts some of the commits only
  std::uint32_t frames = 0;          // of the write-ahead log
  std::uint32_t frames_backfilled = 0;
  std::optional<OldReader> oldest_reader = {};  // in WAL mode; nothing if all readers are up to date
  // As the database file's header says, in WAL mode as of the last checkpoint; 0 if it can't be read (encrypted).
  std::uint32_t page_bytes = 0;
  std::uint32_t free_pages = 0;
  FileIdentity database = {};  // the file that it was read of
};

// The wal-index at a store's path, as the watch has it open and has just read it.
struct WalIndexSeen {
  std::shared_ptr<const ProbeFile> file;
  WalIndex index;
};

// The log whose header was read last, and its salts, by which a wal-index belongs to it. While nothing has changed the log
// since, it isn't opened again: most of a thousand stores are idle from one scrape to the next.
struct KnownLog {
  FileStatus log;  // inode 0: none is known
  WalSalts salts = {};
};

// What this scrape has seen of a store already, so that it isn't asked again.
struct SeenFiles {
  bool is_database = false;            // StatusOf found a regular file
  std::optional<FileStatus> log = {};  // StatusOf's
  std::optional<WalIndexSeen> wal_index = {};
  KnownLog* known_log = nullptr;  // the store's, kept by the caller from scrape to scrape
  std::uint64_t now_unix_ns = 0;  // for that
};

// The counter now. `path` is the database file's, resolved (ResolvePath). The files are looked at again, all of them, for
// at most 40 ms while a writer is in the middle of something.
Measured<CommitCounter> ReadCommitCounter(const std::string& path, const SeenFiles& seen = {});

// Whether a connection of another process has the database open now: in WAL mode at any time between its first read and
// its end, in rollback modes during transactions only. Seen through bind mounts and hard links.
bool IsHeldOpen(const std::string& path);

// The process that holds the write lock now, 0 if it is not known which; nothing if it is free. In WAL mode the wal-index's
// write byte, with a rollback journal RESERVED.
std::optional<pid_t> WriteLockHolder(const std::string& path);

}  // namespace outgrown::exporter::sqlite
