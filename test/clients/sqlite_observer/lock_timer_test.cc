// How long the write lock is waited for and held, beside an oracle that knows it to within the calls that take and release it.
#include <cstdint>
#include <functional>
#include <random>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "counterblock/cells.h"
#include "test/clients/sqlite_observer/wal_fixture.h"

namespace {

using outgrown::block::NowNs;
using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::WalFixture;

constexpr std::uint64_t kNsPerMs = 1'000'000;

void SpinFor(std::uint64_t ns) {
  const std::uint64_t until_ns = NowNs() + ns;
  while (NowNs() < until_ns) {
  }
}

// The lock is taken within `take` and given back within `release`, so it is held for at least the time between them.
class Oracle {
 public:
  explicit Oracle(Database& database) : database_(database) {}

  void Hold(const std::string& take, std::uint64_t ns, const std::string& release) {
    const std::uint64_t before_ns = NowNs();
    CHECK(database_.Run(take.c_str()) == SQLITE_OK);
    const std::uint64_t taken_ns = NowNs();
    SpinFor(ns);
    least_ns_ += NowNs() - taken_ns;
    CHECK(database_.Run(release.c_str()) == SQLITE_OK);
    most_ns_ += NowNs() - before_ns;
  }
  // Taken and given back within one statement.
  void Statement(const std::string& sql, int result = SQLITE_OK) {
    const std::uint64_t before_ns = NowNs();
    CHECK((database_.Run(sql.c_str()) & 0xff) == result);
    most_ns_ += NowNs() - before_ns;
  }
  std::uint64_t least_ns() const { return least_ns_; }
  std::uint64_t most_ns() const { return most_ns_; }

 private:
  Database& database_;
  std::uint64_t least_ns_ = 0;
  std::uint64_t most_ns_ = 0;
};

}  // namespace

TEST_CASE("the lock is timed on every way that it is taken and given back") {
  for (const std::string mode : {"WAL", "DELETE", "TRUNCATE", "PERSIST", "MEMORY"}) {
    CAPTURE(mode);
    ObservedStore store;
    Database a(store.path());
    REQUIRE(a.Run(("PRAGMA synchronous = OFF; PRAGMA journal_mode = " + mode +
                   "; CREATE TABLE t(id INTEGER PRIMARY KEY, n)")
                      .c_str()) == SQLITE_OK);
    const auto before = store.Read();
    Oracle oracle(a);
    std::mt19937_64 random(7);
    std::uint64_t holds = 0;
    for (int round = 0; round < 60; ++round) {
      const std::uint64_t ns = random() % kNsPerMs;
      switch (round % 8) {
        case 0:
          oracle.Hold("BEGIN IMMEDIATE; INSERT INTO t(n) VALUES(1)", ns, "COMMIT");
          break;
        case 1:  // only read before the lock is needed
          REQUIRE(a.Run("BEGIN; SELECT count(*) FROM t") == SQLITE_OK);
          SpinFor(ns);
          oracle.Hold("INSERT INTO t(n) VALUES(1)", ns, "COMMIT");
          break;
        case 2:
          oracle.Hold("SAVEPOINT s; INSERT INTO t(n) VALUES(1)", ns, "RELEASE s");
          break;
        case 3:
          oracle.Statement("INSERT INTO t(n) VALUES(1)");
          break;
        case 4:
          oracle.Hold("BEGIN IMMEDIATE; INSERT INTO t(n) VALUES(1)", ns, "ROLLBACK");
          break;
        case 5:
          oracle.Hold("BEGIN IMMEDIATE", ns, "COMMIT");  // of nothing
          break;
        case 6:
          oracle.Statement("INSERT INTO t(id) VALUES(1)", SQLITE_CONSTRAINT);
          break;
        case 7:
          oracle.Statement("PRAGMA wal_checkpoint(TRUNCATE)");
          break;
      }
      holds += round % 8 <= 3 ? 1 : 0;
    }
    const auto after = store.Read();
    CHECK(after.lock_holds - before.lock_holds == holds);
    const std::uint64_t held_ns = after.lock_held_ns - before.lock_held_ns;
    CHECK(held_ns >= oracle.least_ns());
    CHECK(held_ns <= oracle.most_ns());
    CHECK(after.lock_held_now_ns == 0);
  }
}

