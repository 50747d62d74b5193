// What scripts can't say: statements that are stepped by hand, other users of the trace, other interfaces that
// write, several connections and databases.
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "test/counterblock/sqlite_observer/observed_store.h"

using outgrown::test::Counts;
using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::Text;

namespace {

struct Fixture {
  ObservedStore store;
  Database a{store.path()};

  Fixture() {
    REQUIRE(a.Run("PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL;"
                  "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, bytes); INSERT INTO t VALUES(1, 1, "
                  "zeroblob(9))") == SQLITE_OK);
    store.NewCounts();
  }
  std::string Counted() { return Text(store.NewCounts()); }
};

sqlite3_stmt* Prepare(Database& database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(database.handle(), sql, -1, &statement, nullptr) == SQLITE_OK);
  return statement;
}

int SomebodysTrace(unsigned /*event*/, void* calls, void* /*what*/, void* /*detail*/) {
  ++*static_cast<int*>(calls);
  return 0;
}

}  // namespace

TEST_CASE_FIXTURE(Fixture,
                  "when somebody takes the trace, commits still count and the loss shows beyond the close") {
  int calls = 0;
  REQUIRE(sqlite3_trace_v2(a.handle(), SQLITE_TRACE_STMT, &SomebodysTrace, &calls) == SQLITE_OK);
  CHECK(a.Run("SELECT * FROM t; BEGIN; SELECT * FROM t; COMMIT") == SQLITE_OK);
  CHECK(store.TracesLost() == 0);  // nothing went uncounted yet
  CHECK_FALSE(store.WasTraceEverLost());
  SUBCASE("a statement of its own") { CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK); }
  SUBCASE("a transaction") { CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2); COMMIT") == SQLITE_OK); }
  SUBCASE("one that is locked first") {
    CHECK(a.Run("BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(2); COMMIT") == SQLITE_OK);
  }
  CHECK(store.TracesLost() == 1);
  CHECK(Counted() == "{ok: 1}");
  CHECK(calls > 0);
  CHECK(a.Ask("SELECT outgrown_status()").find("the trace is lost") != std::string::npos);
  CHECK(a.Run("UPDATE t SET u = 5 WHERE 0; BEGIN IMMEDIATE; COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{}");
  a.Close();
  CHECK(store.TracesLost() == 0);
  CHECK(store.WasTraceEverLost());  // a connection for each request lives shorter than a scrape takes to come
}

TEST_CASE_FIXTURE(Fixture, "a connection for one refused write leaves its lost trace to be seen") {
  CHECK(a.Run("BEGIN IMMEDIATE") == SQLITE_OK);
  {
    Database request(store.path());
    int calls = 0;
    REQUIRE(sqlite3_trace_v2(request.handle(), SQLITE_TRACE_STMT, &SomebodysTrace, &calls) == SQLITE_OK);
    CHECK(request.Run("INSERT INTO t(id) VALUES(9)") == SQLITE_BUSY);
  }
  CHECK(a.Run("ROLLBACK") == SQLITE_OK);
  CHECK(store.TracesLost() == 0);
  CHECK(store.WasTraceEverLost());
}

