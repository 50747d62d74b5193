// Random workloads on several connections to one store, beside an exact oracle: this program knows what each
// statement does, sees SQLite's answer to it, and says what must have been counted. After every single step the
// counter block must say the same, and in the end so must SQLite's own commit counter.
//
// A seed reproduces a run: OUTGROWN_SEED=N. OUTGROWN_SOAK makes it long.
#include <stdlib.h>

#include <iostream>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/workload_statements.h"
#include "test/support/rounds.h"

using outgrown::test::Counts;
using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::Text;
using namespace outgrown::test::workload;  // NOLINT(google-build-using-namespace): its statements

namespace {

constexpr int kStepsPerRound = 120;
constexpr int kConnectionsMax = 3;

// From the description of the outcomes, not from the observer's own table.
std::string KindOf(int code) {
  if (code == SQLITE_BUSY_SNAPSHOT) return "busy_snapshot";
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return "busy";
    case SQLITE_FULL:
      return "full";
    case SQLITE_CONSTRAINT:
      return "constraint";
    default:
      return "other";
  }
}

// One connection, and what its open transaction will count as.
struct Party {
  std::unique_ptr<Database> database;
  bool changed = false;
  std::optional<std::string> failure;
  sqlite3_stmt* suspended = nullptr;  // a SELECT between two rows
  bool has_schema = false;            // it has read the schema
  bool is_locked_out = false;         // a lock kept it from that when it last tried
};

class Workload {
 public:
  explicit Workload(std::uint64_t seed) : random_(seed) {
    constexpr const char* kModes[] = {"wal", "wal", "delete", "truncate", "persist", "memory"};
    mode_ = kModes[Below(std::size(kModes))];
    exclusive_ = Below(6) == 0;
    shared_cache_ = !exclusive_ && Below(6) == 0;
    const std::size_t parties = exclusive_ ? 1 : 1 + Below(kConnectionsMax);
    for (std::size_t i = 0; i < parties; ++i) parties_.emplace_back();
    for (Party& party : parties_) Open(party);
    REQUIRE(
        parties_[0].database->Run(
            "CREATE TABLE t(id INTEGER PRIMARY KEY, u UNIQUE, n NOT NULL DEFAULT 0);"
            "CREATE TABLE guarded(x); CREATE TABLE big(x);"
            "CREATE TRIGGER guard BEFORE INSERT ON guarded WHEN new.x < 0 BEGIN SELECT RAISE(ABORT, ''); END;"
            "INSERT INTO t(id, u) VALUES(1, 1)") == SQLITE_OK);
    store_.NewCounts();
    commits_before_ = store_.CommitCounter();
  }

  ~Workload() {
    for (Party& party : parties_) sqlite3_finalize(party.suspended);
  }

  void Run() {
    std::uint64_t ok = 0;
    for (int step = 0; step < kStepsPerRound; ++step) {
      Counts expected;
      const std::size_t who = Below(parties_.size());
      const std::string what = std::to_string(who) + ": " + Step(parties_[who], expected);
      history_ += what + '\n';
      // Which of the two a refused lock is, is the tracker's own test.
      Counts counted = store_.NewEnds();
      if (counted.contains("refused")) counted["busy"] += counted["refused"];
      counted.erase("refused");
      counted.erase("unchanged");
      if (expected.contains("ok")) ok += expected["ok"];
      if (counted == expected) continue;
      CAPTURE(mode_);
      CAPTURE(exclusive_);
      CAPTURE(shared_cache_);
      CAPTURE(step);
      INFO("everything before:\n" << history_);
      REQUIRE(Text(counted) == Text(expected));
    }
    CHECK(store_.TracesLost() == 0);
    if (exclusive_ || shared_cache_) return;
    // A wal-index starts anew with its first connection, and a transaction that is open may hide the header.
    const auto commits_after = store_.CommitCounter();
    if (commits_before_ && commits_after && !reopened_all_) CHECK(*commits_after - *commits_before_ == ok);
  }

