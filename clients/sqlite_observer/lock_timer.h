// How long the connections to one file wait for its write lock, and how long they hold it. SQLite has one writer: the
// share of time in which the lock is held is the store's utilisation, and the writes over the time that they held it are
// its ceiling (docs/ceiling.md).
//
// WAL: the exclusive lock on the wal-index's write byte. Rollback: from RESERVED to the release. Every hold counts, also a
// checkpoint's, a recovery's and that of a transaction that is rolled back, as they keep writers out; as a hold of a write
// counts one in which something was committed. With locking_mode=EXCLUSIVE the lock is never given back, and nothing is
// timed.
//
// Knows no SQLite. Called with the file's own lock order: by one thread at a time, as its connection is, or under its
// shared cache's lock.
#pragma once

#include <cstdint>

#include "clients/sqlite_observer/write_tracker.h"

namespace outgrown::observer {

class LockTimer {
 public:
  using Clock = std::uint64_t (*)();

  // `sink` outlives it.
  explicit LockTimer(Sink& sink, Clock clock = &block::NowNs) : sink_(sink), clock_(clock) {}

  // The lock is asked for; `again`: by what was refused it just before, as SQLite's busy handler does, so that the time
  // between the two is a part of the wait.
  [[gnu::hot]] void Asked(bool again) noexcept;
  // Nothing happens if it was not asked for: by a connection that is not counted.
  [[gnu::hot]] void Answered(bool taken) noexcept;
  // A transaction has committed a change.
  [[gnu::hot]] void Committed() noexcept;
  // `wrote`: it has committed a change that Committed will report only later, as in WAL mode. When it was; 0 if nothing
  // was timed.
  [[gnu::hot]] std::uint64_t Released(bool wrote) noexcept;

 private:
  Sink& sink_;
  Clock clock_;
  std::uint64_t waits_since_ns_ = 0;
  bool is_asked_ = false;
  bool is_refused_ = false;  // at the last Answered
  bool is_held_ = false;
  bool has_committed_ = false;  // in this hold
  block::Start hold_;
};

}  // namespace outgrown::observer
