// What the SQLite observer costs: the same statements on two connections of one process, one of which it observes, taken
// in turns, so that whatever else the machine does meets both. Usage: sqlite_observer_bench EXTENSION [benchmark options]
#include <sqlite3.h>
#include <stdlib.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "common/check.h"
#include "counterblock/writer.h"

namespace {

namespace fs = std::filesystem;
using outgrown::block::NowNs;

// A folder that goes with the benchmark.
class Folder {
 public:
  explicit Folder(const fs::path& parent) {
    std::string name = (parent / "outgrown-bench.XXXXXX").string();
    OUTGROWN_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  std::string File(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

// A checkpoint-shaped table in WAL mode with synchronous = NORMAL, and the prepared statements of one write.
class Store {
 public:
  explicit Store(const std::string& uri) {
    OUTGROWN_CHECK(sqlite3_open_v2(uri.c_str(), &db_,
                                   SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI,
                                   nullptr) == SQLITE_OK);
    for (const char* sql : {"PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL",
                            "CREATE TABLE checkpoints(thread_id TEXT, checkpoint_id INTEGER, checkpoint BLOB,"
                            " PRIMARY KEY(thread_id, checkpoint_id))"}) {
      OUTGROWN_CHECK(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
    }
    insert_ = Prepare("INSERT INTO checkpoints VALUES('thread', ?, ?)");
    begin_ = Prepare("BEGIN IMMEDIATE");
    commit_ = Prepare("COMMIT");
    select_ =
        Prepare("SELECT checkpoint_id FROM checkpoints WHERE thread_id = 'thread' AND checkpoint_id = 1");
    sqlite3_bind_blob(insert_, 2, blob_.data(), static_cast<int>(blob_.size()), SQLITE_STATIC);
  }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() {
    for (sqlite3_stmt* statement : {insert_, begin_, commit_, select_}) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }

  void Insert() {
    sqlite3_bind_int64(insert_, 1, ++row_);
    Step(insert_, SQLITE_DONE);
  }
  void InsertInTransaction() {
    Step(begin_, SQLITE_DONE);
    Insert();
    Step(commit_, SQLITE_DONE);
  }
  void Select() { Step(select_, SQLITE_ROW); }

 private:
  sqlite3_stmt* Prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    OUTGROWN_CHECK(sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) == SQLITE_OK);
    return statement;
  }
  static void Step(sqlite3_stmt* statement, int expected) {
    OUTGROWN_CHECK(sqlite3_step(statement) == expected);
    sqlite3_reset(statement);
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* begin_ = nullptr;
  sqlite3_stmt* commit_ = nullptr;
  sqlite3_stmt* select_ = nullptr;
  std::int64_t row_ = 0;
  const std::string blob_ = std::string(4096, 'x');
};

double Quantile(std::vector<std::uint64_t>& sorted_later, double quantile) {
  const auto at = sorted_later.begin() +
                  static_cast<std::ptrdiff_t>(quantile * static_cast<double>(sorted_later.size() - 1));
  std::nth_element(sorted_later.begin(), at, sorted_later.end());
  return static_cast<double>(*at);
}

void Compare(benchmark::State& state, const fs::path& parent, void (Store::*work)()) {
  const Folder folder(parent);
  Store plain("file:" + folder.File("plain.db") + "?outgrown=off");
  Store observed("file:" + folder.File("observed.db"));
  std::vector<std::uint64_t> plain_ns;
  std::vector<std::uint64_t> observed_ns;
  const auto measure = [&](Store& store, std::vector<std::uint64_t>& times_ns) {
    const std::uint64_t before_ns = NowNs();
    (store.*work)();
    times_ns.push_back(NowNs() - before_ns);
  };
  plain.Insert();
  observed.Insert();
  bool plain_first = true;
  for (auto _ : state) {
    if (plain_first) measure(plain, plain_ns);
    measure(observed, observed_ns);
    if (!plain_first) measure(plain, plain_ns);
    plain_first = !plain_first;
  }
  const double plain_median_ns = Quantile(plain_ns, 0.5);
  const double observed_median_ns = Quantile(observed_ns, 0.5);
  state.counters["plain_p50_ns"] = plain_median_ns;
  state.counters["observed_p50_ns"] = observed_median_ns;
  state.counters["cost_ns"] = observed_median_ns - plain_median_ns;
  state.counters["cost_percent"] = 100 * (observed_median_ns / plain_median_ns - 1);
  state.counters["plain_p999_ns"] = Quantile(plain_ns, 0.999);
  state.counters["observed_p999_ns"] = Quantile(observed_ns, 0.999);
}

void ObservedInsert(benchmark::State& state) { Compare(state, fs::temp_directory_path(), &Store::Insert); }
BENCHMARK(ObservedInsert)->Iterations(10'000);

// On tmpfs nothing waits for a disk, so that the share is the largest it can be.
void ObservedInsertOnTmpfs(benchmark::State& state) { Compare(state, "/dev/shm", &Store::Insert); }
BENCHMARK(ObservedInsertOnTmpfs)->Iterations(10'000);

void ObservedTransaction(benchmark::State& state) {
  Compare(state, fs::temp_directory_path(), &Store::InsertInTransaction);
}
BENCHMARK(ObservedTransaction)->Iterations(10'000);

void ObservedSelect(benchmark::State& state) { Compare(state, fs::temp_directory_path(), &Store::Select); }
BENCHMARK(ObservedSelect)->Iterations(100'000);

}  // namespace

int main(int argc, char** argv) {
  OUTGROWN_CHECK(argc >= 2);
  const Folder blocks(fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path());
  ::setenv("OUTGROWN_DIR", fs::path(blocks.File(".")).lexically_normal().c_str(), 1);
  sqlite3* db = nullptr;
  OUTGROWN_CHECK(sqlite3_open(":memory:", &db) == SQLITE_OK);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
  OUTGROWN_CHECK(sqlite3_load_extension(db, argv[1], nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
  argv[1] = argv[0];
  int options = argc - 1;
  benchmark::Initialize(&options, argv + 1);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
