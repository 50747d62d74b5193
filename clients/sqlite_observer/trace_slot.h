// What is in a connection's trace slot.
//
// SQLite has one slot a connection, and no function that says whose trace is in it: sqlite3_trace_v2 puts another in its
// place. So that the application's trace goes on being called, the observer reads the slot before it takes it. Where the
// callback, its context and the events are in a connection is learned and not assumed, as the result's place is
// (result_probe.h): a private connection is given several traces, and the one place that held the right value every
// time is the place. If there is not exactly one, the slot is not known, and is taken of new connections alone.
//
// Only the first kReachBytes of a connection are ever looked at; every SQLite since 3.34 has larger ones (3.40.1 on x86-64:
// about 800 bytes, the context at 248).
#pragma once

#include <cstddef>
#include <optional>

#include "clients/sqlite_observer/sqlite_api.h"

namespace outgrown::observer {

using TraceCallback = int (*)(unsigned event, void* context, void* what, void* detail);

// Somebody's trace. None by default.
struct Tracer {
  TraceCallback callback = nullptr;
  void* context = nullptr;
  unsigned events = 0;     // SQLITE_TRACE_*
  bool is_legacy = false;  // `callback` is sqlite3_trace()'s, of another type

  // With the arguments of sqlite3_trace_v2's callback, if it is one of its events.
  void Call(unsigned event, void* what, void* detail) const;
  // Puts it into the connection's slot.
  void Take(sqlite3* db) const;
};

class TraceSlot {
 public:
  static constexpr std::size_t kReachBytes = 384;

  // Learns once for the library that has loaded us. Opens and closes a connection of its own.
  void Learn() noexcept;

  bool is_available() const { return places_.has_value(); }

  // Both only if available, and with the connection's mutex held.
  [[gnu::hot]] bool Holds(const sqlite3* db, TraceCallback callback, const void* context) const noexcept;
  // Nothing if it can't be called by somebody else: sqlite3_profile() has been called, whose callback is elsewhere.
  std::optional<Tracer> Of(const sqlite3* db) const noexcept;

 private:
  struct Places {
    std::size_t callback;
    std::size_t context;
    std::size_t events;
    unsigned char
        legacy;  // what is in the place of the events after sqlite3_trace(); 0: this SQLite has no such function
  };
  static std::optional<Places> LearnFrom(sqlite3* db) noexcept;

  std::optional<Places> places_;
};

// The process's own.
[[gnu::hot]] TraceSlot& TheTraceSlot();

}  // namespace outgrown::observer