TEST_CASE_FIXTURE(
    WalFixture, "a hold shows while it lasts, and what waits for it waits as long as its busy handler does") {
  Database b(store.path());
  REQUIRE(a.Run("PRAGMA busy_timeout = 10000") == SQLITE_OK);
  REQUIRE(b.Run("BEGIN IMMEDIATE") == SQLITE_OK);
  const auto before = store.Read();
  CHECK(before.lock_held_now_ns > 0);
  std::uint64_t most_ns = 0;
  std::thread waiting([&] {
    const std::uint64_t asked_ns = NowNs();
    CHECK(a.Run("BEGIN IMMEDIATE") == SQLITE_OK);
    most_ns = NowNs() - asked_ns;
  });
  while (store.Read().in_flight < 2) std::this_thread::yield();
  const std::uint64_t waits_ns = NowNs();
  SpinFor(20 * kNsPerMs);
  const std::uint64_t least_ns = NowNs() - waits_ns;
  REQUIRE(b.Run("COMMIT") == SQLITE_OK);
  waiting.join();
  const std::uint64_t waited_ns = store.Read().lock_wait_ns - before.lock_wait_ns;
  CHECK(waited_ns >= least_ns);
  CHECK(waited_ns <= most_ns);
  REQUIRE(a.Run("COMMIT") == SQLITE_OK);
}

TEST_CASE_FIXTURE(WalFixture,
                  "waiting in vain is waiting; the time between two attempts of the application is not") {
  Database b(store.path());
  REQUIRE(a.Run("PRAGMA busy_timeout = 20") == SQLITE_OK);
  REQUIRE(b.Run("BEGIN IMMEDIATE") == SQLITE_OK);
  const std::uint64_t before_ns = store.Read().lock_wait_ns;
  std::uint64_t most_ns = 0;
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::uint64_t asked_ns = NowNs();
    CHECK(a.Run("BEGIN IMMEDIATE") == SQLITE_BUSY);
    most_ns += NowNs() - asked_ns;
    SpinFor(5 * kNsPerMs);
  }
  const std::uint64_t waited_ns = store.Read().lock_wait_ns - before_ns;
  CHECK(waited_ns <= most_ns);
  CHECK(waited_ns >= 30 * kNsPerMs);  // the handler sleeps for the rest of its 20 ms before it gives up
}

TEST_CASE("with an exclusive locking mode nothing is timed") {
  ObservedStore store;
  for (const std::string mode : {"DELETE", "WAL"}) {
    CAPTURE(mode);
    Database a(store.path());
    REQUIRE(a.Run(("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = " + mode +
                   "; CREATE TABLE IF NOT EXISTS t(n); INSERT INTO t VALUES(1)")
                      .c_str()) == SQLITE_OK);
    const auto before = store.Read();
    for (int i = 0; i < 5; ++i) REQUIRE(a.Run("INSERT INTO t VALUES(1)") == SQLITE_OK);
    CHECK(store.Read().lock_holds == before.lock_holds);
    CHECK(store.Read().lock_held_now_ns == 0);
  }
}

TEST_CASE_FIXTURE(WalFixture, "what is not counted is not timed") {
  CHECK(a.Ask("SELECT outgrown_ignore()") == "1");
  const auto before = store.Read();
  REQUIRE(a.Run("BEGIN IMMEDIATE; INSERT INTO t(id) VALUES(5)") == SQLITE_OK);
  CHECK(store.Read().lock_held_now_ns == 0);
  REQUIRE(a.Run("COMMIT") == SQLITE_OK);
  CHECK(store.Read().lock_held_ns == before.lock_held_ns);
}
