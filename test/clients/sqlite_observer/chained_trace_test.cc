// The application has a trace of its own beside the observer: it hears what it would hear alone, and everything is counted.
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/wal_fixture.h"

using outgrown::test::Database;
using outgrown::test::Text;
using outgrown::test::WalFixture;

namespace {

using Lines = std::vector<std::string>;

constexpr unsigned kAllEvents =
    SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE | SQLITE_TRACE_ROW | SQLITE_TRACE_CLOSE;

int Note(unsigned event, void* lines, void* what, void* detail) {
  std::string line = std::to_string(event);
  if (event == SQLITE_TRACE_STMT) line += std::string(" ") + static_cast<const char*>(detail);
  if (event == SQLITE_TRACE_PROFILE) line += std::string(" ") + sqlite3_sql(static_cast<sqlite3_stmt*>(what));
  static_cast<Lines*>(lines)->push_back(line);
  return 0;
}

void NoteLegacy(void* lines, const char* sql) { static_cast<Lines*>(lines)->emplace_back(sql); }

void TraceAll(Database& database, Lines& lines) {
  REQUIRE(sqlite3_trace_v2(database.handle(), kAllEvents, &Note, &lines) == SQLITE_OK);
}

void TraceStatements(Database& database, Lines& lines) {
  REQUIRE(sqlite3_trace_v2(database.handle(), SQLITE_TRACE_STMT, &Note, &lines) == SQLITE_OK);
}

void TraceInTheOldWay(Database& database, Lines& lines) {
  sqlite3_trace(database.handle(), &NoteLegacy, &lines);
}

struct Way {
  const char* name;
  void (*trace)(Database&, Lines&);
};
constexpr Way kWays[] = {{"all events", &TraceAll},
                         {"statements alone", &TraceStatements},
                         {"sqlite3_trace(), which is deprecated", &TraceInTheOldWay}};

// Two commits, a violated constraint, a trigger, rows and a parameter.
void Work(Database& database) {
  CHECK(database.Run("CREATE TABLE x(id INTEGER PRIMARY KEY); CREATE TEMP TRIGGER more AFTER INSERT ON x "
                     "BEGIN INSERT INTO x VALUES(new.id + 100); END") == SQLITE_OK);
  sqlite3_stmt* statement = outgrown::test::Prepare(database, "INSERT INTO x VALUES(?)");
  for (const int expected : {SQLITE_DONE, SQLITE_CONSTRAINT_PRIMARYKEY}) {
    sqlite3_bind_int(statement, 1, 7);
    sqlite3_step(statement);
    sqlite3_reset(statement);
    CHECK(sqlite3_extended_errcode(database.handle()) == (expected == SQLITE_DONE ? SQLITE_OK : expected));
  }
  sqlite3_finalize(statement);
  CHECK(database.Run("SELECT * FROM x") == SQLITE_OK);
}

struct TraceFixture : WalFixture {
  std::string Name() const { return std::filesystem::path(store.path()).stem().string(); }

  // The trace hears what it hears where nobody observes, and all is counted.
  void HearsAll(Database& database, const Lines& lines, const Lines& alone) {
    Work(database);
    CHECK(Counted() == "{constraint: 1, ok: 2}");
    CHECK(database.Run("DROP TABLE x") == SQLITE_OK);
    database.Close();
    CHECK(lines == alone);
  }
};

// What the trace hears where nobody observes.
Lines Alone(const Way& way, const std::string& path) {
  Lines lines;
  Database database("file:" + path + "?outgrown=off");
  way.trace(database, lines);
  Work(database);
  CHECK(database.Run("DROP TABLE x") == SQLITE_OK);
  database.Close();
  return lines;
}

}  // namespace

TEST_CASE_FIXTURE(
    TraceFixture,
    "a trace that the application has set before it is observed hears all, and all is counted") {
  for (const Way& way : kWays) {
    INFO(way.name);
    const Lines alone = Alone(way, store.path());
    CHECK(alone.size() > 5);
    Lines lines;
    Database database("file:" + store.path() + "?outgrown=off");
    way.trace(database, lines);
    CHECK(database.Ask("SELECT outgrown_observe('" + Name() + "')") == "counting main as " + Name());
    lines.clear();
    store.NewCounts();
    HearsAll(database, lines, alone);
  }
  CHECK_FALSE(store.WasTraceEverLost());
}

TEST_CASE_FIXTURE(TraceFixture,
                  "a trace that the application sets on a new connection hears all, and all is counted") {
  for (const Way& way : kWays) {
    INFO(way.name);
    const Lines alone = Alone(way, store.path());
    store.NewCounts();
    Lines lines;
    Database database(store.path());
    way.trace(database, lines);
    HearsAll(database, lines, alone);
  }
  CHECK_FALSE(store.WasTraceEverLost());
}

TEST_CASE_FIXTURE(TraceFixture,
                  "a trace that comes and goes again between statements costs one write's outcome at most") {
  Lines lines;
  TraceStatements(a, lines);
  CHECK(a.Run("INSERT INTO t(id) VALUES(1)") ==
        SQLITE_CONSTRAINT_PRIMARYKEY);  // SQLite announced it to the other
  CHECK(Counted() == "{}");
  CHECK(store.WasTraceEverLost());
  CHECK(store.TracesLost() == 0);
  CHECK(a.Run("INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{constraint: 1}");
  CHECK(lines.size() == 2);
  CHECK(sqlite3_trace_v2(a.handle(), 0, nullptr, nullptr) == SQLITE_OK);
  CHECK(a.Run("SELECT * FROM t; INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{constraint: 1}");
  CHECK(lines.size() == 2);
  CHECK(a.Ask("SELECT outgrown_status()") == "counting main as " + Name());
}

TEST_CASE_FIXTURE(TraceFixture, "in exclusive mode the trace is taken again at the next commit") {
  CHECK(a.Run("PRAGMA locking_mode = EXCLUSIVE; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  store.NewCounts();
  Lines lines;
  TraceStatements(a, lines);
  CHECK(a.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(store.WasTraceEverLost());
  CHECK(a.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{constraint: 1, ok: 1}");
  CHECK(lines.size() == 2);
}

TEST_CASE_FIXTURE(TraceFixture,
                  "sqlite3_profile(), which can't be chained, goes on and shows as a lost trace") {
  static int calls = 0;
  Database database("file:" + store.path() + "?outgrown=off");
  sqlite3_profile(
      database.handle(), [](void*, const char*, sqlite3_uint64) { ++calls; }, nullptr);
  CHECK(database.Ask("SELECT outgrown_observe('" + Name() + "')") ==
        "counting main as " + Name() + "; the trace is lost, only commits are counted");
  CHECK(store.TracesLost() == 1);
  calls = 0;
  CHECK(database.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(database.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(calls == 2);
  CHECK(Counted() == "{ok: 1}");
  database.Close();
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(TraceFixture, "sqlite3_profile() after the observer works beside it") {
  static int calls = 0;
  sqlite3_profile(
      a.handle(), [](void*, const char*, sqlite3_uint64) { ++calls; }, nullptr);
  CHECK(a.Run("INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(calls == 1);
  CHECK(Counted() == "{constraint: 1}");
  CHECK_FALSE(store.WasTraceEverLost());
}
