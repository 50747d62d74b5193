// Tables of SQL scripts with the counts that they must give, in every journal mode. In the end the writes that
// were counted as ok must be as many as the commits that SQLite has counted itself.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/counterblock/sqlite_observer/observed_store.h"

using outgrown::test::Counts;
using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::Text;

namespace {

constexpr const char* kJournalModes[] = {"wal", "delete", "truncate", "persist", "memory", "off"};

constexpr const char* kSchema =
    "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL DEFAULT 0);"
    "CREATE TABLE child(parent REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED);"
    "CREATE TABLE guarded(x);"
    "CREATE TABLE log(x);"
    "CREATE TRIGGER guard BEFORE INSERT ON guarded WHEN new.x < 0 BEGIN SELECT RAISE(ABORT, 'negative'); END;"
    "CREATE TRIGGER note AFTER INSERT ON guarded BEGIN INSERT INTO log VALUES(new.x); END;"
    "INSERT INTO t(id, u) VALUES(1, 1), (2, 2), (3, 3)";

struct Step {
  char connection;
  const char* sql;
  int code = SQLITE_OK;
};

struct Script {
  std::string name;
  std::vector<Step> steps;
  const char* counts;
  const char* only = "";  // the journal modes in which it is meant, all if empty
};

const std::vector<Script>& OneConnection() {
  static const std::vector<Script> scripts = {
      {"a statement of its own", {{'a', "INSERT INTO t(id) VALUES(4)"}}, "{ok: 1}"},
      {"three statements of their own",
       {{'a', "INSERT INTO t(id) VALUES(4); UPDATE t SET u = 9 WHERE id = 1; DELETE FROM t"}},
       "{ok: 3}"},
      {"a comment in front", {{'a', "-- why\nINSERT INTO t(id) VALUES(4)"}}, "{ok: 1}"},
      {"a transaction is one write",
       {{'a', "BEGIN; INSERT INTO t(id) VALUES(4); INSERT INTO t(id) VALUES(5); COMMIT"}},
       "{ok: 1}"},
      {"an immediate one too", {{'a', "BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(4); END"}}, "{ok: 1}"},
      {"an exclusive one too", {{'a', "BEGIN EXCLUSIVE; INSERT INTO t(id) VALUES(4); COMMIT"}}, "{ok: 1}"},
      {"rolled back on purpose", {{'a', "BEGIN; INSERT INTO t(id) VALUES(4); ROLLBACK"}}, "{}"},
      {"nothing in it", {{'a', "BEGIN; COMMIT"}}, "{}"},
      {"the lock and nothing else", {{'a', "BEGIN IMMEDIATE; COMMIT"}}, "{}"},
      {"the lock, given back", {{'a', "BEGIN IMMEDIATE; ROLLBACK"}}, "{}"},
      {"only reading", {{'a', "SELECT * FROM t; BEGIN; SELECT * FROM t; COMMIT"}}, "{}"},
      {"no row is meant", {{'a', "UPDATE t SET u = 7 WHERE 0; DELETE FROM t WHERE id = 99"}}, "{}"},
      {"a row that is ignored", {{'a', "INSERT OR IGNORE INTO t(id) VALUES(1)"}}, "{}"},
      {"a row that is replaced", {{'a', "INSERT OR REPLACE INTO t(id, u) VALUES(1, 2)"}}, "{ok: 1}"},
      {"a constraint",
       {{'a', "INSERT INTO t(id) VALUES(1)", SQLITE_CONSTRAINT_PRIMARYKEY},
        {'a', "INSERT INTO t(u) VALUES(1)", SQLITE_CONSTRAINT_UNIQUE},
        {'a', "INSERT INTO t(n) VALUES(NULL)", SQLITE_CONSTRAINT_NOTNULL}},
       "{constraint: 3}"},
      {"a constraint, then rollback",
       {{'a', "BEGIN"},
        {'a', "INSERT INTO t(id) VALUES(1)", SQLITE_CONSTRAINT_PRIMARYKEY},
        {'a', "ROLLBACK"}},
       "{constraint: 1}"},
      {"a change, a constraint, then rollback",
       {{'a', "BEGIN; INSERT INTO t(id) VALUES(4)"},
        {'a', "INSERT INTO t(id) VALUES(1)", SQLITE_CONSTRAINT_PRIMARYKEY},
        {'a', "ROLLBACK"}},
       "{constraint: 1}"},
      {"a constraint, then a change, then commit",
       {{'a', "BEGIN"},
        {'a', "INSERT INTO t(id) VALUES(1)", SQLITE_CONSTRAINT_PRIMARYKEY},
        {'a', "INSERT INTO t(id) VALUES(4); COMMIT"}},
       "{ok: 1}"},
      {"a constraint that takes the transaction with it",
       {{'a', "BEGIN; INSERT INTO t(id) VALUES(4)"},
        {'a', "INSERT OR ROLLBACK INTO t(id) VALUES(1)", SQLITE_CONSTRAINT_PRIMARYKEY},
        {'a', "COMMIT", SQLITE_ERROR}},
       "{constraint: 1}",
       "wal delete truncate persist memory"},
      {"a constraint after some rows that stay",
       {{'a', "INSERT OR FAIL INTO t(id) VALUES(4), (5), (1), (6)", SQLITE_CONSTRAINT_PRIMARYKEY}},
       "{ok: 1}"},
      {"a constraint before any row that would stay",
       {{'a', "INSERT OR FAIL INTO t(id) VALUES(1), (4)", SQLITE_CONSTRAINT_PRIMARYKEY}},
       "{constraint: 1}"},
      {"a trigger that refuses",
       {{'a', "INSERT INTO guarded VALUES(-1)", SQLITE_CONSTRAINT_TRIGGER}},
       "{constraint: 1}"},
      {"a trigger that writes", {{'a', "INSERT INTO guarded VALUES(1)"}}, "{ok: 1}"},
      {"a deferred foreign key fails the commit",
       {{'a', "BEGIN; INSERT INTO child VALUES(77)"},
        {'a', "COMMIT", SQLITE_CONSTRAINT_FOREIGNKEY},
        {'a', "ROLLBACK"}},
       "{constraint: 1}",
       "wal delete truncate persist memory"},
      {"a deferred foreign key fails the commit and is mended",
       {{'a', "BEGIN; INSERT INTO child VALUES(77)"},
        {'a', "COMMIT", SQLITE_CONSTRAINT_FOREIGNKEY},
        {'a', "INSERT INTO t(id) VALUES(77); COMMIT"}},
       "{ok: 1}"},
      {"savepoints as a transaction",
       {{'a',
         "SAVEPOINT s; INSERT INTO t(id) VALUES(4); SAVEPOINT i; INSERT INTO t(id) VALUES(5); RELEASE i; "
         "RELEASE s"}},
       "{ok: 1}"},
      {"a savepoint rolled back, the rest committed",
       {{'a',
         "BEGIN; INSERT INTO t(id) VALUES(4); SAVEPOINT s; INSERT INTO t(id) VALUES(5); ROLLBACK TO s; "
         "COMMIT"}},
       "{ok: 1}",
       "wal delete truncate persist memory"},
      {"TEMP tables are not the store",
       {{'a',
         "CREATE TEMP TABLE mine(x); INSERT INTO mine VALUES(1); BEGIN; INSERT INTO mine VALUES(2); COMMIT"}},
       "{}"},
      {"TEMP and store in one transaction",
       {{'a',
         "CREATE TEMP TABLE mine(x); BEGIN; INSERT INTO mine VALUES(1); INSERT INTO t(id) VALUES(4); "
         "COMMIT"}},
       "{ok: 1}"},
      {"an attached :memory: database is not the store",
       {{'a', "ATTACH ':memory:' AS m; CREATE TABLE m.x(y); INSERT INTO m.x VALUES(1)"}},
       "{}"},
      {"schema changes",
       {{'a', "CREATE TABLE x(y); CREATE INDEX i ON x(y); ALTER TABLE x ADD COLUMN z; DROP TABLE x"}},
       "{ok: 4}"},
      {"a table that is there already", {{'a', "CREATE TABLE IF NOT EXISTS t(id)"}}, "{}"},
      {"CREATE TABLE AS", {{'a', "CREATE TABLE x AS SELECT * FROM t"}}, "{ok: 1}"},
      {"VACUUM", {{'a', "VACUUM"}}, "{ok: 1}"},
      {"VACUUM INTO reads the store", {{'a', "VACUUM INTO 'file:copy?mode=memory'"}}, "{}"},
      {"VACUUM that turns auto_vacuum on", {{'a', "PRAGMA auto_vacuum = INCREMENTAL; VACUUM"}}, "{ok: 1}"},
      {"ANALYZE and REINDEX", {{'a', "ANALYZE"}, {'a', "REINDEX"}}, "{ok: 2}"},
      {"PRAGMA user_version", {{'a', "PRAGMA user_version = 7"}}, "{ok: 1}"},
      {"RETURNING, read to its end", {{'a', "INSERT INTO t(id) VALUES(4), (5) RETURNING id"}}, "{ok: 1}"},
      {"full text",
       {{'a', "CREATE VIRTUAL TABLE f USING fts5(x); INSERT INTO f VALUES('one two')"}},
       "{ok: 2}"},
      {"what doesn't compile never ran",
       {{'a', "INSERT INTO nowhere VALUES(1)", SQLITE_ERROR}, {'a', "INSRT", SQLITE_ERROR}},
       "{}"},
      {"EXPLAIN writes nothing", {{'a', "EXPLAIN INSERT INTO t(id) VALUES(4)"}}, "{}"},
      {"not allowed to write",
       {{'a', "PRAGMA query_only = 1"},
        {'a', "INSERT INTO t(id) VALUES(4)", SQLITE_READONLY},
        {'a', "PRAGMA query_only = 0"}},
       "{other: 1}"},
      {"the wrong type", {{'a', "INSERT INTO t(id) VALUES('x')", SQLITE_MISMATCH}}, "{other: 1}"},
      {"the file may not grow",
       {{'a', "PRAGMA max_page_count = 12"},
        {'a', "INSERT INTO log VALUES(zeroblob(200000))", SQLITE_FULL},
        {'a', "BEGIN; INSERT INTO log VALUES(1)"},
        {'a', "INSERT INTO log VALUES(zeroblob(200000))", SQLITE_FULL},
        {'a', "ROLLBACK", SQLITE_ERROR}},
       "{full: 2}",
       "wal delete truncate persist memory"},
      {"a failing COMMIT without a transaction", {{'a', "COMMIT", SQLITE_ERROR}}, "{}"},
      {"spilled to the file, then rolled back",
       {{'a', "PRAGMA cache_size = 5"},
        {'a',
         "BEGIN; INSERT INTO log WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50)"
         " SELECT zeroblob(3000) FROM n; ROLLBACK; BEGIN IMMEDIATE; COMMIT"}},
       "{}",
       "wal delete truncate persist memory"},
      {"spilled to the file, then committed",
       {{'a', "PRAGMA cache_size = 5"},
        {'a',
         "INSERT INTO log WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 50)"
         " SELECT zeroblob(3000) FROM n"}},
       "{ok: 1}"},
  };
  return scripts;
}

// With locking_mode=EXCLUSIVE nothing tells that a failed statement was not the store's.
const Script& TempFailure() {
  static const Script script = {"nor are their constraints",
                                {{'a', "CREATE TEMP TABLE mine(x UNIQUE); INSERT INTO mine VALUES(1)"},
                                 {'a', "INSERT INTO mine VALUES(1)", SQLITE_CONSTRAINT_UNIQUE},
                                 {'a', "BEGIN; INSERT INTO mine VALUES(2)"},
                                 {'a', "INSERT INTO mine VALUES(1)", SQLITE_CONSTRAINT_UNIQUE},
                                 {'a', "ROLLBACK"}},
                                "{}"};
  return script;
}

const std::vector<Script>& TwoConnections() {
  static const std::vector<Script> scripts = {
      {"BEGIN IMMEDIATE is refused",
       {{'a', "BEGIN IMMEDIATE"},
        {'b', "BEGIN IMMEDIATE", SQLITE_BUSY},
        {'b', "BEGIN IMMEDIATE", SQLITE_BUSY},
        {'a', "COMMIT"},
        {'b', "BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(4); COMMIT"}},
       "{busy: 2, ok: 1}"},
      {"a statement of its own is refused",
       {{'a', "BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(4)"},
        {'b', "INSERT INTO t(id) VALUES(5)", SQLITE_BUSY},
        {'a', "COMMIT"}},
       "{busy: 1, ok: 1}"},
      {"refused inside a transaction, then given up",
       {{'a', "BEGIN IMMEDIATE"},
        {'b', "BEGIN"},
        {'b', "INSERT INTO t(id) VALUES(5)", SQLITE_BUSY},
        {'b', "INSERT INTO t(id) VALUES(5)", SQLITE_BUSY},
        {'b', "ROLLBACK"},
        {'a', "COMMIT"}},
       "{busy: 2}"},
      {"refused inside a transaction, then tried again",
       {{'a', "BEGIN IMMEDIATE"},
        {'b', "BEGIN"},
        {'b', "INSERT INTO t(id) VALUES(5)", SQLITE_BUSY},
        {'a', "COMMIT"},
        {'b', "INSERT INTO t(id) VALUES(5); COMMIT"}},
       "{busy: 1, ok: 1}"},
      {"a stale snapshot",
       {{'a', "BEGIN; SELECT * FROM t"},
        {'b', "INSERT INTO t(id) VALUES(5)"},
        {'a', "INSERT INTO t(id) VALUES(4)", SQLITE_BUSY_SNAPSHOT},
        {'a', "ROLLBACK"}},
       "{busy_snapshot: 1, ok: 1}",
       "wal"},
      {"COMMIT is refused while somebody reads, then tried again",
       {{'b', "BEGIN; SELECT * FROM t"},
        {'a', "BEGIN; INSERT INTO t(id) VALUES(4)"},
        {'a', "COMMIT", SQLITE_BUSY},
        {'a', "COMMIT", SQLITE_BUSY},
        {'b', "COMMIT"},
        {'a', "COMMIT"}},
       "{ok: 1}",
       "delete truncate persist memory"},
      {"COMMIT is refused while somebody reads, then given up",
       {{'b', "BEGIN; SELECT * FROM t"},
        {'a', "BEGIN; INSERT INTO t(id) VALUES(4)"},
        {'a', "COMMIT", SQLITE_BUSY},
        {'a', "ROLLBACK"},
        {'b', "COMMIT"}},
       "{busy: 1}",
       "delete truncate persist memory"},
      {"a reader that is refused is no write",
       {{'a', "BEGIN EXCLUSIVE"}, {'b', "SELECT * FROM t", SQLITE_BUSY}, {'a', "COMMIT"}},
       "{}",
       "delete truncate persist memory"},
  };
  return scripts;
}

bool IsMeant(const Script& script, const std::string& mode) {
  return *script.only == '\0' ||
         (" " + std::string(script.only) + " ").find(" " + mode + " ") != std::string::npos;
}

void Prepare(Database& a, const std::string& mode) {
  CHECK(a.Run("PRAGMA foreign_keys = 1; PRAGMA synchronous = OFF") == SQLITE_OK);
  CHECK(a.Ask("PRAGMA journal_mode = " + mode) == mode);
  REQUIRE(a.Run(kSchema) == SQLITE_OK);
}

void RunSteps(const Script& script, Database& a, Database* b) {
  for (const Step& step : script.steps) {
    CAPTURE(step.sql);
    CHECK((step.connection == 'a' ? a : *b).Run(step.sql) == step.code);
  }
}

}  // namespace

