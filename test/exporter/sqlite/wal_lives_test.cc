// The order in which events and looks may come, without the thread of the watch.
#include "exporter/sqlite/wal_lives.h"

#include <sqlite3.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "test/common/temporary_folder.h"
#include "test/exporter/sqlite/sqlite_process.h"
#include "test/exporter/sqlite/wal_writers.h"

using namespace outgrown::test;  // NOLINT(google-build-using-namespace): its helpers
namespace fs = std::filesystem;
using outgrown::exporter::sqlite::kClockTickNs;
using outgrown::exporter::sqlite::WalLives;

TEST_CASE("an event that comes later than what it tells of is no other life") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  SqliteProcess writer(path);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  constexpr int kWatch = 7;
  WalLives lives(
      path + "-shm", [](int) { return kWatch; }, [](int) {});
  lives.SetWatched(true);
  const auto look = [&](std::vector<WalLives::Happened> events) {
    lives.Look(events);
    lives.Settle();
  };
  look({});
  for (int i = 0; i < 5; ++i) REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  look({});
  CHECK(lives.commits() == 5);
  look({{WalLives::Event::kChanged, kWatch}});  // it had grown before that, and was read as grown
  CHECK(lives.commits() == 5);
  CHECK(lives.missed() == 0);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  look({{WalLives::Event::kClosed}, {WalLives::Event::kChanged, kWatch}});  // that may have been another life
  CHECK(lives.commits() == 6);
  CHECK(lives.missed() == 1);
  writer.Kill();
  look({{WalLives::Event::kClosed}});
  SqliteProcess next(path);
  for (int i = 0; i < 9; ++i) REQUIRE(next.Exec(kInsert) == SQLITE_OK);
  look({{WalLives::Event::kChanged, kWatch}});
  CHECK(lives.commits() == 15);
  CHECK(lives.missed() == 1);
}

TEST_CASE("a process that wrote and was gone before the first look is missed at that look, and once") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  WalLives lives(
      path + "-shm", [](int) { return 1; }, [](int) {});
  lives.SetWatched(true);
  const auto look = [&](std::vector<WalLives::Happened> events) {
    lives.Look(events);
    lives.Settle();
  };
  look({});
  WritePerProcess(path, 1, 1000);
  look({{WalLives::Event::kCreated}, {WalLives::Event::kChanged, 1}, {WalLives::Event::kClosed}});
  CHECK(lives.commits() == 0);
  CHECK(lives.missed() == 1);
  look({});
  CHECK(lives.missed() == 1);
  SqliteProcess next(path);
  REQUIRE(next.Exec(kInsert) == SQLITE_OK);
  look({{WalLives::Event::kChanged, 1}});
  CHECK(lives.commits() == 1);
  CHECK(lives.missed() == 1);
}

TEST_CASE("a life that grew and then was closed is the same life") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  WritePerProcess(path, 1, 1000);
  WalLives lives(
      path + "-shm", [](int) { return 1; }, [](int) {});
  lives.SetWatched(true);
  const auto look = [&](std::vector<WalLives::Happened> events) {
    lives.Look(events);
    lives.Settle();
  };
  look({});
  for (std::uint64_t count = 1; count <= 3; ++count) {
    SqliteProcess writer(path);
    REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
    look({{WalLives::Event::kChanged, 1}});  // emptied
    writer.Kill();
    look({{WalLives::Event::kChanged, 1}, {WalLives::Event::kClosed}});
    CHECK(lives.commits() == count);
    CHECK(lives.missed() == 0);
  }
}

TEST_CASE("lives that were missed have no commits if nothing was written, and count if something was") {
  for (const bool is_killed : {true, false}) {
    CAPTURE(is_killed);
    const TemporaryFolder folder;
    const std::string path = (folder.path() / "a.db").string();
    MakeStore(path);
    if (is_killed) WritePerProcess(path, 1, 1000);  // leaves its log
    WalLives lives(
        path + "-shm", [](int) { return 1; }, [](int) {});
    lives.SetWatched(true);
    const auto look = [&](std::vector<WalLives::Happened> events) {
      lives.Look(events);
      lives.Settle();
    };
    const auto three_lives = [&](const char* sql) {
      std::vector<WalLives::Happened> events;
      for (int life = 0; life < 3; ++life) {
        SqliteProcess process(path);
        REQUIRE(process.Exec(sql) == SQLITE_OK);
        if (is_killed) {
          process.Kill();
          events.push_back({WalLives::Event::kChanged, 1});
          events.push_back({WalLives::Event::kClosed});
        } else {
          process.Close();
          events.push_back({WalLives::Event::kCreated});
          events.push_back({WalLives::Event::kRemoved});
        }
      }
      look(events);
    };
    const auto wait_for_clock = [&] {
      const auto written = fs::last_write_time(is_killed ? path + "-wal" : path);
      while (fs::file_time_type::clock::now() < written + std::chrono::nanoseconds(kClockTickNs))
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    };
    wait_for_clock();
    look({});
    for (int round = 0; round < 2; ++round) three_lives("SELECT * FROM t");
    CHECK(lives.missed() == 0);
    three_lives(kInsert);
    CHECK(lives.missed() == 3);
    wait_for_clock();
    look({});
    three_lives("SELECT * FROM t");
    CHECK(lives.missed() == 3);
    CHECK(lives.commits() == 0);
  }
}
