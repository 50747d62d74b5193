#include "clients/sqlite_observer/lock_timer.h"

#include <utility>

namespace outgrown::observer {

void LockTimer::Asked(bool again) noexcept {
  is_asked_ = true;
  if (!again || !is_refused_) waits_since_ns_ = clock_();
}

void LockTimer::Answered(bool taken) noexcept {
  if (!std::exchange(is_asked_, false)) return;
  const std::uint64_t now_ns = clock_();
  const std::uint64_t wait_ns = now_ns - waits_since_ns_;
  waits_since_ns_ = now_ns;
  is_refused_ = !taken;
  if (!taken) return sink_.LockWaited(wait_ns);
  is_held_ = true;
  has_committed_ = false;
  hold_ = sink_.LockHeldAt(now_ns, wait_ns);
}

void LockTimer::Committed() noexcept {
  if (!is_held_) return;
  if (has_committed_) {
    // A second transaction in one hold: the lock is not given back between them (locking_mode=EXCLUSIVE).
    sink_.ForgetHold(hold_);
    is_held_ = false;
  }
  has_committed_ = true;
}

std::uint64_t LockTimer::Released(bool wrote) noexcept {
  if (!is_held_) return 0;
  is_held_ = false;
  const std::uint64_t now_ns = clock_();
  sink_.LockReleasedAt(hold_, wrote || has_committed_, now_ns);
  return now_ns;
}

}  // namespace outgrown::observer
