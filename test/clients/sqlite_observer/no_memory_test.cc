// Memory that runs out: the observer's first allocation in a connection's life fails, then the second, and so on, until
// a life goes by without a failure. The application's own statements never notice, and nothing is left behind.
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/wal_fixture.h"
#include "test/counterblock/failing_memory.h"

using outgrown::test::Database;
using outgrown::test::FailsAt;
using outgrown::test::ObservedStore;
using outgrown::test::SomebodysTrace;
using outgrown::test::Text;

namespace {

// An answer of the SQL functions, kept without allocating.
struct Answer {
  char text[512];
};

int Keep(void* answer, int /*columns*/, char** values, char** /*names*/) {
  std::strncpy(static_cast<Answer*>(answer)->text, values[0] == nullptr ? "" : values[0], sizeof(Answer) - 1);
  return 0;
}

// A life of a connection.
struct Life {
  std::string name;    // the database's, or a URI of it
  std::string attach;  // the statement that attaches another one
  // Attaches, and calls the SQL functions: both observe again what could not be observed at first.
  bool is_eventful = true;
  bool statements_succeeded = true;
  bool was_counting = false;  // until somebody took the trace, as far as it was asked

  void Run(sqlite3* db, const char* sql) {
    statements_succeeded =
        sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK && statements_succeeded;
  }

  void Live() {
    sqlite3* db = nullptr;
    constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_URI;
    statements_succeeded = sqlite3_open_v2(name.c_str(), &db, kFlags, nullptr) == SQLITE_OK;
    Run(db, "PRAGMA synchronous = OFF; INSERT INTO t VALUES(1)");
    if (is_eventful) LiveThroughEvents(db);
    int calls = 0;
    sqlite3_trace_v2(db, SQLITE_TRACE_STMT, &SomebodysTrace, &calls);
    Run(db, "INSERT INTO t VALUES(3)");
    statements_succeeded = sqlite3_close(db) == SQLITE_OK && statements_succeeded;
  }

  void LiveThroughEvents(sqlite3* db) {
    Run(db, attach.c_str());
    Run(db,
        "PRAGMA other.synchronous = OFF; BEGIN; INSERT INTO t VALUES(2); INSERT INTO other.t VALUES(1); "
        "COMMIT");
    // These may fail, and there are none if memory was too short to make them.
    Answer answer = {};
    for (const char* sql :
         {"SELECT outgrown_ignore('other')", "SELECT outgrown_observe()", "SELECT outgrown_status()"}) {
      answer = {};
      sqlite3_exec(db, sql, &Keep, &answer, nullptr);
    }
    was_counting = std::string_view(answer.text).starts_with("counting main");
  }
};

// Nothing is left of the connections before.
void CheckNextIsCounted(ObservedStore& store, const char* rows) {
  CHECK(store.TracesLost() == 0);
  CHECK(store.InFlight() == 0);
  store.NewCounts();
  Database next(store.path());
  CHECK(next.Ask("SELECT count(*) FROM t") == rows);
  CHECK(next.Run("PRAGMA synchronous = OFF; INSERT INTO t VALUES(5)") == SQLITE_OK);
  CHECK(next.Ask("SELECT outgrown_status()").starts_with("counting main"));
  CHECK(Text(store.NewCounts()) == "{ok: 1}");
}

}  // namespace

TEST_CASE("whichever allocation fails, the application notices nothing, and the next connection is counted") {
  std::string cache;
  bool is_eventful = true;
  SUBCASE("in a cache of its own") {}
  SUBCASE("in a cache that another connection shares") { cache = "?cache=shared"; }
  SUBCASE("in such a cache, where a connection is not observed a second time") {
    cache = "?cache=shared";
    is_eventful = false;
  }
  int n = 0;
  bool was_failure = true;
  while (was_failure) {
    ++n;
    CAPTURE(n);
    ObservedStore store;
    const std::string other = store.path() + "-other.db";
    for (const std::string& path : {store.path(), other}) {
      Database made("file:" + path + "?outgrown=off");
      REQUIRE(made.Run("PRAGMA synchronous = OFF; CREATE TABLE t(x)") == SQLITE_OK);
    }
    std::optional<Database> sharing;
    if (!cache.empty()) sharing.emplace("file:" + store.path() + cache);
    Life life = {.name = "file:" + store.path() + cache,
                 .attach = "ATTACH '" + other + "' AS other",
                 .is_eventful = is_eventful};
    was_failure = FailsAt(n, [&] { life.Live(); });
    CHECK(life.statements_succeeded);
    if (life.was_counting || !was_failure) CHECK(store.WasTraceEverLost());
    {
      Database later(life.name);  // in the same cache, if it is shared
      CHECK(later.Run("PRAGMA synchronous = OFF; INSERT INTO t VALUES(4)") == SQLITE_OK);
    }
    sharing.reset();  // with the cache goes what an unobserved connection to it made a lost trace
    CheckNextIsCounted(store, is_eventful ? "4" : "3");
  }
  CHECK(n > 5);
}
