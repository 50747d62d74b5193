// The commits of every life of the wal-index, against the true number of commits of real SQLite processes.
#include "exporter/sqlite/wal_watch.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "common/check.h"
#include "test/common/temporary_folder.h"
#include "test/exporter/sqlite_process.h"
#include "test/support/rounds.h"

namespace fs = std::filesystem;
using outgrown::exporter::sqlite::WalWatch;
using outgrown::test::Rounds;
using outgrown::test::SqliteProcess;
using outgrown::test::TemporaryFolder;

namespace {

constexpr const char* kInsert = "INSERT INTO t VALUES (1)";

void MakeStore(const std::string& path) {
  SqliteProcess maker(path);
  OUTGROWN_CHECK(maker.Exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x)") == SQLITE_OK);
}

// Runs in a process of its own; returns when that has ended.
void InProcess(const std::function<void()>& work) {
  const pid_t child = ::fork();
  OUTGROWN_CHECK(child >= 0);
  if (child == 0) {
    work();
    ::_exit(0);
  }
  int status = 0;
  OUTGROWN_CHECK(::waitpid(child, &status, 0) == child && status == 0);
}

sqlite3* Connect(const std::string& path) {
  sqlite3* database = nullptr;
  OUTGROWN_CHECK(sqlite3_open(path.c_str(), &database) == SQLITE_OK);
  OUTGROWN_CHECK(sqlite3_exec(database, "PRAGMA synchronous=OFF", nullptr, nullptr, nullptr) == SQLITE_OK);
  return database;
}

// A connection for each write, as Django's and PHP's default; `per_second` 0: as fast as can be.
void WritePerConnection(const std::string& path, int count, double per_second, int commits_each = 1) {
  InProcess([&] {
    auto due = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) {
      sqlite3* database = Connect(path);
      for (int j = 0; j < commits_each; ++j)
        OUTGROWN_CHECK(sqlite3_exec(database, kInsert, nullptr, nullptr, nullptr) == SQLITE_OK);
      OUTGROWN_CHECK(sqlite3_close(database) == SQLITE_OK);
      if (per_second == 0) continue;
      due += std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / per_second));
      std::this_thread::sleep_until(due);
    }
  });
}

// A process for each write that ends without closing its connection.
void WritePerProcess(const std::string& path, int count, double per_second) {
  auto due = std::chrono::steady_clock::now();
  for (int i = 0; i < count; ++i) {
    InProcess([&] {
      OUTGROWN_CHECK(sqlite3_exec(Connect(path), kInsert, nullptr, nullptr, nullptr) == SQLITE_OK);
    });
    due += std::chrono::nanoseconds(static_cast<std::int64_t>(1e9 / per_second));
    std::this_thread::sleep_until(due);
  }
}

WalWatch::Seen Look(WalWatch& watch, const std::string& path) {
  const auto seen = watch.Look(path);
  REQUIRE(seen.has_value());
  return *seen;
}

// Returns when it has stopped.
void Stop(pid_t process) {
  ::kill(process, SIGSTOP);
  std::string state;
  while (state != "T") {
    std::ifstream file("/proc/" + std::to_string(process) + "/stat");
    std::string ignored;
    file >> ignored >> ignored >> state;
  }
}

// All of the truth, or a missed life is reported; never more than the truth. How many are missed is the machine's matter.
void CheckEvidence(const WalWatch::Seen& seen, std::uint64_t truth, const WalWatch::Seen& before = {}) {
  const std::uint64_t commits = seen.commits - before.commits;
  const std::uint64_t missed = seen.missed - before.missed;
  MESSAGE(commits, " of ", truth, " commits, missed lives ", missed);
  CHECK(seen.is_watched);
  CHECK(commits <= truth);
  if (missed == 0) CHECK(commits == truth);
}

}  // namespace

TEST_CASE("a connection for each write: the commits of every life add up") {
  struct Case {
    double per_second;
    int count;
  };
  const Case cases[] = {{50, Rounds(100, 20000)}, {150, Rounds(300, 20000)}, {0, Rounds(1000, 20000)}};
  for (const Case& c : cases) {
    CAPTURE(c.per_second);
    const TemporaryFolder folder;
    const std::string path = (folder.path() / "a.db").string();
    MakeStore(path);
    WalWatch watch;
    CHECK(Look(watch, path).commits == 0);
    WritePerConnection(path, c.count, c.per_second);
    const WalWatch::Seen seen = Look(watch, path);
    CheckEvidence(seen, static_cast<std::uint64_t>(c.count));
    CHECK(seen.commits > 0);
  }
}

