// A connection that reads the schema again: because another one changed it, or though it is damaged.
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/first_read_fixture.h"
#include "test/clients/sqlite_observer/observed_store.h"

using outgrown::test::Counts;
using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::Text;
using outgrown::test::first_read::Fixture;
using outgrown::test::first_read::kInsert;

namespace {

// What another process may do to the file while a connection is open.
void DamageSchema(const std::string& path, bool in_place) {
  const std::string uncounted = "file:" + path + "?outgrown=off";
  CHECK(Database(uncounted).Run("PRAGMA writable_schema = ON; CREATE TABLE v(y);"
                                "UPDATE sqlite_master SET sql = 'CREATE TABL v(y' WHERE name = 'v'") ==
        SQLITE_OK);
  if (!in_place) return;
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(100);
  file << std::string(60, '\0');
}

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a schema that is damaged") {
  for (const std::string mode : {"delete", "wal"}) {
    CAPTURE(mode);
    std::filesystem::remove(store.path());
    {
      Database database(store.path());
      CHECK(database.Ask("PRAGMA journal_mode = " + mode) == mode);
      CHECK(database.Run("CREATE TABLE t(x)") == SQLITE_OK);
    }
    Counted();
    {
      std::fstream file(store.path(), std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(100);
      file << std::string(60, '\7');
    }
    for (int i = 0; i < 2; ++i) {
      Database request(store.path());
      CHECK(request.Run("BEGIN") == SQLITE_OK);
      CHECK(request.Run(kInsert) == SQLITE_CORRUPT);
      CHECK(request.Run("ROLLBACK") == SQLITE_OK);
    }
    CHECK(Counted() == "{corrupt: 2}");
  }
}

TEST_CASE_FIXTURE(Fixture, "a schema that is damaged while a connection that has read it is open") {
  for (const std::string mode : {"delete", "wal"}) {
    for (const bool in_place : {false, true}) {
      if (in_place && mode == "wal") continue;  // what the log holds is read from there
      for (const bool reads_first : {false, true}) {
        CAPTURE(mode);
        CAPTURE(in_place);
        CAPTURE(reads_first);
        ObservedStore damaged;
        Database database(damaged.path());
        CHECK(database.Ask("PRAGMA journal_mode = " + mode) == mode);
        CHECK(database.Run(std::string("CREATE TABLE t(x);") + kInsert) == SQLITE_OK);
        damaged.NewCounts();
        DamageSchema(damaged.path(), in_place);
        if (reads_first) CHECK(database.Run("SELECT * FROM t") == SQLITE_CORRUPT);
        for (int i = 0; i < 3; ++i) {
          CHECK(database.Run("BEGIN") == SQLITE_OK);
          CHECK(database.Run(kInsert) == SQLITE_CORRUPT);
          CHECK(database.Run("ROLLBACK") == SQLITE_OK);
        }
        const Counts counts = damaged.NewCounts();
        std::uint64_t failures = 0;
        for (const auto& [outcome, count] : counts) failures += count;
        CHECK(counts.count("ok") == 0);
        // In a transaction the first finds its statement outdated with the lock to write held, which shows nothing.
        CHECK(failures == (reads_first ? 4 : 2));
      }
    }
  }
}

TEST_CASE_FIXTURE(Fixture,
                  "each attempt that finds the schema damaged, though no statement runs in between") {
  for (const std::string mode : {"delete", "wal"}) {
    for (const bool in_place : {false, true}) {
      if (in_place && mode == "wal") continue;
      for (const bool is_kept : {false, true}) {
        CAPTURE(mode);
        CAPTURE(in_place);
        CAPTURE(is_kept);
        ObservedStore damaged;
        Database database(damaged.path());
        CHECK(database.Ask("PRAGMA journal_mode = " + mode) == mode);
        CHECK(database.Run("CREATE TABLE t(x)") == SQLITE_OK);
        sqlite3_stmt* kept = nullptr;
        CHECK(sqlite3_prepare_v2(database.handle(), kInsert, -1, &kept, nullptr) == SQLITE_OK);
        damaged.NewCounts();
        DamageSchema(damaged.path(), in_place);
        for (int i = 0; i < 4; ++i) {
          if (is_kept) {
            CHECK(sqlite3_step(kept) == SQLITE_CORRUPT);
            sqlite3_reset(kept);
          } else {
            CHECK(database.Run(kInsert) == SQLITE_CORRUPT);
          }
        }
        CHECK(Text(damaged.NewCounts()) == (in_place ? "{corrupt: 3}" : "{other: 3}"));
        sqlite3_finalize(kept);
        database.Close();
        CHECK(damaged.NewCounts().size() == 1);
      }
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "what makes a connection read a sound schema again is no failure") {
  const std::string fast = "PRAGMA synchronous = off;";
  // Its schema stays in memory, and is the larger part.
  std::string attach = "ATTACH ':memory:' AS o";
  for (int i = 0; i < 30; ++i) attach += "; CREATE TABLE o.w" + std::to_string(i) + "(x)";
  Database other("file:" + store.path() + "?outgrown=off");
  CHECK(other.Run(fast) == SQLITE_OK);
  for (const std::string mode : {"delete", "wal"}) {
    CHECK(other.Ask("PRAGMA journal_mode = " + mode) == mode);
    for (const std::string change : {"CREATE TABLE u(x); ALTER TABLE u RENAME TO v; DROP TABLE v", "VACUUM",
                                     "PRAGMA schema_version = 777", "ALTER TABLE t RENAME TO u",
                                     "CREATE TABLE u(x); INSERT INTO u VALUES(1); ANALYZE"}) {
      for (const std::string next :
           {"", "SELECT count(*) FROM t", "BEGIN; ROLLBACK", "VACUUM", "INSERT INTO nowhere VALUES(1)",
            attach.c_str(), "CREATE TEMP TABLE w(x)", "BEGIN; CREATE TABLE w(x); ROLLBACK",
            "PRAGMA temp_store = memory"}) {
        CAPTURE(mode);
        CAPTURE(change);
        CAPTURE(next);
        Database database(store.path());
        CHECK(database.Run(fast) == SQLITE_OK);
        sqlite3_stmt* kept = nullptr;
        CHECK(sqlite3_prepare_v2(database.handle(), kInsert, -1, &kept, nullptr) == SQLITE_OK);
        int written = 0;
        const auto write = [&] {
          if (sqlite3_step(kept) == SQLITE_DONE) ++written;
          sqlite3_reset(kept);
          if (database.Run(kInsert) == SQLITE_OK) ++written;
          if (database.Run(next) == SQLITE_OK && next == "VACUUM") ++written;
          sqlite3_db_release_memory(database.handle());
        };
        write();
        for (int i = 0; i < 2; ++i) {
          CHECK(other.Run(change) == SQLITE_OK);
          write();
          CHECK(other.Run("DROP TABLE IF EXISTS t; DROP TABLE IF EXISTS u;"
                          "CREATE TABLE t(id INTEGER PRIMARY KEY, x)") == SQLITE_OK);
          if (database.Run(next) == SQLITE_OK && next == "VACUUM") ++written;
          write();
        }
        sqlite3_finalize(kept);
        database.Close();
        CHECK(Counted() == "{ok: " + std::to_string(written) + "}");
      }
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "what stops the schema from being read again is no failure of the store") {
  Database other("file:" + store.path() + "?outgrown=off");
  for (int i = 0; i < 30; ++i) {
    CHECK(other.Run("CREATE TABLE u" + std::to_string(i) + "(x)") == SQLITE_OK);
  }
  for (const std::string mode : {"delete", "wal"}) {
    CAPTURE(mode);
    CHECK(other.Ask("PRAGMA journal_mode = " + mode) == mode);
    // After the statement has found itself outdated, and before the schema is read.
    for (const int instructions : {5, 10, 20, 40}) {
      CAPTURE(instructions);
      Database database(store.path());
      CHECK(database.Run(kInsert) == SQLITE_OK);
      Counted();
      CHECK(other.Run("CREATE TABLE u(x); DROP TABLE u") == SQLITE_OK);
      sqlite3_progress_handler(
          database.handle(), instructions, [](void*) { return 1; }, nullptr);
      for (int i = 0; i < 3; ++i) {
        CHECK(database.Run(kInsert) == SQLITE_INTERRUPT);
        CHECK(database.failed_to_compile() == (i > 0));
      }
      sqlite3_progress_handler(database.handle(), 0, nullptr, nullptr);
      if (instructions > 10) CHECK(database.Run("BEGIN; ROLLBACK") == SQLITE_OK);
      database.Close();
      CHECK(Counted() == "{}");
    }
  }
}

TEST_CASE_FIXTURE(Fixture, "the page size is another than when the connection was opened") {
  for (const std::string first : {"", "SELECT count(*) FROM t;"}) {
    for (const std::string size : {"1024", "8192"}) {
      CAPTURE(first);
      CAPTURE(size);
      Database request(store.path());
      Database other(store.path());
      CHECK(other.Run("PRAGMA page_size = " + size + "; VACUUM") == SQLITE_OK);
      CHECK(request.Run(first + kInsert) == SQLITE_OK);
      CHECK(Counted() == "{ok: 2}");
    }
  }
}
