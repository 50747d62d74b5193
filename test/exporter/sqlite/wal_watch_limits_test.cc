// A watch that can't see everything: stopped, drowned in a neighbour's events, without rights, or with a thousand stores.
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "common/check.h"
#include "exporter/sqlite/wal_watch.h"
#include "test/common/temporary_folder.h"
#include "test/exporter/sqlite/sqlite_process.h"
#include "test/exporter/sqlite/wal_seen.h"
#include "test/exporter/sqlite/wal_writers.h"

namespace fs = std::filesystem;
using namespace outgrown::test;  // NOLINT(google-build-using-namespace): its helpers
using outgrown::exporter::sqlite::WalWatch;

namespace {

// Allocates nothing: in a process that was forked while another thread allocated, AddressSanitizer's allocator may be locked for good.
void MakeAndRemove(const std::string& path) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  OUTGROWN_CHECK(file >= 0 && ::write(file, "x", 1) == 1 && ::close(file) == 0 &&
                 ::unlink(path.c_str()) == 0);
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

}  // namespace

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

  // In turns, since inotify merges an event with an equal one before it.
  const std::array<std::string, 2> neighbours = {folder.path() / "neighbour1", folder.path() / "neighbour2"};
  InProcess([&] {
    Stop(self);
    for (int i = 0; i < 9000; ++i) MakeAndRemove(neighbours[i % 2]);
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
  const std::string journal = folder.path() / "b.db-journal";
  WritePerConnection(path, 100, 100, [&] {
    InProcess([&] {
      for (int i = 0; i < 10000; ++i) MakeAndRemove(journal);
    });
  });
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
