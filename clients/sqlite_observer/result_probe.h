// The result code of a statement that has just ended, at the moment when the trace says so.
//
// SQLite reports a statement's end to the trace before it makes the result public: sqlite3_errcode() still
// gives the one before, no function of the interface gives a statement's own, and by the time of the next event
// the application has usually prepared its ROLLBACK, which clears it. The code is an int in the statement
// object, though. Where, is learned and not assumed: statements that end with different known codes run on a
// private in-memory database, and the one place that held the right code every time is the place. If there is
// not exactly one, the probe is not available, kinds of failures are not known, and that is reported as
// incomplete coverage.
//
// Only the first kReachBytes of a statement are ever looked at; every SQLite since 3.14, which brought the
// trace, has larger ones (3.40.1 on x86-64: about 300 bytes, the code at 52).
#pragma once

#include <cstddef>
#include <optional>

#include "clients/sqlite_observer/sqlite_api.h"

namespace outgrown::observer {

class ResultProbe {
 public:
  static constexpr std::size_t kReachBytes = 128;

  // Learns once for the library that has loaded us. Opens and closes a connection of its own.
  void Learn() noexcept;

  bool is_available() const { return offset_.has_value(); }

  // The extended result code. Only inside a SQLITE_TRACE_PROFILE callback for that statement, or while SQLite gives up its
  // locks after it has failed, and only if available.
  [[gnu::hot]] int ResultOf(const sqlite3_stmt* statement) const noexcept;

 private:
  std::optional<std::size_t> offset_;
};

// The process's own.
[[gnu::hot]] ResultProbe& TheResultProbe();

}  // namespace outgrown::observer