TEST_CASE("what one connection does is counted as the table says, in every journal mode") {
  for (const std::string mode : kJournalModes) {
    std::vector<Script> scripts = OneConnection();
    scripts.push_back(TempFailure());
    for (const Script& script : scripts) {
      if (!IsMeant(script, mode)) continue;
      CAPTURE(mode);
      CAPTURE(script.name);
      ObservedStore store;
      Database a(store.path());
      Prepare(a, mode);
      store.NewCounts();
      const auto commits_before = store.CommitCounter();
      RunSteps(script, a, nullptr);
      const Counts counts = store.NewCounts();
      CHECK(Text(counts) == std::string(script.counts));
      CHECK(store.TracesLost() == 0);
      const auto commits_after = store.CommitCounter();
      REQUIRE((commits_before && commits_after));
      CHECK(*commits_after - *commits_before == (counts.contains("ok") ? counts.at("ok") : 0));
    }
  }
}

TEST_CASE("so it is with locking_mode=EXCLUSIVE") {
  for (const std::string mode : kJournalModes) {
    for (const Script& script : OneConnection()) {
      if (!IsMeant(script, mode)) continue;
      CAPTURE(mode);
      CAPTURE(script.name);
      ObservedStore store;
      Database a(store.path());
      CHECK(a.Ask("PRAGMA locking_mode = EXCLUSIVE") == "exclusive");
      Prepare(a, mode);
      store.NewCounts();
      RunSteps(script, a, nullptr);
      CHECK(Text(store.NewCounts()) == std::string(script.counts));
      CHECK(store.TracesLost() == 0);
    }
  }
}

TEST_CASE("what two connections do to each other is counted as the table says") {
  for (const std::string mode : kJournalModes) {
    for (const Script& script : TwoConnections()) {
      if (!IsMeant(script, mode)) continue;
      CAPTURE(mode);
      CAPTURE(script.name);
      ObservedStore store;
      Database a(store.path());
      Prepare(a, mode);
      Database b(store.path());
      CHECK(b.Run("PRAGMA journal_mode = " + mode + "; SELECT * FROM t") == SQLITE_OK);
      store.NewCounts();
      const auto commits_before = store.CommitCounter();
      RunSteps(script, a, &b);
      const Counts counts = store.NewCounts();
      CHECK(Text(counts) == std::string(script.counts));
      CHECK(store.TracesLost() == 0);
      const auto commits_after = store.CommitCounter();
      REQUIRE((commits_before && commits_after));
      CHECK(*commits_after - *commits_before == (counts.contains("ok") ? counts.at("ok") : 0));
    }
  }
}
