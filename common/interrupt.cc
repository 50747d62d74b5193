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

// Nothing else is async-signal-safe here: no output, no allocation, no lock (man 7 signal-safety).
void Note(int signal_number) { received = signal_number; }

}  // namespace

bool Interrupted() { return received != 0; }

// A signal that came before the scope ended the process, so the flag has nothing to keep.
InterruptScope::InterruptScope() {
  received = 0;
  struct sigaction action = {};
  action.sa_handler = Note;
  action.sa_flags = static_cast<int>(SA_RESETHAND);  // no SA_RESTART: what waits shall look at the flag
  for (std::size_t index = 0; index < kSignals.size(); ++index) {
    // Ignored stays ignored: nohup(1) ignores SIGHUP, a shell's background job without job control SIGINT.
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
  // The parent must see "killed by SIGINT", not an exit status: a shell's loop goes on otherwise (WIFSIGNALED
  // in man 2 wait).
  ::raise(received);
  std::abort();  // the signal was blocked or handled, which the owner of a scope must not do
}

void InterruptScope::PutBack() {
  for (std::size_t index = 0; index < kSignals.size(); ++index)
    ::sigaction(kSignals[index], &before_[index], nullptr);
}

}  // namespace outgrown
