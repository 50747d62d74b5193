// A store with a table and a row, and the statement that adds one.
#pragma once

#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"

namespace outgrown::test::first_read {

inline constexpr const char* kInsert = "INSERT INTO t(x) VALUES(1)";

struct Fixture {
  Fixture() {
    Database database(store.path());
    REQUIRE(database.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, x); INSERT INTO t(x) VALUES(1)") ==
            SQLITE_OK);
    database.Close();
    store.NewCounts();
  }
  std::string Counted() { return Text(store.NewCounts()); }
  ObservedStore store;
};

}  // namespace outgrown::test::first_read
