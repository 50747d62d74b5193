#include "common/interrupt.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>

#include "common/check.h"

namespace outgrown {
namespace {

// The signal that came; 0: none. A handler may store to a lock-free atomic.
std::atomic<int> received = 0;
static_assert(std::atomic<int>::is_always_lock_free);

void Note(int signal_number) { received = signal_number; }

}  // namespace

bool Interrupted() { return received != 0; }

InterruptScope::InterruptScope() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = Note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: what waits shall look at the flag
  for (std::size_t index = 0; index < kSignals.size(); ++index) {
    ::sigaction(kSignals[index], nullptr, &before_[index]);
    if (before_[index].sa_handler != SIG_IGN) ::sigaction(kSignals[index], &action, nullptr);
  }
}

InterruptScope::~InterruptScope() {
  PutBack();
  received = 0;
}

void InterruptScope::EndBySignal() {
  OUTGROWN_CHECK(Interrupted());
  PutBack();
  ::raise(received);
  std::abort();  // the signal was blocked or handled, which the owner of a scope must not do
}

void InterruptScope::PutBack() {
  for (std::size_t index = 0; index < kSignals.size(); ++index)
    ::sigaction(kSignals[index], &before_[index], nullptr);
}

}  // namespace outgrown
