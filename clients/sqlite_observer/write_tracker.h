// Which writes there were, from what one connection did to one database file. One write is one outermost write
// transaction:
//
//   ok        it committed a change, whatever failed on the way
//   a failure it ended without one, and a statement that writes, its COMMIT, or a reading of the file had failed: the last
//             failure's kind. Or it never began, because its first statement did not get the lock: counted at once, and a
//             further attempt is a write of its own, though the application may make it inside the same BEGIN.
//   unchanged it ended without a change and without a failure: rolled back on purpose, or nothing to write. Neither a
//             success nor a failure, but had it not got the lock it would have been one
//   refused   it did not get the lock, and the connection's last write that had it was unchanged. SQLite doesn't say
//             what it would have done. A connection's writes all wait as long, so that the share that is refused is
//             the same of those that change something
//
// It starts with the first statement that writes (BEGIN IMMEDIATE is one, BEGIN is not), so that waiting for the
// lock is part of its duration, and ends with COMMIT. A COMMIT that gets BUSY leaves it open: a retry that
// succeeds makes it ok. "Committed a change" is SQLite's own view, so that the count agrees with the commit
// counter that the store keeps itself: an empty transaction is no commit there either.
//
//              StatementStarted          LockAttempted
//      idle ───────────────────► open ─────────────────► touched, shown as in flight
//        ▲                        │                         │
//        └────────────────────────┴─────────────────────────┘  Committed(changed), or StatementEnded with no write
//                                                              transaction open: counted
//
// Knows no SQLite. Used by one thread at a time, as the connection is.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "counterblock/writer.h"

namespace outgrown::observer {

// --- Where one store's counts go: the seam between what happens in SQLite and the counter block.

// Any thread. No call throws, blocks on another process or changes errno. Times are block::NowNs's.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // A write may begin soon, on this thread: what it will touch is fetched into the processor's caches.
  virtual void Prefetch() const noexcept {}
  // Shows a write as in flight.
  virtual block::Start BeginAt(std::uint64_t start_ns) noexcept = 0;
  // Counts a write that has written so many bytes of pages. A Start that BeginAt did not make (mark 0) had not been shown.
  virtual void EndAt(const block::Start& start, block::Outcome outcome, std::uint64_t bytes,
                     std::uint64_t end_ns) noexcept = 0;
  // Takes the mark away and counts nothing; EndUnchanged: counts a write without a change, or one that was refused the lock.
  virtual void Abandon(const block::Start& start) noexcept = 0;
  virtual void EndUnchanged(const block::Start& start, bool refused) noexcept = 0;

  // The store's write lock: it was waited for in vain; it is held since then, after that wait; it was released, `wrote`: with
  // a change committed. ForgetHold: what is held is not timed.
  virtual void LockWaited(std::uint64_t wait_ns) noexcept = 0;
  virtual block::Start LockHeldAt(std::uint64_t since_ns, std::uint64_t wait_ns) noexcept = 0;
  virtual void LockReleasedAt(const block::Start& hold, bool wrote, std::uint64_t end_ns) noexcept = 0;
  virtual void ForgetHold(const block::Start& hold) noexcept = 0;

  // One more connection cannot be fully observed any more; and one less.
  virtual void TraceLost() noexcept = 0;
  virtual void TraceRegained() noexcept = 0;

  // The process has opened the store's database file once more; and has closed one.
  virtual void FileOpened(const block::FileId& file) noexcept = 0;
  virtual void FileClosed(const block::FileId& file) noexcept = 0;
  // One more open connection is not counted; and one less.
  virtual void Refused(block::Refusal reason) noexcept = 0;
  virtual void RefusalEnded(block::Refusal reason) noexcept = 0;

  // This process has ended a write of the store, whatever its outcome: it is no mere reader.
  void WriteEnded() noexcept {
    // Not written again and again: all threads share it.
    if (!has_written()) has_written_.store(true, std::memory_order_relaxed);
  }
  bool has_written() const noexcept { return has_written_.load(std::memory_order_relaxed); }

 private:
  std::atomic<bool> has_written_ = false;
};

// Counts into the store's counter block.
class BlockSink final : public Sink {
 public:
  explicit BlockSink(block::Writer writer) : writer_(std::move(writer)) {}

