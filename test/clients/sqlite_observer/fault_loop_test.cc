// SQLite's own way to test I/O errors: the same work again and again, in which the first call on a file fails, then the
// second, and so on, until the work is done without a fault. Once the fault is a single one, once it lasts. What was
// counted must be what the application was told, and every write that was counted as ok must be in the file.
#include <cstdint>
#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/faulty_vfs.h"
#include "test/clients/sqlite_observer/observed_store.h"
#include "test/support/rounds.h"

using outgrown::test::Counts;
using outgrown::test::Database;
using outgrown::test::faults;
using outgrown::test::ObservedStore;
using outgrown::test::RegisterFaultyVfs;
using outgrown::test::Rounds;
using outgrown::test::Text;
using outgrown::test::UnregisterFaultyVfs;

namespace {

constexpr const char* kWrites[] = {
    "INSERT INTO t(u) VALUES(#)",
    "BEGIN; INSERT INTO t(u) VALUES(#); COMMIT",
    "BEGIN IMMEDIATE; INSERT INTO t(u) VALUES(#); COMMIT",
    "INSERT INTO t(u) VALUES(#) RETURNING id",
};

std::string KindOf(int code) {
  switch (code & 0xff) {
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return "io";
    case SQLITE_BUSY:
      return "busy";
    case SQLITE_FULL:
      return "full";
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return "corrupt";
    default:
      return "other";
  }
}

// Does the work; what it must count as goes to `expected`, and what happened to `history`.
void Work(Database& database, Counts& expected, std::string& history) {
  int id = 0;
  for (const char* write : kWrites) {
    std::string sql = write;
    sql.replace(sql.find('#'), 1, std::to_string(++id));
    const int code = database.Run(sql);
    history += sql + " = " + std::to_string(code) + "\n";
    if (code == SQLITE_OK) {
      ++expected["ok"];
      continue;
    }
    if (!database.failed_to_compile()) ++expected[KindOf(code)];
    if (sqlite3_get_autocommit(database.handle()) == 0) database.Run("ROLLBACK");
  }
}

}  // namespace

TEST_CASE("whichever call on a file fails, what is counted is what the application was told") {
  RegisterFaultyVfs(false);
  for (const std::string mode : {"wal", "delete", "persist"}) {
    for (const bool lasting : {false, true}) {
      // In `./run soak` each call; else every third, and others in other modes.
      int call = Rounds(1 + (lasting ? 1 : 0) + static_cast<int>(mode.size()) % 3, 1);
      for (bool was_injected = true; was_injected; call += Rounds(3, 1)) {
        ObservedStore store;
        std::string history;
        Counts expected;
        {
          Database database(store.path(), "faulty");
          CHECK(database.Ask("PRAGMA journal_mode = " + mode) == mode);
          REQUIRE(database.Run("PRAGMA synchronous = FULL; PRAGMA cache_size = 5;"
                               "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE)") == SQLITE_OK);
          store.NewCounts();
          faults = {.calls_until_fault = call, .lasting = lasting};
          Work(database, expected, history);
          was_injected = faults.injected > 0;
          faults = {};
          CAPTURE(mode);
          CAPTURE(lasting);
          CAPTURE(call);
          CAPTURE(history);
          CHECK(Text(store.NewCounts()) == Text(expected));
          CHECK(store.InFlight() == 0);
          CHECK(store.TracesLost() == 0);
        }
        Database again(store.path());
        // A commit whose sync failed is an error, and may be found in the WAL all the same.
        const std::uint64_t rows = std::stoull(again.Ask("SELECT count(*) FROM t"));
        CHECK(rows >= expected["ok"]);
        CHECK(rows <= expected["ok"] + expected["io"]);
        CHECK(again.Ask("PRAGMA integrity_check") == "ok");
      }
      CHECK(call > 20);
    }
  }
  UnregisterFaultyVfs();
}
