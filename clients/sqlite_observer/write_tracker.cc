#include "clients/sqlite_observer/write_tracker.h"

namespace outgrown::observer {

using block::Outcome;
using block::Start;

void WriteTracker::StatementStarted(bool locked) noexcept {
  // What came before in this transaction wrote elsewhere, to TEMP tables say: the write starts here.
  if (!write_ || !write_->traced || !write_->touched) {
    sink_.Prefetch();
    write_ = Write{.start = Start{clock_(), 0}, .traced = true};
    lock_refused_ = false;
  }
  if (locked) Touch();
}

void WriteTracker::LockAttempted(bool traced) noexcept {
  lock_refused_ = false;
  if (traced && write_ && write_->traced) {
    write_->asked = true;
    Touch();
    return;
  }
  // Not shown as in flight: if it is rolled back, no event marks its end.
  if (!write_ || !write_->traced) write_ = Write{.start = Start{clock_(), 0}, .touched = true};
}

void WriteTracker::Committed(bool changed, std::uint64_t bytes, std::uint64_t end_ns) noexcept {
  if (!changed) {
    // A traced write is settled by the end of its statement, which knows whether that failed.
    if (!write_) return;
    write_->began = write_->committed = true;
    if (!write_->traced) write_.reset();
    return;
  }
  const std::uint64_t now_ns = end_ns != 0 ? end_ns : clock_();
  // A commit that nothing announced counts too, with a duration of 0: the commits must agree with the store's
  // own counter.
  Count(write_ ? write_->start : Start{now_ns, 0}, Outcome::kOk, bytes, now_ns);
  write_.reset();
}

void WriteTracker::StatementEnded(const End& end) noexcept {
  if (!write_ || !write_->traced) return;
  // A statement that only reads matters if its failure took the transaction with it (no space to spill to), or is the
  // file's (a damaged page): then it has failed at what the transaction was for.
  const bool concerns_write = (end.writes && (write_->touched || end.concerns_file)) ||
                              (write_->touched && (!end.transaction_open || end.concerns_file));
  if (end.failure && concerns_write) write_->failure = end.failure;
  // Inside BEGIN ... COMMIT it goes on: a later statement may succeed and make it ok.
  write_->began = write_->began || end.transaction_open;
  if (!end.transaction_open) Finish();
}

void WriteTracker::StatementRestarts(bool transaction_open) noexcept {
  if (!write_ || !write_->traced || transaction_open) return;
  if (write_->start.mark != 0) sink_.Abandon(write_->start);
  write_->start.mark = 0;
  write_->touched = false;
}

void WriteTracker::TransactionVanished() noexcept {
  if (!write_ || !write_->traced) return;
  // No code is known here. A refused lock is busy; what else ends a transaction by itself is some error.
  if (write_->touched && !write_->failure && !write_->committed)
    write_->failure = lock_refused_ ? Outcome::kBusy : Outcome::kOther;
  Finish();
}

void WriteTracker::TraceLost() noexcept {
  if (!write_ || !write_->traced) return;
  sink_.Abandon(write_->start);
  write_->start.mark = 0;
  // Commits go on being counted; failures can't be, so the write may end as nothing.
  write_->traced = false;
}

void WriteTracker::Abandon() noexcept {
  if (write_ && write_->start.mark != 0) sink_.Abandon(write_->start);
  write_.reset();
}

void WriteTracker::Closed() noexcept {
  if (write_) Finish();
}

void WriteTracker::Touch() noexcept {
  if (write_->touched) return;
  // Shown as in flight from here on only: a statement that never asks for this file's lock writes elsewhere.
  write_->touched = true;
  write_->start = sink_.BeginAt(write_->start.start_ns);
}

void WriteTracker::Finish() noexcept {
  // A transaction that began has the lock: what refused it its commit is a reader, in a rollback journal's mode.
  const bool refused = write_->failure == Outcome::kBusy && changes_nothing_ && !write_->began;
  if (write_->failure && !refused) {
    Count(write_->start, *write_->failure, 0, clock_());
    write_.reset();
  } else if (refused || write_->began) {
    sink_.EndUnchanged(write_->start, refused);
    sink_.WriteEnded();
    write_.reset();
    changes_nothing_ = true;
  } else {
    Abandon();
  }
}

void WriteTracker::Count(const Start& start, Outcome outcome, std::uint64_t bytes,
                         std::uint64_t end_ns) noexcept {
  sink_.EndAt(start, outcome, bytes, end_ns);
  changes_nothing_ = false;
  sink_.WriteEnded();
}

}  // namespace outgrown::observer