TEST_CASE("processes that end without closing leave the file, and the next one's commits are added") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  WritePerProcess(path, 200, 50);
  CheckEvidence(Look(watch, path), 200);
  WritePerConnection(path, 50, 100);
  CheckEvidence(Look(watch, path), 250);
}

TEST_CASE("lives of several commits, killed and closed, between looks and across them") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  std::uint64_t truth = 0;
  for (int round = 0; round < 12; ++round) {
    CAPTURE(round);
    SqliteProcess one(path);
    SqliteProcess two(path);
    for (int i = 0; i <= round % 4; ++i, truth += 2) {
      REQUIRE(one.Exec(kInsert) == SQLITE_OK);
      REQUIRE(two.Exec(kInsert) == SQLITE_OK);
      if (i == 0) CHECK(Look(watch, path).commits == truth + 2);
    }
    if (round % 3 == 0) one.Kill();
    if (round % 6 < 4) two.Kill();
    one.Close();
    two.Close();
    const WalWatch::Seen seen = Look(watch, path);
    CHECK(seen.commits == truth);
    CHECK(seen.missed == 0);
  }
}

TEST_CASE("what was there before the first look does not count, nor what a copied wal-index brings along") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  SqliteProcess writer(path);
  for (int i = 0; i < 20; ++i) REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  CHECK(Look(watch, path).commits == 1);
  WalWatch restarted;
  CHECK(Look(restarted, path).commits == 0);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  CHECK(Look(restarted, path).commits == 1);
  CHECK(Look(restarted, path).missed == 0);

  fs::create_directory(folder.path() / "saved");
  for (const std::string end : {"", "-wal", "-shm"})
    fs::copy_file(path + end, folder.path() / "saved" / ("a.db" + end));
  writer.Close();
  CHECK(Look(restarted, path).commits == 1);
  for (const std::string end : {"", "-wal", "-shm"})
    fs::copy_file(folder.path() / "saved" / ("a.db" + end), path + end, fs::copy_options::overwrite_existing);
  CHECK(Look(restarted, path).commits == 1);
  SqliteProcess other(path);
  REQUIRE(other.Exec(kInsert) == SQLITE_OK);
  CHECK(Look(restarted, path).commits == 2);
}

TEST_CASE("a growing wal-index is no other life, and a long-lived connection is distinguished") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  SqliteProcess writer(path);
  REQUIRE(writer.Exec("PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=OFF") == SQLITE_OK);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  for (std::uint64_t i = 1; i <= 6; ++i) {
    REQUIRE(
        writer.Exec("INSERT INTO t SELECT zeroblob(3000) FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL "
                    "SELECT i+1 FROM n LIMIT 3000) SELECT i FROM n)") == SQLITE_OK);
    const WalWatch::Seen seen = Look(watch, path);
    CHECK(seen.commits == i);
    CHECK(seen.missed == 0);
    CHECK(seen.is_long_lived);
  }
  writer.Close();
  CHECK_FALSE(Look(watch, path).is_long_lived);
  CHECK(Look(watch, path).missed == 0);
}

TEST_CASE("an event that comes later than what it tells of is no other life") {
  using outgrown::exporter::sqlite::WalLives;
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
  using outgrown::exporter::sqlite::WalLives;
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

TEST_CASE("a watch that does not get to run reports that it missed lives") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  // Stops this process, its thread included, while another one writes.
  const pid_t self = ::getpid();
  InProcess([&] {
    Stop(self);
    WritePerConnection(path, 30, 0);
    ::kill(self, SIGCONT);
  });
  WalWatch::Seen seen = Look(watch, path);
  CHECK(seen.missed == 30);
  CHECK(seen.commits == 0);

  InProcess([&] {
    Stop(self);
    for (int i = 0; i < 9000; ++i) {
      const std::string journal = (folder.path() / ("neighbour" + std::to_string(i))).string();
      std::ofstream(journal) << "x";
      fs::remove(journal);
    }
    ::kill(self, SIGCONT);
  });
  seen = Look(watch, path);
  CHECK(seen.missed == 31);
  WritePerConnection(path, 10, 50);
  CheckEvidence(Look(watch, path), 10, seen);
}

