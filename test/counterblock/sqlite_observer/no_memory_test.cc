// Memory that runs out: the observer's first allocation in a connection's life fails, then the second, and so on, until
// a life goes by without a failure. The application's own statements never notice, and nothing is left behind.
#include <stdlib.h>

#include <cstddef>
#include <cstring>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "test/counterblock/sqlite_observer/observed_store.h"
#include "test/counterblock/sqlite_observer/wal_fixture.h"

using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::SomebodysTrace;
using outgrown::test::Text;

namespace {

// Which of this thread's allocations fails: 1 is the next, 0 none. SQLite's own are malloc's and don't.
thread_local int allocations_until_failure = 0;
thread_local bool failed = false;

void* Allocate(std::size_t size) {
  if (allocations_until_failure > 0 && --allocations_until_failure == 0) {
    failed = true;
    return nullptr;
  }
  return ::malloc(size == 0 ? 1 : size);
}

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

// The whole program's, and so the extension's too.
void* operator new(std::size_t size) {
  void* const memory = Allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t& /*unused*/) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { ::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { ::free(memory); }
void operator delete(void* memory, const std::nothrow_t& /*unused*/) noexcept { ::free(memory); }

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
    failed = false;
    allocations_until_failure = n;
    life.Live();
    allocations_until_failure = 0;
    was_failure = failed;
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
