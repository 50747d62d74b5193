// Tables of SQL scripts with the counts that they must give, in every journal mode. In the end the writes that
// were counted as ok must be as many as the commits that SQLite has counted itself.
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/scripts.h"

using outgrown::test::Counts;
using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::OneConnection;
using outgrown::test::Script;
using outgrown::test::Step;
using outgrown::test::TempFailure;
using outgrown::test::Text;
using outgrown::test::TwoConnections;

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
      store.NewEnds();
      const auto commits_before = store.CommitCounter();
      RunSteps(script, a, nullptr);
      const Counts counts = store.NewEnds();
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
      store.NewEnds();
      RunSteps(script, a, nullptr);
      const Counts counts = store.NewEnds();
      // Of a statement without a change it tells nobody there (SQLite 3.40.1, pager.c, sqlite3PagerCommitPhaseTwo).
      const bool is_silent = mode == "persist" && counts.empty();
      if (!is_silent || !std::string(script.counts).starts_with("{unchanged"))
        CHECK(Text(counts) == std::string(script.counts));
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
      store.NewEnds();
      const auto commits_before = store.CommitCounter();
      RunSteps(script, a, &b);
      const Counts counts = store.NewEnds();
      CHECK(Text(counts) == std::string(script.counts));
      CHECK(store.TracesLost() == 0);
      const auto commits_after = store.CommitCounter();
      REQUIRE((commits_before && commits_after));
      CHECK(*commits_after - *commits_before == (counts.contains("ok") ? counts.at("ok") : 0));
    }
  }
}
