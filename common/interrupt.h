// SIGINT, SIGTERM and SIGHUP as a flag, for work that has to clean up before it ends.
#pragma once

#include <signal.h>

#include <array>

namespace outgrown {

// True once a signal came while an InterruptScope existed; always false without one. Long work checks it
// between its steps and ends with an error. Any thread.
bool Interrupted();

// While it exists, SIGINT, SIGTERM and SIGHUP only set the flag; a second one of the same kind ends the process
// at once. Signals that were ignored stay ignored. At most one at a time.
class InterruptScope {
 public:
  InterruptScope();
  InterruptScope(const InterruptScope&) = delete;
  InterruptScope& operator=(const InterruptScope&) = delete;
  ~InterruptScope();

  // Ends the process by the signal that came, as it would have ended without the scope. Precondition: Interrupted().
  [[noreturn]] void EndBySignal();

 private:
  static constexpr std::array<int, 3> kSignals = {SIGINT, SIGTERM, SIGHUP};
  void PutBack();

  std::array<struct sigaction, kSignals.size()> before_ = {};
};

}  // namespace outgrown
