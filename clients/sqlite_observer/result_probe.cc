#include "clients/sqlite_observer/result_probe.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <span>

#include "clients/sqlite_observer/file_methods.h"

namespace outgrown::observer {
namespace {

constexpr std::size_t kWords = ResultProbe::kReachBytes / sizeof(int);

struct Sight {
  std::array<int, kWords> words = {};
  bool seen = false;
};

int OnProfile(unsigned /*event*/, void* sight, void* statement, void* /*nanoseconds*/) {
  auto* to = static_cast<Sight*>(sight);
  // Copied inside of the callback, as that is the moment for which the place is learned.
  std::memcpy(to->words.data(), statement, ResultProbe::kReachBytes);
  to->seen = true;
  return 0;
}

struct Lesson {
  const char* sql;
  int code;
};

// SQLite logs every failure of a statement but BUSY. So the place is learned from extended codes of BUSY, of
// which it passes on any that a file gives for an answer to a lock: the application's error log stays its
// own.
constexpr char kLock[] = "BEGIN IMMEDIATE";
constexpr Lesson kQuietLessons[] = {
    {kLock, SQLITE_OK}, {kLock, SQLITE_BUSY | 21 << 8}, {kLock, SQLITE_BUSY},
    {kLock, SQLITE_OK}, {kLock, SQLITE_BUSY | 93 << 8}, {kLock, SQLITE_BUSY | 42 << 8}};

// For SQLite before 3.36, whose databases in memory have no file.
constexpr char kSchema[] = "CREATE TABLE lesson(id INTEGER PRIMARY KEY, a UNIQUE, b NOT NULL DEFAULT 1)";
constexpr Lesson kLoudLessons[] = {
    {"INSERT INTO lesson(id, a) VALUES(1, 1)", SQLITE_OK},
    {"INSERT INTO lesson(id, a) VALUES(2, 1)", SQLITE_CONSTRAINT_UNIQUE},
    {"INSERT INTO lesson(id, a) VALUES(1, 2)", SQLITE_CONSTRAINT_PRIMARYKEY},
    {"INSERT INTO lesson(id, b) VALUES(3, NULL)", SQLITE_CONSTRAINT_NOTNULL},
    {"INSERT INTO lesson(id) VALUES('text')", SQLITE_MISMATCH},
    {"UPDATE lesson SET a = 5", SQLITE_OK},
};

// What the private database's file answers when it is asked for the lock to write.
thread_local int lock_answer = SQLITE_OK;
thread_local const sqlite3_io_methods* real_methods = nullptr;

int AnswerLock(sqlite3_file* file, int level) {
  if (level >= SQLITE_LOCK_RESERVED && lock_answer != SQLITE_OK) return lock_answer;
  return real_methods->xLock(file, level);
}

// Strikes out the places that do not hold the lesson's code. False if the lesson went otherwise than it
// should.
bool Take(sqlite3* db, const Lesson& lesson, std::array<bool, kWords>& candidates) {
  sqlite3_stmt* statement = nullptr;
  if (sqlite3_prepare_v2(db, lesson.sql, -1, &statement, nullptr) != SQLITE_OK) return false;
  Sight sight;
  lock_answer = lesson.code;
  sqlite3_trace_v2(db, SQLITE_TRACE_PROFILE, &OnProfile, &sight);
  sqlite3_step(statement);
  const int code = sqlite3_extended_errcode(db);
  sqlite3_trace_v2(db, 0, nullptr, nullptr);
  sqlite3_finalize(statement);
  lock_answer = SQLITE_OK;
  // Each lesson begins outside of a transaction.
  if (sqlite3_get_autocommit(db) == 0) sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
  if (!sight.seen || code != (lesson.code == SQLITE_OK ? SQLITE_DONE : lesson.code)) return false;
  for (std::size_t i = 0; i < kWords; ++i) candidates[i] = candidates[i] && sight.words[i] == lesson.code;
  return true;
}

// The one place that held the right code in all lessons.
std::optional<std::size_t> LearnFrom(sqlite3* db, std::span<const Lesson> lessons) {
  std::array<bool, kWords> candidates;
  candidates.fill(true);
  for (const Lesson& lesson : lessons) {
    if (!Take(db, lesson, candidates)) return std::nullopt;
  }
  // Two places would mean that one holds the code by chance; which one is not guessed.
  if (std::ranges::count(candidates, true) != 1) return std::nullopt;
  return static_cast<std::size_t>(std::ranges::find(candidates, true) - candidates.begin()) * sizeof(int);
}

std::optional<std::size_t> LearnQuietly(sqlite3* db) {
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || file == nullptr ||
      file->pMethods == nullptr) {
    return std::nullopt;
  }
  real_methods = file->pMethods;
  sqlite3_io_methods methods = CopyOf(*real_methods);
  methods.xLock = &AnswerLock;
  // Of a private connection that no other thread knows. The table lives on this stack and is taken out before
  // it goes.
  file->pMethods = &methods;
  const std::optional<std::size_t> offset = LearnFrom(db, kQuietLessons);
  file->pMethods = real_methods;
  return offset;
}

std::optional<std::size_t> LearnLoudly(sqlite3* db) {
  if (sqlite3_exec(db, kSchema, nullptr, nullptr, nullptr) != SQLITE_OK) return std::nullopt;
  return LearnFrom(db, kLoudLessons);
}

// In a private database of that name and VFS.
std::optional<std::size_t> LearnIn(const char* name, const char* vfs,
                                   std::optional<std::size_t> (*learn)(sqlite3*)) {
  sqlite3* db = nullptr;
  std::optional<std::size_t> offset;
  if (sqlite3_open_v2(name, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs) == SQLITE_OK)
    offset = learn(db);
  // Also after a failed open, which may have made a connection all the same
  // (https://sqlite.org/c3ref/open.html).
  sqlite3_close(db);
  return offset;
}

}  // namespace

void ResultProbe::Learn() noexcept {
  // "memdb" is SQLite's own VFS for databases in memory, always there from 3.36 on.
  const bool is_quiet = sqlite3_vfs_find("memdb") != nullptr;
  offset_ =
      is_quiet ? LearnIn("outgrown", "memdb", &LearnQuietly) : LearnIn(":memory:", nullptr, &LearnLoudly);
}

int ResultProbe::ResultOf(const sqlite3_stmt* statement) const noexcept {
  int code = SQLITE_OK;
  // memcpy, as no int object is known to be there. Read on the thread that runs the statement, inside its
  // callback.
  std::memcpy(&code, reinterpret_cast<const unsigned char*>(statement) + *offset_, sizeof code);
  return code;
}

ResultProbe& TheResultProbe() {
  static ResultProbe probe;
  return probe;
}

}  // namespace outgrown::observer
