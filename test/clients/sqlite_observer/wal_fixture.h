// A store with one observed connection and a table, in WAL mode, and what is counted in it.
#pragma once

#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"

namespace outgrown::test {

struct WalFixture {
  ObservedStore store;
  Database a{store.path()};

  WalFixture() {
    REQUIRE(a.Run("PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL;"
                  "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, bytes);"
                  "INSERT INTO t VALUES(1, 1, zeroblob(9))") == SQLITE_OK);
    store.NewCounts();
  }
  std::string Counted() { return Text(store.NewCounts()); }
};

inline sqlite3_stmt* Prepare(Database& database, const char* sql) {
  sqlite3_stmt* statement = nullptr;
  REQUIRE(sqlite3_prepare_v2(database.handle(), sql, -1, &statement, nullptr) == SQLITE_OK);
  return statement;
}

// For sqlite3_trace_v2: another user of the trace, who counts its calls in an int.
inline int SomebodysTrace(unsigned /*event*/, void* calls, void* /*what*/, void* /*detail*/) {
  ++*static_cast<int*>(calls);
  return 0;
}

}  // namespace outgrown::test
