#include "clients/sqlite_observer/result_probe.h"

#include <stdlib.h>

#include <array>
#include <cstring>
#include <string_view>

namespace outgrown::observer {
namespace {

constexpr std::size_t kWords = ResultProbe::kReachBytes / sizeof(int);

struct Sight {
  std::array<int, kWords> words = {};
  bool seen = false;
};

int OnProfile(unsigned /*event*/, void* sight, void* statement, void* /*nanoseconds*/) {
  auto* to = static_cast<Sight*>(sight);
  std::memcpy(to->words.data(), statement, ResultProbe::kReachBytes);
  to->seen = true;
  return 0;
}

struct Lesson {
  const char* sql;
  int code;
};

constexpr char kSchema[] =
    "CREATE TABLE lesson(id INTEGER PRIMARY KEY, a UNIQUE, b NOT NULL DEFAULT 1, c CHECK(c IS NULL OR c > "
    "0))";
constexpr Lesson kLessons[] = {
    {"INSERT INTO lesson(id, a) VALUES(1, 1)", SQLITE_OK},
    {"INSERT INTO lesson(id, a) VALUES(2, 1)", SQLITE_CONSTRAINT_UNIQUE},
    {"INSERT INTO lesson(id, a) VALUES(1, 2)", SQLITE_CONSTRAINT_PRIMARYKEY},
    {"INSERT INTO lesson(id, b) VALUES(3, NULL)", SQLITE_CONSTRAINT_NOTNULL},
    {"INSERT INTO lesson(id, c) VALUES(4, -1)", SQLITE_CONSTRAINT_CHECK},
    {"INSERT INTO lesson(id) VALUES('text')", SQLITE_MISMATCH},
    {"UPDATE lesson SET a = 5", SQLITE_OK},
};

// Strikes out the places that do not hold the lesson's code. False if the lesson went otherwise than it should.
bool Take(sqlite3* db, const Lesson& lesson, std::array<bool, kWords>& candidates) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, lesson.sql, -1, &statement, nullptr) != SQLITE_OK) return false;
  Sight sight;
  sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, &OnProfile, &sight);
  sqlite3_step(statement);
  const int code = sqlite3_extended_errcode(db);
  sqlite3_trace_v2(db, 0, nullptr, nullptr);
  sqlite3_finalize(statement);
  const int expected = lesson.code == SQLITE_OK ? SQLITE_DONE : lesson.code;
  if (!sight.seen || code != expected) return false;
  for (std::size_t i = 0; i < kWords; ++i) candidates[i] = candidates[i] && sight.words[i] == lesson.code;
  return true;
}

std::optional<std::size_t> LearnOn(sqlite3* db) {
  if (sqlite3_exec(db, kSchema, nullptr, nullptr, nullptr) != SQLITE_OK) return std::nullopt;
  std::array<bool, kWords> candidates;
  candidates.fill(true);
  for (const Lesson& lesson : kLessons) {
    if (!Take(db, lesson, candidates)) return std::nullopt;
  }
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < kWords; ++i) {
    if (!candidates[i]) continue;
    if (found) return std::nullopt;
    found = i * sizeof(int);
  }
  return found;
}

}  // namespace

void ResultProbe::Learn() noexcept {
  const char* const wanted = ::secure_getenv("OUTGROWN_RESULT_PROBE");
  if (wanted != nullptr && std::string_view(wanted) == "off") return;
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(":memory:", &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) == SQLITE_OK) {
    offset_ = LearnOn(db);
  }
  sqlite3_close(db);
}

int ResultProbe::ResultOf(const sqlite3_stmt* statement) const noexcept {
  int code = SQLITE_OK;
  std::memcpy(&code, reinterpret_cast<const unsigned char*>(statement) + *offset_, sizeof code);
  return code;
}

ResultProbe& TheResultProbe() {
  static ResultProbe probe;
  return probe;
}

}  // namespace outgrown::observer