TEST_CASE_FIXTURE(Fixture,
                  "a trace that is lost inside a transaction leaves no mark behind and its commit counts") {
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(store.InFlight() == 1);
  int calls = 0;
  REQUIRE(sqlite3_trace_v2(a.handle(), SQLITE_TRACE_STMT, &SomebodysTrace, &calls) == SQLITE_OK);
  CHECK(a.Run("COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.InFlight() == 0);
  CHECK(store.TracesLost() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a trace that is lost while a statement is suspended shows at the next write") {
  sqlite3_stmt* statement = Prepare(a, "INSERT INTO t(id) VALUES(2), (3) RETURNING id");
  CHECK(sqlite3_step(statement) == SQLITE_ROW);
  int calls = 0;
  REQUIRE(sqlite3_trace_v2(a.handle(), SQLITE_TRACE_STMT, &SomebodysTrace, &calls) == SQLITE_OK);
  sqlite3_finalize(statement);
  CHECK(Counted() == "{ok: 1}");
  CHECK(a.Run("INSERT INTO t(id) VALUES(4)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 1);
}

TEST_CASE_FIXTURE(Fixture, "the trace can be taken back") {
  int calls = 0;
  REQUIRE(sqlite3_trace_v2(a.handle(), SQLITE_TRACE_STMT, &SomebodysTrace, &calls) == SQLITE_OK);
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(store.TracesLost() == 1);
  CHECK(a.Ask("SELECT outgrown_observe()").find("counting main as store") == 0);
  CHECK(store.TracesLost() == 0);
  Counted();
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{constraint: 1}");
}

TEST_CASE_FIXTURE(Fixture, "rows that are read one by one") {
  sqlite3_stmt* statement = Prepare(a, "INSERT INTO t(id) VALUES(2), (3), (4) RETURNING id");
  CHECK(sqlite3_step(statement) == SQLITE_ROW);
  CHECK(Counted() == "{}");
  SUBCASE("to the end") {
    while (sqlite3_step(statement) == SQLITE_ROW) {
    }
    CHECK(Counted() == "{ok: 1}");
    sqlite3_finalize(statement);
  }
  SUBCASE("and no further, then reset") {
    sqlite3_reset(statement);
    CHECK(Counted() == "{ok: 1}");
    sqlite3_finalize(statement);
  }
  SUBCASE("and no further, then finalized") {
    sqlite3_finalize(statement);
    CHECK(Counted() == "{ok: 1}");
  }
  SUBCASE("while another statement writes: one transaction") {
    CHECK(a.Run("INSERT INTO t(id) VALUES(5)") == SQLITE_OK);
    CHECK(Counted() == "{}");
    sqlite3_finalize(statement);
    CHECK(Counted() == "{ok: 1}");
  }
  SUBCASE("while another statement fails") {
    CHECK(a.Run("INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    sqlite3_finalize(statement);
    CHECK(Counted() == "{ok: 1}");
  }
  CHECK(a.Run("INSERT INTO t(id) VALUES(6)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(Fixture, "writes while a SELECT is suspended are writes of their own") {
  sqlite3_stmt* statement = Prepare(a, "SELECT * FROM t");
  CHECK(sqlite3_step(statement) == SQLITE_ROW);
  CHECK(a.Run("INSERT INTO t(id) VALUES(2); INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  sqlite3_finalize(statement);
  CHECK(Counted() == "{}");
}

TEST_CASE_FIXTURE(Fixture, "a prepared statement that has to be compiled again is one write") {
  sqlite3_stmt* statement = Prepare(a, "INSERT INTO t(u) VALUES(?)");
  Database b(store.path());
  for (int i = 10; i < 13; ++i) {
    CHECK(b.Run("CREATE TABLE more" + std::to_string(i) + "(x)") == SQLITE_OK);
    sqlite3_bind_int(statement, 1, i);
    CHECK(sqlite3_step(statement) == SQLITE_DONE);
    sqlite3_reset(statement);
    CHECK(Counted() == "{ok: 2}");
  }
  CHECK(b.Run("DROP TABLE t") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(sqlite3_step(statement) == SQLITE_ERROR);  // no such table: it never ran
  sqlite3_finalize(statement);
  CHECK(b.Run("CREATE TABLE t(x)") == SQLITE_OK);
  CHECK(a.Run("INSERT INTO t VALUES(1)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
}

TEST_CASE_FIXTURE(Fixture, "a function that writes inside a SELECT") {
  const auto write = [](sqlite3_context* context, int, sqlite3_value** values) {
    const auto* sql = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
    sqlite3_result_int(context,
                       sqlite3_exec(sqlite3_context_db_handle(context), sql, nullptr, nullptr, nullptr));
  };
  sqlite3_create_function(a.handle(), "run", 1, SQLITE_UTF8, nullptr, write, nullptr, nullptr);
  CHECK(a.Ask("SELECT run('INSERT INTO t(id) VALUES(2); INSERT INTO t(id) VALUES(3)')") == "0");
  CHECK(Counted() == "{ok: 2}");
  CHECK(a.Ask("SELECT run('INSERT INTO t(id) VALUES(3)')") == "19");
  CHECK(Counted() == "{constraint: 1}");
  CHECK(
      a.Run("BEGIN; SELECT run('INSERT INTO t(id) VALUES(4)'); SELECT run('INSERT INTO t(id) VALUES(4)')") ==
      SQLITE_OK);
  CHECK(Counted() == "{}");
  CHECK(a.Run("COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(a.Run("UPDATE t SET u = run('INSERT INTO t(id) VALUES(5)') WHERE id = 1") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a statement that is interrupted has failed") {
  sqlite3_progress_handler(
      a.handle(), 10, [](void*) { return 1; }, nullptr);
  constexpr const char* kLong =
      "INSERT INTO t(u) WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n LIMIT 1000) SELECT i "
      "FROM n";
  SUBCASE("alone") {
    CHECK(a.Run(kLong) == SQLITE_INTERRUPT);
    CHECK(Counted() == "{other: 1}");
  }
  SUBCASE("inside a transaction, which goes with it") {
    sqlite3_progress_handler(a.handle(), 0, nullptr, nullptr);
    CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
    sqlite3_progress_handler(
        a.handle(), 10, [](void*) { return 1; }, nullptr);
    CHECK(a.Run(kLong) == SQLITE_INTERRUPT);
    CHECK(sqlite3_get_autocommit(a.handle()) == 1);
    CHECK(Counted() == "{other: 1}");
  }
}

TEST_CASE_FIXTURE(Fixture, "a connection that is closed inside a transaction has rolled it back") {
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  std::string counts = "{}";
  SUBCASE("on purpose") {}
  SUBCASE("after a failure") {
    CHECK(a.Run("INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
    counts = "{constraint: 1}";
  }
  SUBCASE("with a statement left over") {
    sqlite3_stmt* statement = Prepare(a, "SELECT 1");
    CHECK(sqlite3_close(a.handle()) == SQLITE_BUSY);
    sqlite3_finalize(statement);
  }
  a.Close();
  CHECK(Counted() == counts);
  CHECK(store.InFlight() == 0);
}

TEST_CASE_FIXTURE(Fixture, "what writes without a statement counts its commits and loses no trace") {
  SUBCASE("a blob that is opened") {
    sqlite3_blob* blob = nullptr;
    REQUIRE(sqlite3_blob_open(a.handle(), "main", "t", "bytes", 1, 1, &blob) == SQLITE_OK);
    CHECK(sqlite3_blob_write(blob, "abc", 3, 0) == SQLITE_OK);
    CHECK(Counted() == "{}");
    CHECK(sqlite3_blob_close(blob) == SQLITE_OK);
  }
  SUBCASE("a backup into the store") {
    Database source(":memory:");
    CHECK(source.Run("CREATE TABLE other(x); INSERT INTO other VALUES(randomblob(50000))") == SQLITE_OK);
    sqlite3_backup* backup = sqlite3_backup_init(a.handle(), "main", source.handle(), "main");
    REQUIRE(backup != nullptr);
    CHECK(sqlite3_backup_step(backup, 3) == SQLITE_OK);
    CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
    CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
  }
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a backup of the store writes nothing to it") {
  Database target(":memory:");
  sqlite3_backup* backup = sqlite3_backup_init(target.handle(), "main", a.handle(), "main");
  CHECK(sqlite3_backup_step(backup, 1) == SQLITE_OK);
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(sqlite3_backup_step(backup, -1) == SQLITE_DONE);
  CHECK(sqlite3_backup_finish(backup) == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
}

TEST_CASE_FIXTURE(Fixture, "checkpoints and changes of the journal mode") {
  CHECK(a.Run("INSERT INTO t(id) VALUES(2); PRAGMA wal_checkpoint(TRUNCATE); INSERT INTO t(id) VALUES(3)") ==
        SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  for (const char* mode : {"delete", "wal", "persist", "wal", "memory", "wal"}) {
    CHECK(a.Ask(std::string("PRAGMA journal_mode = ") + mode) == mode);
    Counted();  // SQLite commits the change of the file's header in some of them
    CHECK(a.Run("UPDATE t SET u = u; UPDATE t SET u = 1 WHERE 0; BEGIN IMMEDIATE; COMMIT") == SQLITE_OK);
    CHECK(Counted() == "{ok: 1}");
  }
}

TEST_CASE_FIXTURE(Fixture, "each attached database counts for its own store") {
  ObservedStore other;
  CHECK(a.Run("ATTACH '" + other.path() + "' AS other; CREATE TABLE other.x(y UNIQUE)") == SQLITE_OK);
  CHECK(Counted() == "{}");
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2); INSERT INTO x VALUES(1); COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  CHECK(a.Run("INSERT INTO x VALUES(1)") == SQLITE_CONSTRAINT_UNIQUE);
  CHECK(Counted() == "{}");
  CHECK(Text(other.NewCounts()) == "{constraint: 1}");
  CHECK(a.Run("DETACH other; INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
  CHECK(a.Run("ATTACH '" + other.path() + "' AS again; INSERT INTO again.x VALUES(2)") == SQLITE_OK);
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  Database memory(":memory:");
  CHECK(memory.Run("-- one\n /* two */ attach '" + other.path() +
                   "' AS third; INSERT INTO third.x VALUES(3)") == SQLITE_OK);
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  CHECK(memory.Run("CREATE TABLE mine(x); INSERT INTO mine VALUES(1)") == SQLITE_OK);
  CHECK(Text(other.NewCounts()) == "{}");
}

TEST_CASE("a transaction over several files is one write in each that it changed, in every journal mode") {
  for (const std::string mode : {"wal", "delete", "truncate", "persist", "memory"}) {
    CAPTURE(mode);
    // Each is made just before its file is opened: it says where that one's block goes.
    ObservedStore first;
    Database a(first.path());
    ObservedStore second;
    REQUIRE(a.Run("ATTACH '" + second.path() + "' AS b") == SQLITE_OK);
    ObservedStore third;
    REQUIRE(a.Run("ATTACH '" + third.path() + "' AS c") == SQLITE_OK);
    for (const char* schema : {"main", "b", "c"}) {
      CHECK(a.Ask("PRAGMA " + std::string(schema) + ".journal_mode = " + mode) == mode);
      REQUIRE(a.Run("CREATE TABLE " + std::string(schema) + ".t(x UNIQUE)") == SQLITE_OK);
    }
    const auto counted = [&] {
      return Text(first.NewCounts()) + Text(second.NewCounts()) + Text(third.NewCounts());
    };
    counted();
    CHECK(a.Run("BEGIN; INSERT INTO main.t VALUES(1); INSERT INTO b.t VALUES(1); INSERT INTO c.t VALUES(1); "
                "COMMIT") == SQLITE_OK);
    CHECK(counted() == "{ok: 1}{ok: 1}{ok: 1}");
    CHECK(
        a.Run("BEGIN; INSERT INTO main.t VALUES(2); INSERT INTO c.t VALUES(2); SELECT * FROM b.t; COMMIT") ==
        SQLITE_OK);
    CHECK(counted() == "{ok: 1}{}{ok: 1}");
    CHECK(a.Run("BEGIN; INSERT INTO main.t VALUES(3); INSERT INTO b.t VALUES(3); ROLLBACK") == SQLITE_OK);
    CHECK(counted() == "{}{}{}");
    CHECK(a.Run("INSERT INTO c.t SELECT x + 10 FROM main.t") == SQLITE_OK);
    CHECK(counted() == "{}{}{ok: 1}");
    CHECK(first.TracesLost() + second.TracesLost() + third.TracesLost() == 0);
  }
}

TEST_CASE_FIXTURE(Fixture, "connections that share a cache are counted each") {
  const std::string shared = "file:" + store.path() + "?cache=shared";
  a.Close();
  Database b(shared);
  Database c(shared);
  CHECK(b.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(c.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  CHECK(b.Run("BEGIN; INSERT INTO t(id) VALUES(4)") == SQLITE_OK);
  CHECK(c.Run("INSERT INTO t(id) VALUES(5)") == SQLITE_LOCKED_SHAREDCACHE);
  CHECK(Counted() == "{busy: 1}");
  CHECK(b.Run("COMMIT") == SQLITE_OK);
  CHECK(c.Run("BEGIN; INSERT INTO t(id) VALUES(5)") == SQLITE_OK);
  b.Close();
  CHECK(c.Run("COMMIT; UPDATE t SET u = 1 WHERE 0") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a write that waits for the lock is in flight, and the wait is part of it") {
  Database b(store.path());
  REQUIRE(b.Run("BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  struct Waiting {
    Fixture* fixture;
    Database* holder;
    std::uint64_t in_flight = 0;
  } waiting = {this, &b};
  sqlite3_busy_handler(
      a.handle(),
      [](void* context, int count) {
        auto* to = static_cast<Waiting*>(context);
        if (count < 3) return sqlite3_sleep(10), 1;
        to->in_flight = to->fixture->store.InFlight();
        return to->holder->Run("COMMIT") == SQLITE_OK ? 1 : 0;
      },
      &waiting);
  const std::uint64_t before_ns = store.DurationSumNs();
  CHECK(a.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(waiting.in_flight == 1);  // one thread shows one write, the older
  CHECK(Counted() == "{ok: 2}");
  CHECK(store.InFlight() == 0);
  CHECK(store.DurationSumNs() - before_ns >= 2 * 30'000'000U);  // both lasted for the three sleeps
}

TEST_CASE_FIXTURE(Fixture, "a connection that is ignored is not counted, until it is observed again") {
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  SUBCASE("by SQL") { CHECK(a.Ask("SELECT outgrown_ignore()") == "1"); }
  SUBCASE("by the C function") {
    void* extension = ::dlopen(OUTGROWN_EXTENSION, RTLD_NOW | RTLD_NOLOAD);
    REQUIRE(extension != nullptr);
    const auto ignore = reinterpret_cast<int (*)(sqlite3*)>(::dlsym(extension, "outgrown_observer_ignore"));
    CHECK(ignore(a.handle()) == 0);
    CHECK(ignore(nullptr) == 1);
    ::dlclose(extension);
  }
  CHECK(a.Run("COMMIT") == SQLITE_OK);
  CHECK(a.Run("INSERT INTO t(id) VALUES(1)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{}");
  CHECK(store.InFlight() == 0);
  CHECK(store.TracesLost() == 0);
  CHECK(a.Ask("SELECT outgrown_status()") == "not counting: ignored");
  a.Ask("SELECT outgrown_observe()");
  CHECK(a.Run("INSERT INTO t(id) VALUES(4)") == SQLITE_OK);
  CHECK(Counted() == "{ok: 1}");
}

TEST_CASE_FIXTURE(Fixture, "one database of a connection can be ignored while the others are counted") {
  ObservedStore other;
  CHECK(a.Ask("SELECT outgrown_ignore('MAIN')") == "1");
  CHECK(a.Run("ATTACH '" + other.path() + "' AS other; CREATE TABLE other.x(y UNIQUE)") == SQLITE_OK);
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2); INSERT INTO x VALUES(1); COMMIT") == SQLITE_OK);
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{}");
  CHECK(Text(other.NewCounts()) == "{ok: 2}");
  CHECK(a.Ask("SELECT outgrown_status()").starts_with("counting other as store"));
  CHECK(a.Run("SELECT outgrown_ignore(NULL)") == SQLITE_ERROR);
  a.Ask("SELECT outgrown_observe()");
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{constraint: 1}");
}

TEST_CASE_FIXTURE(
    Fixture, "a database that is ignored leaves its open write and its lost trace to whoever counts it") {
  ObservedStore other;
  CHECK(a.Run("ATTACH '" + other.path() + "' AS other; CREATE TABLE other.x(y)") == SQLITE_OK);
  other.NewCounts();
  int calls = 0;
  REQUIRE(sqlite3_trace_v2(a.handle(), SQLITE_TRACE_STMT, &SomebodysTrace, &calls) == SQLITE_OK);
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(3); INSERT INTO x VALUES(1)") == SQLITE_OK);
  CHECK(store.TracesLost() == 1);
  CHECK(a.Ask("SELECT outgrown_ignore('main')") == "1");
  CHECK(store.TracesLost() == 0);
  CHECK(other.TracesLost() == 1);
  CHECK(a.Run("COMMIT; INSERT INTO t(id) VALUES(4)") == SQLITE_OK);
  CHECK(Counted() == "{}");
  CHECK(Text(other.NewCounts()) == "{ok: 1}");
  CHECK(store.InFlight() == 0);
}

TEST_CASE_FIXTURE(Fixture, "in a shared cache one connection's database is ignored and the other's counted") {
  a.Close();
  Database b("file:" + store.path() + "?cache=shared");
  Database c("file:" + store.path() + "?cache=shared");
  CHECK(b.Ask("SELECT outgrown_ignore('main')") == "1");
  CHECK(b.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(c.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(b.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(Counted() == "{ok: 1}");
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(Fixture, "another copy of the extension in the same process counts nothing twice") {
  const std::string copy = store.directory() + "/outgrown_sqlite.so";
  std::filesystem::copy_file(OUTGROWN_EXTENSION, copy);
  sqlite3_db_config(a.handle(), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
  char* message = nullptr;
  CHECK(sqlite3_load_extension(a.handle(), copy.c_str(), nullptr, &message) == SQLITE_OK);
  CHECK(sqlite3_load_extension(a.handle(), OUTGROWN_EXTENSION, nullptr, &message) == SQLITE_OK);
  Database b(store.path());
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(b.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(b.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(Counted() == "{constraint: 1, ok: 2}");
}

TEST_CASE_FIXTURE(Fixture, "which files are counted can be chosen") {
  const std::string other = store.directory() + "/other.db";
  const std::string block = store.directory() + "/other.v1.counters";
  SUBCASE("by the environment") {
    ::setenv("OUTGROWN_STORE", "store*", 1);
    Database b(other);
    ::unsetenv("OUTGROWN_STORE");
    CHECK(b.Run("CREATE TABLE x(y)") == SQLITE_OK);
    CHECK(b.Ask("SELECT outgrown_status()") == "not counting");
    CHECK_FALSE(std::filesystem::exists(block));
  }
  SUBCASE("by the URI") {
    Database b("file:" + other + "?outgrown=off");
    CHECK(b.Run("CREATE TABLE x(y)") == SQLITE_OK);
    CHECK_FALSE(std::filesystem::exists(block));
    Database c("file:" + other + "?outgrown=third");
    CHECK(c.Ask("SELECT outgrown_status()") == "counting main as third");
    CHECK(c.Run("DROP TABLE x") == SQLITE_OK);
    CHECK(std::filesystem::exists(store.directory() + "/third.v1.counters"));
    CHECK_FALSE(std::filesystem::exists(block));
  }
  SUBCASE("by SQL") {
    Database b("file:" + other + "?outgrown=off");
    CHECK(b.Ask("SELECT outgrown_observe('fourth')") == "counting main as fourth");
    CHECK(b.Run("SELECT outgrown_observe('fifth')") == SQLITE_ERROR);
    CHECK(b.Run("SELECT outgrown_observe('')") == SQLITE_ERROR);
  }
  SUBCASE("not by an attack from inside a schema") {
    CHECK(a.Run("CREATE VIEW v AS SELECT outgrown_ignore()") == SQLITE_OK);
    CHECK(a.Run("SELECT * FROM v") == SQLITE_ERROR);
  }
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(store.NewCounts().at("ok") >= 1);
}

TEST_CASE_FIXTURE(Fixture, "two files of the same name are not one store") {
  const std::string folder = store.directory() + "/elsewhere";
  std::filesystem::create_directory(folder);
  Database b(folder + "/" + std::filesystem::path(store.path()).filename().string());
  CHECK(b.Run("CREATE TABLE x(y)") == SQLITE_OK);
  CHECK(b.Ask("SELECT outgrown_status()").find("belongs to " + store.path()) != std::string::npos);
  CHECK(Counted() == "{}");
}

TEST_CASE("an application whose blocks cannot be opened runs as if there were no extension") {
  ObservedStore store;
  ::setenv("OUTGROWN_DIR", "/nonexistent/folder", 1);
  Database a(store.path());
  CHECK(sqlite3_errcode(a.handle()) == SQLITE_OK);
  CHECK(a.Run("CREATE TABLE x(y); BEGIN; INSERT INTO x VALUES(1); COMMIT") == SQLITE_OK);
  CHECK(a.Ask("SELECT outgrown_status()").find("not counting: ") == 0);
}

TEST_CASE_FIXTURE(Fixture, "opening leaves no error and touches no file") {
  const std::string path = store.directory() + "/untouched.db";
  Database b(path);
  CHECK(sqlite3_errcode(b.handle()) == SQLITE_OK);
  CHECK(std::filesystem::file_size(path) == 0);
}

TEST_CASE_FIXTURE(Fixture, "threads with connections of their own lose nothing") {
  constexpr int kThreads = 4;
  constexpr int kWrites = 100;
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Database mine(store.path());
      sqlite3_busy_timeout(mine.handle(), 60'000);
      for (int j = 0; j < kWrites; ++j) {
        const std::string id = std::to_string(100 + i * kWrites + j);
        mine.Run(j % 2 == 0 ? "INSERT INTO t(id) VALUES(" + id + ")"
                            : "BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(" + id + "); COMMIT");
        mine.Run("INSERT INTO t(id) VALUES(1)");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(Counted() == "{constraint: 400, ok: 400}");
  CHECK(a.Ask("SELECT count(*) FROM t") == "401");
}

TEST_CASE_FIXTURE(Fixture, "one connection that threads use in turn is one connection") {
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  std::thread([&] { a.Run("INSERT INTO t(id) VALUES(3); COMMIT"); }).join();
  std::thread([&] { a.Run("BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(4)"); }).join();
  CHECK(a.Run("COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  CHECK(store.InFlight() == 0);
}

TEST_CASE_FIXTURE(Fixture, "a forked child counts what it writes on connections of its own") {
  a.Close();  // SQLite's connections don't survive a fork
  const pid_t child = ::fork();
  if (child == 0) {
    sqlite3* db = nullptr;
    const bool written =
        sqlite3_open(store.path().c_str(), &db) == SQLITE_OK &&
        sqlite3_exec(db, "INSERT INTO t(id) VALUES(2)", nullptr, nullptr, nullptr) == SQLITE_OK;
    ::_exit(written ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(Counted() == "{ok: 1}");
}