TEST_CASE("ten thousand journals of a neighbour hide nothing") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  MakeStore(path);
  WalWatch watch;
  CHECK(Look(watch, path).commits == 0);
  std::thread writer([&] { WritePerConnection(path, 100, 100); });
  InProcess([&] {
    for (int i = 0; i < 10000; ++i) {
      const std::string journal = (folder.path() / "b.db-journal").string();
      std::ofstream(journal) << "x";
      fs::remove(journal);
    }
  });
  writer.join();
  CheckEvidence(Look(watch, path), 100);
}

TEST_CASE(
    "a folder that can only be searched is not watched, and a long-lived connection counts all the same") {
  const TemporaryFolder folder;
  const fs::path home = folder.path() / "home";
  fs::create_directory(home);
  const std::string path = (home / "a.db").string();
  MakeStore(path);
  SqliteProcess writer(path);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  fs::permissions(home, fs::perms(0711));
  fs::permissions(folder.path(), fs::perms(0711));
  for (const std::string end : {"", "-wal", "-shm"}) fs::permissions(path + end, fs::perms(0666));
  const bool is_root = ::geteuid() == 0;
  if (!is_root) fs::permissions(home, fs::perms(0311));
  if (is_root) REQUIRE(::seteuid(65534) == 0);
  WalWatch watch;
  CHECK_FALSE(Look(watch, path).is_watched);
  REQUIRE(writer.Exec(kInsert) == SQLITE_OK);
  const WalWatch::Seen seen = Look(watch, path);
  CHECK(seen.commits == 1);
  CHECK(seen.missed == 0);
  CHECK(seen.is_long_lived);
  writer.Close();
  CHECK_FALSE(Look(watch, path).is_long_lived);
  if (is_root) REQUIRE(::seteuid(0) == 0);
  if (!is_root) fs::permissions(home, fs::perms::owner_all);
  CHECK(Look(watch, path).is_watched);
}

TEST_CASE("a folder that is replaced is watched anew, and that counts as a missed life") {
  const TemporaryFolder folder;
  const fs::path home = folder.path() / "home";
  fs::create_directory(home);
  const std::string path = (home / "a.db").string();
  MakeStore(path);
  WalWatch watch;
  CHECK(Look(watch, path).missed == 0);
  fs::rename(home, folder.path() / "old");
  fs::create_directory(home);
  MakeStore(path);
  CHECK(Look(watch, path).missed >= 1);
  const WalWatch::Seen before = Look(watch, path);
  WritePerConnection(path, 10, 50);
  CheckEvidence(Look(watch, path), 10, before);
}

namespace {

// Whether the one other thread of this process comes to wait in poll(2) without a time limit, so that nothing but an
// event wakes it. proc(5): a task's `syscall` has the number of its system call, then the arguments in hexadecimal.
bool WaitsForEvents() {
#ifdef SYS_poll
  const std::string poll = std::to_string(SYS_poll);
  // -1 as an int, whose upper half glibc 2.41 (Debian 13) sets as well.
  const auto is_none = [](const std::string& limit) {
    return limit == "0xffffffff" || limit == "0xffffffffffffffff";
  };
#else
  const std::string poll = std::to_string(SYS_ppoll);
  const auto is_none = [](const std::string& limit) { return limit == "0x0"; };
#endif
  std::vector<fs::path> others;
  for (const fs::directory_entry& task : fs::directory_iterator("/proc/self/task")) {
    if (task.path().filename() != std::to_string(::gettid())) others.push_back(task.path());
  }
  if (others.size() != 1) return false;
  // Until it has dealt with the events of the beginning.
  while (true) {
    std::ifstream file(others[0] / "syscall");
    std::string number;
    std::string descriptors;
    std::string count;
    std::string limit;
    if (!(file >> number)) return false;
    if (number == poll && file >> descriptors >> count >> limit) return is_none(limit);
    std::this_thread::yield();
  }
}

}  // namespace

TEST_CASE("a thousand idle stores cost nothing, and a descriptor each at most") {
  const TemporaryFolder folder;
  WalWatch watch;
  for (int i = 0; i < 1000; ++i) {
    fs::create_directory(folder.path() / std::to_string(i));
    std::ofstream(folder.path() / std::to_string(i) / "a.db") << "";
    CHECK(Look(watch, (folder.path() / std::to_string(i) / "a.db").string()).is_watched);
  }
  // The watch's thread, the only other one, waits in poll(2) without a time limit: nothing wakes it but events.
  CHECK(WaitsForEvents());
}
