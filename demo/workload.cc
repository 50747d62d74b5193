// The demo's application: writes checkpoints as LangGraph's SqliteSaver does (its tables, its transactions, blobs of a
// few KB) and counts every write transaction in the counter block.
//
//   checkpoint-workload write    --rate=15     one checkpoint with its pending writes per transaction
//   checkpoint-workload maintain --hold-ms=250 deletes old checkpoints and holds the write lock meanwhile
//
// Runs until SIGTERM, then prints one JSON line with its own totals, so that they can be compared with what the
// exporter shows. Rates are kept by an absolute schedule; a write that meets a lock waits for the busy timeout
// and, if that was too short, is counted as the SQLITE_BUSY error that it is.
#include <signal.h>
#include <sqlite3.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "counterblock/writer.h"

namespace {

using outgrown::block::Outcome;

// SqliteSaver's schema: https://github.com/langchain-ai/langgraph/tree/main/libs/checkpoint-sqlite (setup()).
constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS checkpoints (
    thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT NOT NULL,
    parent_checkpoint_id TEXT, type TEXT, checkpoint BLOB, metadata BLOB,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id));
CREATE TABLE IF NOT EXISTS writes (
    thread_id TEXT NOT NULL, checkpoint_ns TEXT NOT NULL DEFAULT '', checkpoint_id TEXT NOT NULL,
    task_id TEXT NOT NULL, idx INTEGER NOT NULL, channel TEXT NOT NULL, type TEXT, value BLOB,
    PRIMARY KEY (thread_id, checkpoint_ns, checkpoint_id, task_id, idx));
)sql";

constexpr int kWritesPerCheckpoint = 2;
constexpr std::int64_t kNsPerSecond = 1'000'000'000;
constexpr std::int64_t kMaintenancePauseNs = 10'000'000;

volatile sig_atomic_t g_stop = 0;

struct Options {
  std::string database;
  std::string blocks;
  std::string store = "checkpoints";
  int id = 0;
  double rate_per_second = 15;
  int busy_timeout_ms = 100;
  int hold_ms = 250;
};

struct Totals {
  std::uint64_t success = 0;
  std::uint64_t error = 0;
  std::uint64_t rejected = 0;
};

std::int64_t MonotonicNs() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kNsPerSecond + now.tv_nsec;
}

// Sleeps until that time of the monotonic clock; a signal ends it early.
void SleepUntil(std::int64_t at_ns) {
  const timespec at = {.tv_sec = at_ns / kNsPerSecond, .tv_nsec = at_ns % kNsPerSecond};
  clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
}

class Application {
 public:
  Application(const Options& options, outgrown::block::Writer& writer) : options_(options), writer_(writer) {
    random_.seed(static_cast<unsigned>(options.id));
  }
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;
  ~Application() { sqlite3_close(database_); }

