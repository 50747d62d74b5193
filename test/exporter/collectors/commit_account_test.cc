// Both sides of a store's coverage, look by look.
#include "exporter/collectors/commit_account.h"

#include <chrono>
#include <functional>

#include <doctest/doctest.h>

namespace {

using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it

// A store in WAL mode, of which all is counted; looked at each 15 s.
struct CountedStore {
  StoreLook look;
  CommitAccount account;

  CountedStore() {
    look.now = std::chrono::steady_clock::time_point(std::chrono::hours(1));
    look.counter = sqlite::CommitCounter{sqlite::CommitCounter::Source::kWalIndex};
    look.database = {1, 2, 3};
    look.lives = {.since = 1, .is_watched = true};
    look.blocks = {{.file = "block", .created_unix_ns = 1, .successes = 500}};
    look.living_slots = 1;
    Look(0, 0);
  }

  bool Look(std::uint64_t counted, std::uint64_t committed) {
    look.now += std::chrono::seconds(15);
    look.blocks[0].successes += counted;
    look.lives.commits += committed;
    account.Add(look);
    return account.is_counted_elsewhere();
  }

  // How many such looks it takes until it is said; 0: it is not.
  int Looks(std::uint64_t counted, std::uint64_t committed) {
    for (int looks = 1; looks <= 100; ++looks) {
      if (Look(counted, committed)) return looks;
    }
    return 0;
  }
};

TEST_CASE("writes that are counted and committed elsewhere are said after eight, however slowly they come") {
  CHECK(CountedStore().Looks(1, 0) == 9);  // the first interval is not judged
  CHECK(CountedStore().Looks(2, 1) == 10);
  CHECK(CountedStore().Looks(1, 1) == 0);
  CHECK(CountedStore().Looks(105, 100) == 0);
  CHECK(CountedStore().Looks(0, 1) == 0);
}

TEST_CASE("a store that others write to uncounted hides none of the writes that are committed elsewhere") {
  CountedStore store;
  for (int look = 0; look < 1000; ++look) CHECK_FALSE(store.Look(0, 1));  // Litestream's
  CHECK(store.Looks(1, 0) <= 10);
}

TEST_CASE("commits that are read later than the blocks are no writes elsewhere") {
  CountedStore store;
  CHECK_FALSE(store.Look(0, 50));  // the 50 are counted in the next look's blocks
  CHECK_FALSE(store.Look(50, 0));
  for (int look = 0; look < 100; ++look) {
    CHECK_FALSE(store.Look(200, 250));
    CHECK_FALSE(store.Look(200, 150));
  }
}

TEST_CASE("a connection without a log is said after three looks in a row, whatever lives come and go") {
  CountedStore store;
  const auto is_said = [&](const sqlite::Measured<sqlite::CommitCounter>& counter) {
    store.look.counter = counter;
    ++store.look.lives.begun;
    store.Look(0, 0);
    return store.account.is_held_without_log();
  };
  const sqlite::Problem held = sqlite::Problem::kHeldWithoutLog;
  for (int turn = 0; turn < 2; ++turn) {
    CHECK_FALSE(is_said(held));
    CHECK_FALSE(is_said(held));
    CHECK(is_said(held));
    CHECK(is_said(held));
    CHECK_FALSE(is_said(sqlite::CommitCounter()));
  }
}

TEST_CASE("a problem is lasting after 30 s, or at once where only an operator can end it") {
  CountedStore store;
  const auto lasting = [&](sqlite::Problem problem) {
    store.look.counter = problem;
    store.Look(0, 0);
    return store.account.lasting_problem();
  };
  for (int look = 0; look < 2; ++look) CHECK_FALSE(lasting(sqlite::Problem::kExclusive));
  CHECK(lasting(sqlite::Problem::kExclusive) == sqlite::Problem::kExclusive);
  store.look.counter = sqlite::CommitCounter{sqlite::CommitCounter::Source::kWalIndex};
  store.Look(0, 0);
  CHECK_FALSE(store.account.lasting_problem());
  CHECK(lasting(sqlite::Problem::kNoPermission) == sqlite::Problem::kNoPermission);
}

// A connection for each write, so that each commit moves the header's counter, and the log is checkpointed at each end.
struct PerRequest : CountedStore {
  void Requests(std::uint32_t commits, std::uint32_t in_another_mode = 0) {
    (*look.counter).change_counter += commits + in_another_mode;
    Look(commits, commits);
  }
};

TEST_CASE(
    "commits in another journal mode between two looks in WAL mode are missed, as many as the header shows") {
  PerRequest store;
  store.Requests(10);
  store.Requests(10, 202);
  store.Requests(0);  // what this look had committed could hide as many
  CHECK(store.account.missed() == 202);
  for (int look = 0; look < 10; ++look) store.Requests(10);
  CHECK(store.account.missed() == 202);
  store.Requests(10, 50);
  store.Requests(10);
  CHECK(store.account.missed() == 242);
  CHECK(store.account.commits() == 140);
}

TEST_CASE("commits that move the header's counter late, seldom or not at all are not taken for missed ones") {
  PerRequest store;
  // Read after the lives: the next look's.
  (*store.look.counter).change_counter += 5;
  store.Look(0, 0);
  store.Look(5, 5);
  // A connection that stays open: its commits move it by one, once they are checkpointed.
  (*store.look.counter).frames = 400;
  for (int look = 0; look < 10; ++look) store.Look(40, 40);
  (*store.look.counter).frames = 0;
  (*store.look.counter).change_counter += 1;
  store.Look(0, 0);
  // Many connections, of which one ends the log.
  (*store.look.counter).frames = 400;
  for (int look = 0; look < 10; ++look) store.Look(40, 40);
  (*store.look.counter).frames_backfilled = 400;
  (*store.look.counter).change_counter += 400;
  for (int look = 0; look < 3; ++look) store.Look(0, 0);
  // An older copy was restored.
  (*store.look.counter).change_counter -= 300;
  for (int look = 0; look < 3; ++look) store.Look(0, 0);
  // Another file.
  store.look.database.inode += 1;
  (*store.look.counter).change_counter += 90'000;
  for (int look = 0; look < 3; ++look) store.Look(0, 0);
  CHECK(store.account.missed() == 0);
  // The log was not checkpointed at the first look, and what was in it moves the counter later.
  PerRequest later;
  later.account = {};
  (*later.look.counter).frames = 700;
  later.Look(1, 1);
  (*later.look.counter).frames_backfilled = 700;
  (*later.look.counter).change_counter += 700;
  for (int look = 0; look < 3; ++look) later.Look(0, 0);
  CHECK(later.account.missed() == 0);
}

TEST_CASE(
    "of the header's commits between two looks in a rollback mode those of a log in between are not counted "
    "twice") {
  CountedStore store;
  store.look.counter = sqlite::CommitCounter{sqlite::CommitCounter::Source::kHeader, 100, 100};
  store.Look(0, 0);
  const std::uint64_t before = store.account.commits();
  const std::uint64_t missed_before = store.account.missed();
  store.look.counter = sqlite::CommitCounter{sqlite::CommitCounter::Source::kHeader, 153, 153};
  store.Look(52, 50);  // of which the log had 50
  CHECK(store.account.commits() - before == 53);
  CHECK(store.account.missed() - missed_before == 1);
}

TEST_CASE("what may have hidden commits begins the sum of writes elsewhere anew") {
  const auto after = [](const std::function<void(CountedStore&)>& happens) {
    CountedStore store;
    REQUIRE(store.Looks(1, 0) > 0);
    happens(store);
    return store.Look(1, 0);
  };
  CHECK(after([](CountedStore&) {}));
  CHECK_FALSE(after([](CountedStore& store) { ++store.look.lives.missed; }));
  CHECK_FALSE(after([](CountedStore& store) { ++store.look.database.inode; }));
  CHECK_FALSE(after([](CountedStore& store) { store.look.is_other_file = true; }));
  CHECK_FALSE(after([](CountedStore& store) {
    store.look.counter = sqlite::CommitCounter{sqlite::CommitCounter::Source::kHeader, 7, 7};
  }));
  CHECK_FALSE(after([](CountedStore& store) { store.look.counter = sqlite::Problem::kNoPermission; }));
  // A commit or a recovery that lasts for this look is no end of it.
  CHECK(after([](CountedStore& store) { store.look.counter = sqlite::Problem::kChanging; }));
  CHECK_FALSE(after([](CountedStore& store) {
    store.look.counter = sqlite::Problem::kHeldWithoutLog;
    for (int look = 0; look < 3; ++look) store.Look(0, 0);
  }));
}

TEST_CASE(
    "a store that is open while nobody counts is not counted, unless a write was counted within 26 hours") {
  CommitAccount account;
  StoreLook look;
  look.now = std::chrono::steady_clock::time_point(std::chrono::hours(1));
  look.is_held = true;
  const auto is_not_counted = [&] {
    account.Add(look);
    return account.is_not_counted();
  };
  CHECK(is_not_counted());
  look.blocks = {{.file = "block", .created_unix_ns = 1, .successes = 5}};
  CHECK_FALSE(is_not_counted());
  look.now += std::chrono::hours(26);
  CHECK_FALSE(is_not_counted());
  look.now += std::chrono::seconds(1);
  CHECK(is_not_counted());
  look.living_slots = 1;
  CHECK_FALSE(is_not_counted());
  look.living_slots = 0;
  look.blocks[0].successes = 6;
  CHECK_FALSE(is_not_counted());
}

}  // namespace
