// A store that an application which counts nothing fails to write to, and its healthy counterparts, look by look.
#include <chrono>
#include <functional>

#include <doctest/doctest.h>

#include "exporter/collectors/commit_account.h"

namespace {

using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it

constexpr std::chrono::seconds kScrape(15);

// A store in WAL mode whose counted application has ended; another process has it open.
struct OpenStore {
  StoreLook look;
  CommitAccount account;

  OpenStore() {
    look.now = std::chrono::steady_clock::time_point(std::chrono::hours(1));
    look.counter = sqlite::CommitCounter{sqlite::CommitCounter::Source::kWalIndex};
    look.lives = {.since = 1, .is_watched = true};
    look.blocks = {{.file = "block", .created_unix_ns = 1, .successes = 500}};
    look.is_held = true;
    look.log = sqlite::FileStatus{.device = 1, .inode = 2, .size_bytes = 4096, .modified_s = 100};
    account.Add(look);
  }

  // For how many minutes `happens` has come before each look, until it is said; 0: it is not within an hour.
  double Minutes(const std::function<void(StoreLook&)>& happens) {
    const auto begin = look.now;
    while (look.now - begin < std::chrono::hours(1)) {
      look.now += kScrape;
      happens(look);
      account.Add(look);
      if (account.is_not_counted())
        return std::chrono::duration<double, std::ratio<60>>(look.now - begin).count();
    }
    return 0;
  }
};

void WriteLog(StoreLook& look) { look.log->modified_s += 15; }

TEST_CASE(
    "frames that are written for five minutes and never committed are an application's that does not count") {
  CHECK(OpenStore().Minutes(WriteLog) == 5.25);
}

TEST_CASE("so is a write lock that is held for so long") {
  CHECK(OpenStore().Minutes([](StoreLook& look) { look.is_write_locked = true; }) == 5.25);
}

TEST_CASE(
    "a writer that tries once in a few minutes is found, too, and forgotten ten minutes after it has ended") {
  OpenStore store;
  int looks = 0;
  CHECK(store.Minutes([&](StoreLook& look) {
    if (++looks % 20 == 0) WriteLog(look);
  }) == 10);
  store.look.now += std::chrono::minutes(10);
  store.account.Add(store.look);
  CHECK(store.account.is_not_counted());
  store.look.now += kScrape;
  store.account.Add(store.look);
  CHECK_FALSE(store.account.is_not_counted());
}

TEST_CASE("who only reads, replicates or checkpoints is no such application") {
  CHECK(OpenStore().Minutes([](StoreLook&) {}) == 0);
  int looks = 0;
  CHECK(OpenStore().Minutes([&](StoreLook& look) {  // Litestream, whose frames are written before it commits
    WriteLog(look);
    look.lives.commits += ++looks % 4 == 0;
  }) == 0);
  CHECK(OpenStore().Minutes([](StoreLook& look) {  // a checkpoint that empties the log
    WriteLog(look);
    look.log->size_bytes = 0;
  }) == 0);
  CHECK(OpenStore().Minutes([](StoreLook& look) {  // one that cuts it, to journal_size_limit
    WriteLog(look);
    --look.log->size_bytes;
  }) == 0);
  CHECK(OpenStore().Minutes([](StoreLook& look) {  // a connection for each look into the store
    WriteLog(look);
    ++look.log->inode;
  }) == 0);
  CHECK(OpenStore().Minutes([](StoreLook& look) { look.log.reset(); }) == 0);
}

TEST_CASE("a transaction of some minutes, as VACUUM, is none, nor a writer in a living process that counts") {
  int looks = 0;
  CHECK(OpenStore().Minutes([&](StoreLook& look) {
    look.is_write_locked = ++looks % 20 != 0;
    look.lives.commits += looks % 20 == 0;
  }) == 0);
  CHECK(OpenStore().Minutes([](StoreLook& look) {
    WriteLog(look);
    look.living_slots = 1;
  }) == 0);
  CHECK(OpenStore().Minutes([](StoreLook& look) {  // not known whether it was committed
    WriteLog(look);
    look.counter = sqlite::Problem::kChanging;
  }) == 0);
}

}  // namespace
