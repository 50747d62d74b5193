// Ctrl-C and its kin as a flag, for work that has something to tidy up before it ends.
#pragma once

#include <signal.h>

#include <array>

namespace outgrown {

// True from the moment that a signal came while an InterruptScope stood; always false without one. Long work looks
// here between its steps and ends with an error. Any thread.
bool Interrupted();

// While it stands, SIGINT, SIGTERM and SIGHUP end nothing but set the flag; a second one of the same kind ends the process
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