 private:
  std::size_t Below(std::size_t limit) {
    return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_);
  }

  void Open(Party& party) {
    party.database =
        std::make_unique<Database>(shared_cache_ ? "file:" + store_.path() + "?cache=shared" : store_.path());
    if (exclusive_) party.database->Run("PRAGMA locking_mode = EXCLUSIVE");
    party.database->Run("PRAGMA synchronous = OFF");
    party.database->Run("PRAGMA journal_mode = " + mode_);
    party.database->Run(
        "PRAGMA max_page_count = 1000; CREATE TEMP TABLE mine(x UNIQUE); INSERT INTO mine VALUES(1)");
    if (Below(3) == 0) party.database->Run("PRAGMA cache_size = 5");
    party.changed = party.has_schema = party.is_locked_out = false;
    party.failure.reset();
    NoteCompiled(party, "SELECT * FROM t", party.database->Run("SELECT * FROM t"), nullptr);
  }

  // A lock that kept the schema of a new connection from being read counts once, with the first statement that runs
  // without it.
  void NoteCompiled(Party& party, const std::string& sql, int code, Counts* expected) const {
    if (party.has_schema || shared_cache_) return;
    const bool was_locked_out = party.is_locked_out;
    const bool failed = party.database->failed_to_compile();
    party.is_locked_out = failed && code == SQLITE_BUSY;
    party.has_schema = !party.is_locked_out && !NeedsNoSchema(sql);
    if (was_locked_out && !failed && NeedsNoSchema(sql)) ++(*expected)["busy"];
  }

  static bool InTransaction(Party& party) { return sqlite3_get_autocommit(party.database->handle()) == 0; }

  // What the transaction counts as, now that it is over.
  static void Settle(Party& party, bool committed, Counts& expected) {
    if (committed && party.changed) {
      ++expected["ok"];
    } else if (party.failure) {
      ++expected[*party.failure];
    }
    party.changed = false;
    party.failure.reset();
  }

  std::string Step(Party& party, Counts& expected) {
    const std::size_t choice = Below(std::size(kOperations) + 3);
    if (choice == std::size(kOperations)) return Reopen(party, expected);
    if (choice == std::size(kOperations) + 1) return Suspend(party);
    if (choice == std::size(kOperations) + 2) return Interrupt(party, expected);
    const Operation& operation = kOperations[choice];
    // Whose failure it is can't be known where the connection holds the store's lock already (a BEGIN EXCLUSIVE that
    // was refused leaves it as long as a SELECT is suspended).
    if (operation.sql == kTempFailure && (exclusive_ || InTransaction(party) || party.suspended != nullptr)) {
      return "nothing";
    }
    // A shared cache locks its schema, so that a statement fails while it is compiled again, which nobody sees.
    if (shared_cache_ && IsSchemaChange(operation.sql)) return "nothing";
    const std::string sql = Fill(operation.sql);
    return sql + " = " + std::to_string(Execute(party, operation, sql, expected));
  }

  int Execute(Party& party, const Operation& operation, const std::string& sql, Counts& expected) {
    const bool was_in_transaction = InTransaction(party);
    const int code = party.database->Run(sql);
    NoteCompiled(party, sql, code, &expected);
    const bool is_in_transaction = InTransaction(party);
    const bool ends = was_in_transaction && !is_in_transaction;
    // A BEGIN IMMEDIATE inside a transaction fails before it looks at any file; so does what doesn't compile.
    const bool never_ran = code == SQLITE_ERROR || party.database->failed_to_compile();
    if (code == SQLITE_OK) {
      if (operation.effect == Effect::kChange || operation.effect == Effect::kPartial) party.changed = true;
      if (ends) {
        Settle(party, sql.find("ROLLBACK") != 0, expected);
      } else if (!is_in_transaction) {
        Settle(party, true, expected);
      }
      return code;
    }
    const bool controls = sql == "COMMIT" || sql == "RELEASE s";
    const bool dirtied = operation.effect == Effect::kPartial && (code & 0xff) == SQLITE_CONSTRAINT;
    if (dirtied && (is_in_transaction || operation.keeps_on_failure)) party.changed = true;
    if (!never_ran && (operation.effect != Effect::kNone || controls)) party.failure = KindOf(code);
    // A write that did not get the lock is over, though its BEGIN may still be open.
    const bool is_writing = sqlite3_txn_state(party.database->handle(), "main") == SQLITE_TXN_WRITE;
    if (!is_writing) Settle(party, operation.keeps_on_failure && !ends, expected);
    return code;
  }

  std::string Reopen(Party& party, Counts& expected) {
    sqlite3_finalize(party.suspended);
    party.suspended = nullptr;
    Settle(party, false, expected);
    if (party.is_locked_out) ++expected["busy"];
    party.database.reset();
    if (parties_.size() == 1) reopened_all_ = true;
    Open(party);
    return "close, open";
  }

  std::string Suspend(Party& party) {
    if (party.suspended != nullptr) {
      sqlite3_finalize(party.suspended);
      party.suspended = nullptr;
      return "resume";
    }
    if (!party.has_schema && !shared_cache_) return "not suspended";
    if (sqlite3_prepare_v2(party.database->handle(), "SELECT * FROM t", -1, &party.suspended, nullptr) ==
        SQLITE_OK) {
      sqlite3_step(party.suspended);
    }
    return "suspend";
  }

  // A statement that is interrupted takes its transaction with it.
  std::string Interrupt(Party& party, Counts& expected) {
    // So that it isn't compiled again, and interrupted while it is.
    const int read = party.database->Run("SELECT 1 FROM guarded");
    NoteCompiled(party, "SELECT 1 FROM guarded", read, &expected);
    if (read != SQLITE_OK) return "not interrupted";
    sqlite3_progress_handler(
        party.database->handle(), 50, [](void*) { return 1; }, nullptr);
    const Operation operation = {"", Effect::kPartial};
    const std::string sql =
        "INSERT INTO guarded WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 500) "
        "SELECT i FROM n";
    const int code = Execute(party, operation, sql, expected);
    sqlite3_progress_handler(party.database->handle(), 0, nullptr, nullptr);
    return "interrupted = " + std::to_string(code);
  }

  std::string Fill(std::string sql) {
    const std::string fresh = std::to_string(++next_id_);
    for (std::size_t at = 0; (at = sql.find('#', at)) != std::string::npos;) sql.replace(at, 1, fresh);
    for (std::size_t at = 0; (at = sql.find('@', at)) != std::string::npos;) sql.replace(at, 1, "1");
    return sql;
  }

  std::mt19937_64 random_;
  ObservedStore store_;
  std::string mode_;
  std::string history_;
  bool exclusive_;
  bool shared_cache_;
  std::vector<Party> parties_;
  std::optional<std::uint64_t> commits_before_;
  bool reopened_all_ = false;
  std::uint64_t next_id_ = 1000;
};

}  // namespace

TEST_CASE("random workloads are counted as an exact oracle counts them, step by step") {
  const char* const given = ::getenv("OUTGROWN_SEED");
  const std::uint64_t first = given != nullptr ? std::stoull(given) : std::random_device{}();
  const std::uint64_t rounds = given != nullptr ? 1 : outgrown::test::Rounds(30, 20'000);
  std::cout << "workloads: seeds " << first << " to " << first + rounds - 1 << "\n";
  for (std::uint64_t seed = first; seed < first + rounds; ++seed) {
    CAPTURE(seed);
    Workload(seed).Run();
  }
}
