#include "clients/sqlite_observer/trace_slot.h"

#include <array>
#include <bit>
#include <cstring>
#include <string_view>

namespace outgrown::observer {
namespace {

using LegacyCallback = void (*)(void* context, const char* sql);

// All events of sqlite3_trace_v2; what else is in their place is a deprecated function's.
constexpr unsigned kTraceEvents =
    SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE | SQLITE_TRACE_ROW | SQLITE_TRACE_CLOSE;

template <typename T>
T At(const void* object, std::size_t place) {
  T value;
  std::memcpy(&value, static_cast<const unsigned char*>(object) + place, sizeof value);
  return value;
}

// Never called. They differ, or the linker might make one of them.
int FirstTrace(unsigned /*event*/, void* /*context*/, void* /*what*/, void* /*detail*/) { return 0; }
int SecondTrace(unsigned /*event*/, void* /*context*/, void* /*what*/, void* /*detail*/) { return 1; }
void LegacyTrace(void* /*context*/, const char* /*sql*/) {}

// The places that have held the right value of that type in all lessons.
template <typename T>
class Candidates {
 public:
  Candidates() { is_right_.fill(true); }
  void Compare(const sqlite3* db, T value) {
    for (std::size_t i = 0; i < is_right_.size(); ++i)
      is_right_[i] = is_right_[i] && At<T>(db, i * sizeof(T)) == value;
  }
  // Two would mean that one holds it by chance; which one is not guessed.
  std::optional<std::size_t> TheOne() const {
    std::optional<std::size_t> place;
    for (std::size_t i = 0; i < is_right_.size(); ++i) {
      if (!is_right_[i]) continue;
      if (place) return std::nullopt;
      place = i * sizeof(T);
    }
    return place;
  }

 private:
  std::array<bool, TraceSlot::kReachBytes / sizeof(T)> is_right_;
};

}  // namespace

void Tracer::Call(unsigned event, void* what, void* detail) const {
  if (!is_legacy) {
    if ((events & event) != 0) callback(event, context, what, detail);
    return;
  }
  if (event != SQLITE_TRACE_STMT) return;
  // What sqlite3_trace() gives, in terms of the newer function: https://sqlite.org/c3ref/c_trace.html
  const auto legacy = std::bit_cast<LegacyCallback>(callback);
  const auto* const sql = static_cast<const char*>(detail);
  if (std::string_view(sql).starts_with("--")) {
    legacy(context, sql);
    return;
  }
  char* const expanded = sqlite3_expanded_sql(static_cast<sqlite3_stmt*>(what));
  legacy(context, expanded);
  sqlite3_free(expanded);
}

void Tracer::Take(sqlite3* db) const {
  if (is_legacy) {
    sqlite3_api->trace(db, std::bit_cast<LegacyCallback>(callback), context);
  } else {
    sqlite3_trace_v2(db, events, callback, context);
  }
}

std::optional<TraceSlot::Places> TraceSlot::LearnFrom(sqlite3* db) noexcept {
  int contexts[2] = {};
  const Tracer lessons[] = {{&FirstTrace, &contexts[0], SQLITE_TRACE_STMT, false},
                            {&SecondTrace, &contexts[0], kTraceEvents, false},
                            {&FirstTrace, &contexts[1], SQLITE_TRACE_ROW, false},
                            {nullptr, nullptr, 0, false},
                            {&SecondTrace, &contexts[1], SQLITE_TRACE_PROFILE, false}};
  Candidates<TraceCallback> callbacks;
  Candidates<void*> some_contexts;
  Candidates<unsigned char> events;
  for (const Tracer& lesson : lessons) {
    if (sqlite3_trace_v2(db, lesson.events, lesson.callback, lesson.context) != SQLITE_OK)
      return std::nullopt;
    callbacks.Compare(db, lesson.callback);
    some_contexts.Compare(db, lesson.context);
    events.Compare(db, static_cast<unsigned char>(lesson.events));
  }
  const auto callback = callbacks.TheOne();
  const auto context = some_contexts.TheOne();
  const auto event = events.TheOne();
  if (!callback || !context || !event) return std::nullopt;
  Places places = {*callback, *context, *event, 0};
  // Left out of SQLite with SQLITE_OMIT_DEPRECATED.
  if (sqlite3_api->trace != nullptr) {
    sqlite3_api->trace(db, &LegacyTrace, &contexts[0]);
    const bool is_there =
        At<LegacyCallback>(db, *callback) == &LegacyTrace && At<void*>(db, *context) == &contexts[0];
    const auto seen = At<unsigned char>(db, *event);
    if (is_there && (seen & kTraceEvents) == 0) places.legacy = seen;
    sqlite3_trace_v2(db, 0, nullptr, nullptr);
  }
  return places;
}

void TraceSlot::Learn() noexcept {
  sqlite3* db = nullptr;
  if (sqlite3_open(":memory:", &db) == SQLITE_OK) places_ = LearnFrom(db);
  // Also after a failed open, which may have made a connection all the same
  // (https://sqlite.org/c3ref/open.html).
  sqlite3_close(db);
}

bool TraceSlot::Holds(const sqlite3* db, TraceCallback callback, const void* context) const noexcept {
  return At<TraceCallback>(db, places_->callback) == callback && At<void*>(db, places_->context) == context;
}

std::optional<Tracer> TraceSlot::Of(const sqlite3* db) const noexcept {
  const auto events = At<unsigned char>(db, places_->events);
  if (events == 0) return Tracer{};
  const bool is_legacy = events == places_->legacy;
  if (!is_legacy && (events & ~kTraceEvents) != 0) return std::nullopt;
  return Tracer{At<TraceCallback>(db, places_->callback), At<void*>(db, places_->context), events, is_legacy};
}

TraceSlot& TheTraceSlot() {
  static TraceSlot slot;
  return slot;
}

}  // namespace outgrown::observer
