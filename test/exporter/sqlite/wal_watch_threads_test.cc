// Threads that look at one store at the same time, for ThreadSanitizer: stores of two names may have one database.
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "exporter/sqlite/wal_watch.h"
#include "test/common/temporary_folder.h"

namespace fs = std::filesystem;
using outgrown::exporter::sqlite::WalWatch;

TEST_CASE("a store that comes to be watched while other threads look at it is read by one thread at a time") {
  const outgrown::test::TemporaryFolder folder;
  const fs::path home = folder.path() / "home";
  fs::create_directory(home);
  const std::string path = (home / "a.db").string();
  std::ofstream(path + "-shm") << "x";
  WalWatch watch;
  std::atomic<int> watched = 0;
  std::atomic<int> unwatched = 0;
  std::atomic<bool> is_over = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!is_over) {
        if (const auto seen = watch.Look(path)) ++(seen->is_watched ? watched : unwatched);
      }
    });
  }
  const auto wait_for_more_than = [](const std::atomic<int>& count, int before) {
    while (count <= before) std::this_thread::yield();
  };
  for (int round = 0; round < 30; ++round) {
    wait_for_more_than(watched, watched);
    fs::rename(home, folder.path() / "away");  // can't be watched
    wait_for_more_than(unwatched, unwatched + 3);
    fs::rename(folder.path() / "away", home);
  }
  wait_for_more_than(watched, watched);
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  CHECK(watch.Look(path)->is_watched);
}
