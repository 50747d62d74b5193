// Several threads and processes, with connections of their own and with one in turn.
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <barrier>
#include <cstdint>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "counterblock/reader.h"
#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/wal_fixture.h"

using outgrown::block::ReadBlock;
using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::WalFixture;

TEST_CASE_FIXTURE(WalFixture, "threads with connections of their own lose nothing") {
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

TEST_CASE_FIXTURE(WalFixture, "threads that share a cache, opening and closing all the time, lose nothing") {
  constexpr int kThreads = 4;
  constexpr int kConnections = 25;
  std::vector<std::thread> threads;
  std::atomic<int> written = 0;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < kConnections; ++j) {
        Database mine("file:" + store.path() + "?cache=shared");
        for (int k = 0; k < 4; ++k) written += mine.Run("INSERT INTO t DEFAULT VALUES") == SQLITE_OK ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(written > 0);
  CHECK(store.NewCounts()["ok"] == static_cast<std::uint64_t>(written));
  CHECK(store.TracesLost() == 0);
}

TEST_CASE_FIXTURE(WalFixture, "threads that open a shared cache at the same moment count each write once") {
  constexpr int kRounds = 200;
  a.Close();  // so that each round makes the cache anew
  std::atomic<std::uint64_t> written = 0;
  std::barrier together(2);
  const auto work = [&] {
    for (int j = 0; j < kRounds; ++j) {
      together.arrive_and_wait();
      Database mine("file:" + store.path() + "?cache=shared");
      written += mine.Run("INSERT INTO t DEFAULT VALUES") == SQLITE_OK ? 1 : 0;
      together.arrive_and_wait();
    }
  };
  std::thread other(work);
  work();
  other.join();
  CHECK(written >= kRounds);
  CHECK(store.NewCounts()["ok"] == written);
}

TEST_CASE("threads that open the same databases with room for few stores lose nothing") {
  constexpr int kThreads = 4;
  constexpr std::size_t kFiles = 12;
  const ObservedStore folder;
  const auto path = [&](std::size_t file) {
    return folder.directory() + "/file" + std::to_string(file) + ".db";
  };
  std::array<std::atomic<std::uint64_t>, kFiles> written = {};
  for (std::size_t file = 0; file < kFiles; ++file) {
    Database made("file:" + path(file) + "?outgrown=off");
    REQUIRE(made.Run("CREATE TABLE t(x)") == SQLITE_OK);
  }
  ::setenv("OUTGROWN_STORES_MAX", std::to_string(kThreads).c_str(), 1);
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      std::minstd_rand random(i + 1);
      for (int j = 0; j < 100; ++j) {
        const std::size_t file = random() % kFiles;
        Database mine(path(file));
        sqlite3_busy_timeout(mine.handle(), 60'000);
        if (mine.Run("PRAGMA synchronous = OFF; INSERT INTO t VALUES(1)") == SQLITE_OK) ++written[file];
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (std::size_t file = 0; file < kFiles; ++file) {
    const auto block = ReadBlock(folder.directory(), {"file" + std::to_string(file)});
    CHECK((block.ok() ? block->writes[0] : 0) == written[file]);
  }
}

TEST_CASE_FIXTURE(WalFixture, "one connection that threads use in turn is one connection") {
  CHECK(a.Run("BEGIN; INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  std::thread([&] { a.Run("INSERT INTO t(id) VALUES(3); COMMIT"); }).join();
  std::thread([&] { a.Run("BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(4)"); }).join();
  CHECK(a.Run("COMMIT") == SQLITE_OK);
  CHECK(Counted() == "{ok: 2}");
  CHECK(store.InFlight() == 0);
}

TEST_CASE_FIXTURE(WalFixture, "a forked child counts what it writes on connections of its own") {
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