  [[gnu::hot]] void Prefetch() const noexcept override { writer_.Prefetch(); }
  [[gnu::hot]] block::Start BeginAt(std::uint64_t start_ns) noexcept override {
    return writer_.BeginAt(start_ns);
  }
  [[gnu::hot]] void EndAt(const block::Start& start, block::Outcome outcome, std::uint64_t bytes,
                          std::uint64_t end_ns) noexcept override {
    writer_.EndAt(start, outcome, bytes, end_ns);
  }
  void Abandon(const block::Start& start) noexcept override { writer_.Abandon(start); }
  void EndUnchanged(const block::Start& start, bool refused) noexcept override {
    writer_.EndUnchanged(start, refused);
  }
  void LockWaited(std::uint64_t wait_ns) noexcept override { writer_.LockWaited(wait_ns); }
  [[gnu::hot]] block::Start LockHeldAt(std::uint64_t since_ns, std::uint64_t wait_ns) noexcept override {
    return writer_.LockHeldAt(since_ns, wait_ns);
  }
  [[gnu::hot]] void LockReleasedAt(const block::Start& hold, bool wrote,
                                   std::uint64_t end_ns) noexcept override {
    writer_.LockReleasedAt(hold, wrote, end_ns);
  }
  void ForgetHold(const block::Start& hold) noexcept override { writer_.ForgetHold(hold); }
  void TraceLost() noexcept override { writer_.TraceLost(); }
  void TraceRegained() noexcept override { writer_.TraceRegained(); }
  void FileOpened(const block::FileId& file) noexcept override { writer_.FileOpened(file); }
  void FileClosed(const block::FileId& file) noexcept override { writer_.FileClosed(file); }
  void Refused(block::Refusal reason) noexcept override { writer_.Refused(reason); }
  void RefusalEnded(block::Refusal reason) noexcept override { writer_.RefusalEnded(reason); }

 private:
  block::Writer writer_;
};

class WriteTracker {
 public:
  using Clock = std::uint64_t (*)();

  // `sink` outlives it.
  explicit WriteTracker(Sink& sink, Clock clock = &block::NowNs) : sink_(sink), clock_(clock) {}

  // An outermost statement that may write starts. `locked`: the connection holds the file's lock for good
  // (locking_mode=EXCLUSIVE), so that no attempt to lock shows that this file is meant.
  [[gnu::hot]] void StatementStarted(bool locked) noexcept;

  // The lock that a write transaction needs is being asked for. `traced`: by a statement that StatementStarted
  // has announced; otherwise the write is nobody's statement (the backup API, incremental blob I/O), or the
  // trace is lost.
  [[gnu::hot]] void LockAttempted(bool traced) noexcept;
  void LockRefused() noexcept { lock_refused_ = true; }
  // It has been given back: by the end of a transaction, a checkpoint, a recovery, or a change of the journal's mode.
  void LockReleased() noexcept {
    if (write_) write_->asked = false;
  }

  // A write transaction on this file has committed; `changed`: with at least one page written. `bytes`: of its pages, as
  // far as they were seen. `end_ns`: when, if the caller has just read the clock.
  [[gnu::hot]] void Committed(bool changed, std::uint64_t bytes, std::uint64_t end_ns = 0) noexcept;

  struct End {
    std::optional<block::Outcome> failure = {};  // why the statement failed, if it did
    bool writes = false;         // it may write, or controls the transaction; otherwise it only reads
    bool concerns_file = false;  // the failure is of a kind that concerns this file though it was not locked
    bool transaction_open = false;  // the connection has a write transaction open on this file after it
  };
  [[gnu::hot]] void StatementEnded(const End& end) noexcept;
  // It ended only to be compiled and run again, because the schema had changed. If it cannot be compiled it
  // never ran.
  void StatementRestarts(bool transaction_open) noexcept;

  // The transaction is gone without an end of a statement: it failed, or committed without a change, while a statement was reset.
  void TransactionVanished() noexcept;

  // The trace no longer shows where a write ends.
  void TraceLost() noexcept;

  // What is open is not to be counted.
  void Abandon() noexcept;

  // The file is closed; what was open is rolled back.
  void Closed() noexcept;

  // Inside a write that has asked for this file's lock.
  bool is_touched() const { return write_ && write_->touched; }
  bool is_open() const { return write_.has_value(); }
  bool lock_refused() const { return lock_refused_; }
  // It has asked for this file's lock, was not refused, and has not given it back.
  bool has_lock() const { return write_ && write_->asked && !lock_refused_; }

 private:
  struct Write {
    block::Start start;
    bool traced = false;
    bool touched = false;
    bool asked = false;      // for the lock
    bool began = false;      // its transaction on this file, with the lock
    bool committed = false;  // without a change
    std::optional<block::Outcome> failure = {};
  };

  [[gnu::hot]] void Touch() noexcept;
  void Finish() noexcept;
  [[gnu::hot]] void Count(const block::Start& start, block::Outcome outcome, std::uint64_t bytes,
                          std::uint64_t end_ns) noexcept;

  Sink& sink_;
  Clock clock_;
  std::optional<Write> write_;
  bool lock_refused_ = false;     // the last attempt to lock was refused
  bool changes_nothing_ = false;  // the last write that had the lock
};

}  // namespace outgrown::observer