  bool Open() {
    // Setting up waits long: several applications start at once.
    if (sqlite3_open(options_.database.c_str(), &database_) != SQLITE_OK) return false;
    sqlite3_busy_timeout(database_, 10'000);
    if (!SwitchToWal()) return false;
    if (Execute("PRAGMA synchronous=NORMAL") != SQLITE_OK) return false;
    if (!Transaction([this] { return Execute(kSchema); }, 0)) return false;
    sqlite3_busy_timeout(database_, options_.busy_timeout_ms);
    return true;
  }

  void WriteUntilStopped() {
    const auto step_ns =
        static_cast<std::int64_t>(static_cast<double>(kNsPerSecond) / options_.rate_per_second);
    for (std::int64_t next_ns = MonotonicNs(); g_stop == 0; next_ns += step_ns) {
      SleepUntil(next_ns);
      if (g_stop == 0) WriteCheckpoint();
    }
  }

  // Deletes the oldest checkpoints one at a time in one transaction that lasts hold_ms, then pauses twice as long.
  void MaintainUntilStopped() {
    const std::int64_t hold_ns = options_.hold_ms * std::int64_t{1'000'000};
    while (g_stop == 0) {
      Transaction(
          [this, hold_ns] {
            const std::int64_t end_ns = MonotonicNs() + hold_ns;
            int result = SQLITE_OK;
            while (result == SQLITE_OK && MonotonicNs() < end_ns) {
              result = Execute(
                  "DELETE FROM checkpoints WHERE rowid IN (SELECT rowid FROM checkpoints ORDER BY rowid "
                  "LIMIT 1);"
                  "UPDATE writes SET value = randomblob(length(value)) WHERE rowid IN "
                  "(SELECT rowid FROM writes ORDER BY random() LIMIT 20)");
              SleepUntil(std::min(end_ns, MonotonicNs() + kMaintenancePauseNs));
            }
            return result;
          },
          0);
      SleepUntil(MonotonicNs() + 2 * hold_ns);
    }
  }

  const Totals& totals() const { return totals_; }
  const char* LastError() const { return sqlite3_errmsg(database_); }

 private:
  // The switch needs the file alone, and SQLite does not wait where two that switch at once would wait for each other.
  bool SwitchToWal() {
    constexpr int kTries = 500;
    constexpr std::int64_t kPauseNs = 10'000'000;
    int result = Execute("PRAGMA journal_mode=WAL");
    for (int tries = 1; result == SQLITE_BUSY && tries < kTries; ++tries) {
      SleepUntil(MonotonicNs() + kPauseNs);
      result = Execute("PRAGMA journal_mode=WAL");
    }
    return result == SQLITE_OK;
  }

  int Execute(const char* sql) { return sqlite3_exec(database_, sql, nullptr, nullptr, nullptr); }

  // One write transaction around `body`, counted by its outcome with the wait for the lock in its duration.
  template <typename Body>
  bool Transaction(Body body, std::uint64_t size_bytes) {
    const outgrown::block::Start start = writer_.Begin();
    int result = Execute("BEGIN IMMEDIATE");
    const std::uint64_t asked_until_ns = outgrown::block::NowNs();
    const std::uint64_t wait_ns = asked_until_ns - start.start_ns;
    if (result != SQLITE_OK) {
      writer_.LockWaited(wait_ns);
    } else {
      const outgrown::block::Start hold = writer_.LockHeldAt(asked_until_ns, wait_ns);
      result = body();
      if (result == SQLITE_OK) result = Execute("COMMIT");
      if (result != SQLITE_OK) {
        result = sqlite3_extended_errcode(database_);
        Execute("ROLLBACK");
      }
      writer_.LockReleasedAt(hold, result == SQLITE_OK, outgrown::block::NowNs());
    }
    const Outcome outcome = outgrown::block::OutcomeOfSqlite(result);
    writer_.End(start, outcome, outcome == Outcome::kOk ? size_bytes : 0);
    Tally(outcome);
    return outcome == Outcome::kOk;
  }

  void Tally(Outcome outcome) {
    switch (outcome) {
      case Outcome::kOk:
        ++totals_.success;
        break;
      case Outcome::kConstraint:
        ++totals_.rejected;
        break;
      default:
        ++totals_.error;
    }
  }

  void WriteCheckpoint() {
    const int size_bytes = std::uniform_int_distribution<int>(2'000, 8'000)(random_);
    ++step_;
    Transaction([this, size_bytes] { return InsertCheckpoint(size_bytes); },
                static_cast<std::uint64_t>(size_bytes) * 2);
  }

  int InsertCheckpoint(int size_bytes) {
    const std::string thread = std::to_string(options_.id) + "-" + std::to_string(step_ / 50);
    const std::string checkpoint = std::to_string(step_);
    std::vector<char> blob(static_cast<std::size_t>(size_bytes));
    for (char& c : blob) c = static_cast<char>(random_());
    int result = Insert("INSERT OR REPLACE INTO checkpoints VALUES (?1, '', ?2, NULL, 'msgpack', ?3, '{}')",
                        thread, checkpoint, blob, 0);
    blob.resize(blob.size() / kWritesPerCheckpoint);
    for (int index = 0; result == SQLITE_OK && index < kWritesPerCheckpoint; ++index) {
      result =
          Insert("INSERT OR REPLACE INTO writes VALUES (?1, '', ?2, 'task', ?4, 'messages', 'msgpack', ?3)",
                 thread, checkpoint, blob, index);
    }
    return result;
  }

  int Insert(const char* sql, const std::string& thread, const std::string& checkpoint,
             const std::vector<char>& blob, int index) {
    sqlite3_stmt* statement = nullptr;
    int result = sqlite3_prepare_v2(database_, sql, -1, &statement, nullptr);
    if (result != SQLITE_OK) return result;
    sqlite3_bind_text(statement, 1, thread.c_str(), -1, SQLITE_STATIC);
    sqlite3_bind_text(statement, 2, checkpoint.c_str(), -1, SQLITE_STATIC);
    sqlite3_bind_blob(statement, 3, blob.data(), static_cast<int>(blob.size()), SQLITE_STATIC);
    if (sqlite3_bind_parameter_count(statement) >= 4) sqlite3_bind_int(statement, 4, index);
    sqlite3_step(statement);
    result = sqlite3_finalize(statement);
    return result;
  }

  const Options& options_;
  outgrown::block::Writer& writer_;
  sqlite3* database_ = nullptr;
  std::mt19937 random_;
  std::int64_t step_ = 0;
  Totals totals_;
};

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app(
      "The demo's application: LangGraph-shaped checkpoints in SQLite, counted in the counter block");
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--database", options.database, "the SQLite file")->required();
  app.add_option("--blocks", options.blocks, "the folder of the counter blocks")->required();
  app.add_option("--store", options.store, "the store's name, that of its counter block");
  app.add_option("--id", options.id, "number of this application, seeds its random data");
  app.add_option("--busy-timeout-ms", options.busy_timeout_ms, "how long a write waits for the lock");
  CLI::App* write = app.add_subcommand("write", "write checkpoints");
  write->add_option("--rate", options.rate_per_second, "checkpoints per second");
  CLI::App* maintain = app.add_subcommand("maintain", "delete old checkpoints, holding the write lock");
  maintain->add_option("--hold-ms", options.hold_ms, "how long one maintenance transaction lasts");
  CLI11_PARSE(app, argc, argv);

  struct sigaction stop = {};
  stop.sa_handler = [](int) { g_stop = 1; };
  sigaction(SIGTERM, &stop, nullptr);
  sigaction(SIGINT, &stop, nullptr);

  outgrown::block::WriterOptions block;
  block.directory = options.blocks;
  block.database = options.database;
  auto writer = outgrown::block::Writer::Open(options.store, block);
  if (!writer) {
    std::fprintf(stderr, "checkpoint-workload: %s\n", writer.error().Text().c_str());
    return 1;
  }
  Application application(options, *writer);
  if (!application.Open()) {
    std::fprintf(stderr, "checkpoint-workload: %s: %s\n", options.database.c_str(), application.LastError());
    return 1;
  }
  if (*write) {
    application.WriteUntilStopped();
  } else {
    application.MaintainUntilStopped();
  }
  const Totals& totals = application.totals();
  std::printf("{\"writes\": {\"success\": %llu, \"error\": %llu, \"rejected\": %llu}}\n",
              static_cast<unsigned long long>(totals.success), static_cast<unsigned long long>(totals.error),
              static_cast<unsigned long long>(totals.rejected));
  return 0;
}
