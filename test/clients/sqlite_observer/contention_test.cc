// Real lock contention: processes that write to one file at once without waiting, and tell what SQLite answered them.
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"

using outgrown::test::Counts;
using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::Text;

namespace {

struct Tally {
  std::uint64_t ok = 0;
  std::uint64_t busy = 0;
  std::uint64_t busy_snapshot = 0;
  std::uint64_t constraint = 0;
  std::uint64_t unexpected = 0;

  void Add(int code) {
    if (code == SQLITE_OK) {
      ++ok;
    } else if (code == SQLITE_BUSY_SNAPSHOT) {
      ++busy_snapshot;
    } else if ((code & 0xff) == SQLITE_BUSY) {
      ++busy;
    } else if ((code & 0xff) == SQLITE_CONSTRAINT) {
      ++constraint;
    } else {
      ++unexpected;
    }
  }
};

// One write of a random shape; what the application would say became of it.
int Write(Database& database, std::mt19937& random) {
  switch (random() % 4) {
    case 0:
      return database.Run("INSERT INTO t(x) VALUES(1)");
    case 1:
      return database.Run("INSERT INTO t(id) VALUES(1)");
    case 2: {
      const int begun = database.Run("BEGIN IMMEDIATE");
      if (begun != SQLITE_OK) return begun;
      database.Run("UPDATE t SET x = x + 1 WHERE id = 1");
      break;
    }
    default: {
      // Reads first, so that the snapshot may be stale by the time it writes.
      database.Run(
          "BEGIN; SELECT * FROM t WHERE id = 1;"
          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 2000) SELECT count(*) FROM "
          "n");
      const int written = database.Run("INSERT INTO t(x) VALUES(2)");
      if (written != SQLITE_OK) {
        database.Run("ROLLBACK");
        return written;
      }
    }
  }
  const int committed = database.Run("COMMIT");
  if (committed != SQLITE_OK) database.Run("ROLLBACK");
  return committed;
}

[[noreturn]] void Child(const std::string& path, int number, int writes, int answer_fd) {
  Tally tally;
  {
    Database database(path);
    // The schema is read before the race: a statement that cannot be compiled has not run.
    while (database.Run("SELECT * FROM t LIMIT 1") != SQLITE_OK) {
    }
    std::mt19937 random(static_cast<unsigned>(number));
    for (int i = 0; i < writes; ++i) tally.Add(Write(database, random));
  }
  const bool is_sent = ::write(answer_fd, &tally, sizeof tally) == sizeof tally;
  ::_exit(is_sent ? 0 : 1);
}

}  // namespace

TEST_CASE("processes that contend for one file are counted as they were answered") {
  constexpr int kProcesses = 4;
  constexpr int kWrites = 400;
  for (const std::string mode : {"wal", "delete"}) {
    CAPTURE(mode);
    ObservedStore store;
    {
      Database first(store.path());
      CHECK(first.Ask("PRAGMA journal_mode = " + mode) == mode);
      REQUIRE(first.Run("CREATE TABLE t(id INTEGER PRIMARY KEY, x); INSERT INTO t(x) VALUES(1)") ==
              SQLITE_OK);
    }
    store.NewCounts();
    std::array<int, 2> answers;
    REQUIRE(::pipe(answers.data()) == 0);
    std::vector<pid_t> children;
    for (int i = 0; i < kProcesses; ++i) {
      children.push_back(::fork());
      if (children.back() == 0) Child(store.path(), i, kWrites, answers[1]);
    }
    ::close(answers[1]);
    Tally sum;
    for (Tally tally; ::read(answers[0], &tally, sizeof tally) == sizeof tally;) {
      sum.ok += tally.ok;
      sum.busy += tally.busy;
      sum.busy_snapshot += tally.busy_snapshot;
      sum.constraint += tally.constraint;
      sum.unexpected += tally.unexpected;
    }
    ::close(answers[0]);
    for (const pid_t child : children) {
      int status = -1;
      ::waitpid(child, &status, 0);
      CHECK(status == 0);
    }
    CHECK(sum.unexpected == 0);
    CHECK(sum.ok + sum.busy + sum.busy_snapshot + sum.constraint == kProcesses * kWrites);
    Counts expected;
    if (sum.ok > 0) expected["ok"] = sum.ok;
    if (sum.busy > 0) expected["busy"] = sum.busy;
    if (sum.busy_snapshot > 0) expected["busy_snapshot"] = sum.busy_snapshot;
    if (sum.constraint > 0) expected["constraint"] = sum.constraint;
    CHECK(Text(store.NewCounts()) == Text(expected));
  }
}
