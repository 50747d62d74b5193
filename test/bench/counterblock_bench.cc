// What one counted write costs, side by side in one run: ours in its forms, prometheus-cpp's Increment + Observe, and
// a SQLite insert for scale. report.py runs this and prints the ratios.
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <prometheus/counter.h>
#include <prometheus/histogram.h>

#include "common/check.h"
#include "counterblock/outgrown.h"
#include "counterblock/writer.h"

namespace {

using outgrown::block::CoarseNowNs;
using outgrown::block::NowNs;
using outgrown::block::Outcome;
using outgrown::block::Start;
using outgrown::block::Writer;
using outgrown::block::WriterOptions;

// A folder that goes with the process; on tmpfs where blocks belong, else wherever temporary files go.
class Folder {
 public:
  explicit Folder(const std::filesystem::path& parent) {
    std::string name = (parent / "outgrown-bench.XXXXXX").string();
    OUTGROWN_CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const std::string& BlockFolder() {
  static const Folder folder(
      std::filesystem::is_directory("/dev/shm") ? "/dev/shm" : std::filesystem::temp_directory_path());
  return folder.path();
}

Writer& SharedWriter() {
  static Writer writer = [] {
    outgrown::Result<Writer> opened = Writer::Open("bench", {.directory = BlockFolder()});
    OUTGROWN_CHECK(opened.ok());
    return std::move(*opened);
  }();
  return writer;
}

outgrown_store* SharedStore() {
  static outgrown_store* const store = [] {
    outgrown_options options = {};
    options.size = sizeof options;
    options.directory = BlockFolder().c_str();
    outgrown_store* opened = outgrown_open("bench-c", &options);
    OUTGROWN_CHECK(outgrown_error(opened) == nullptr);
    return opened;
  }();
  return store;
}

// Durations as a store has them, around 1 ms and a few far out, so that no branch predictor learns one bucket.
const std::array<std::uint64_t, 1024>& Durations() {
  static const std::array<std::uint64_t, 1024> durations = [] {
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> duration_ns(13.8, 1.5);
    std::array<std::uint64_t, 1024> made{};
    for (std::uint64_t& one : made) one = static_cast<std::uint64_t>(duration_ns(random));
    return made;
  }();
  return durations;
}

void RecordWithoutClocks(benchmark::State& state) {
  Writer& writer = SharedWriter();
  std::size_t i = 0;
  for (auto _ : state) {
    writer.RecordAt(Outcome::kOk, 4096, Durations()[i % 1024], i + 1);
    ++i;
  }
}
BENCHMARK(RecordWithoutClocks)->ThreadRange(1, 2)->UseRealTime();

void RecordCoarseClock(benchmark::State& state) {
  Writer& writer = SharedWriter();
  std::size_t i = 0;
  for (auto _ : state) writer.Record(Outcome::kOk, 4096, Durations()[i++ % 1024]);
}
BENCHMARK(RecordCoarseClock);

void BeginEndWithoutClocks(benchmark::State& state) {
  Writer& writer = SharedWriter();
  std::size_t i = 0;
  for (auto _ : state) {
    const Start start = writer.BeginAt(i + 1);
    benchmark::ClobberMemory();
    writer.EndAt(start, Outcome::kOk, 4096, i + 1 + Durations()[i % 1024]);
    ++i;
  }
}
BENCHMARK(BeginEndWithoutClocks);

void BeginEnd(benchmark::State& state) {
  Writer& writer = SharedWriter();
  for (auto _ : state) {
    const Start start = writer.Begin();
    benchmark::ClobberMemory();
    writer.End(start, Outcome::kOk, 4096);
  }
}
BENCHMARK(BeginEnd);

void TwoClocks(benchmark::State& state) {
  for (auto _ : state) {
    benchmark::DoNotOptimize(NowNs());
    benchmark::DoNotOptimize(NowNs());
  }
}
BENCHMARK(TwoClocks);

void CRecordWithoutClocks(benchmark::State& state) {
  outgrown_store* store = SharedStore();
  std::size_t i = 0;
  for (auto _ : state) {
    outgrown_record_at(store, OUTGROWN_OK, 4096, Durations()[i % 1024], i + 1);
    ++i;
  }
}
BENCHMARK(CRecordWithoutClocks)->ThreadRange(1, 2)->UseRealTime();

void CBeginEnd(benchmark::State& state) {
  outgrown_store* store = SharedStore();
  for (auto _ : state) {
    const outgrown_start start = outgrown_begin(store);
    outgrown_end(store, start, OUTGROWN_OK, 4096);
  }
}
BENCHMARK(CBeginEnd);

// A Writer of a block whose only slot a thread holds that does nothing more.
Writer& FullWriter() {
  static Writer& writer = *[] {
    outgrown::Result<Writer> opened = Writer::Open("bench-full", {.directory = BlockFolder(), .slots = 1});
    OUTGROWN_CHECK(opened.ok());
    auto* full = new Writer(std::move(*opened));
    std::promise<void> held;
    std::thread([full, &held] {
      full->RecordAt(Outcome::kOk, 1, 1, 1);
      held.set_value();
      while (true) ::pause();
    }).detach();
    held.get_future().wait();
    return full;
  }();
  return writer;
}

void OverflowRecord(benchmark::State& state) {
  Writer& writer = FullWriter();
  std::size_t i = 0;
  for (auto _ : state) {
    writer.RecordAt(Outcome::kOk, 4096, Durations()[i % 1024], i + 1);
    ++i;
  }
}
BENCHMARK(OverflowRecord)->ThreadRange(1, 2)->UseRealTime();

void PrometheusIncrementObserve(benchmark::State& state) {
  static prometheus::Counter counter;
  static prometheus::Histogram histogram([] {
    prometheus::Histogram::BucketBoundaries bounds;
    for (const std::uint64_t bound_ns : outgrown::block::kExposedBoundsNs) {
      bounds.push_back(static_cast<double>(bound_ns) / 1e9);
    }
    return bounds;
  }());
  std::size_t i = 0;
  for (auto _ : state) {
    counter.Increment();
    histogram.Observe(static_cast<double>(Durations()[i++ % 1024]) / 1e9);
  }
}
BENCHMARK(PrometheusIncrementObserve)->ThreadRange(1, 2)->UseRealTime();

double Quantile(std::vector<std::uint64_t>& sorted, double q) {
  return static_cast<double>(sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))]);
}

void ReportQuantiles(benchmark::State& state, std::vector<std::uint64_t>& latencies_ns) {
  std::ranges::sort(latencies_ns);
  state.counters["p50_ns"] = Quantile(latencies_ns, 0.5);
  state.counters["p999_ns"] = Quantile(latencies_ns, 0.999);
}

// Each call timed by itself, clocks included, so this is what it costs at most.
void CountingLatency(benchmark::State& state) {
  Writer& writer = SharedWriter();
  std::vector<std::uint64_t> latencies_ns;
  latencies_ns.reserve(1U << 20U);
  for (auto _ : state) {
    const std::uint64_t before_ns = NowNs();
    const Start start = writer.Begin();
    writer.End(start, Outcome::kOk, 4096);
    latencies_ns.push_back(NowNs() - before_ns);
  }
  ReportQuantiles(state, latencies_ns);
}
BENCHMARK(CountingLatency)->Iterations(1'000'000);

void Execute(sqlite3* database, const char* sql) {
  OUTGROWN_CHECK(sqlite3_exec(database, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
}

// One checkpoint-shaped insert a transaction, WAL, synchronous NORMAL: what a write is that is counted.
void SqliteInsert(benchmark::State& state) {
  const Folder folder(std::filesystem::temp_directory_path());
  sqlite3* database = nullptr;
  OUTGROWN_CHECK(sqlite3_open((folder.path() + "/state.db").c_str(), &database) == SQLITE_OK);
  Execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  Execute(database,
          "CREATE TABLE checkpoints (thread_id TEXT, checkpoint_id TEXT, checkpoint BLOB,"
          " PRIMARY KEY (thread_id, checkpoint_id))");
  sqlite3_stmt* insert = nullptr;
  OUTGROWN_CHECK(sqlite3_prepare_v2(database, "INSERT INTO checkpoints VALUES (?, ?, ?)", -1, &insert,
                                    nullptr) == SQLITE_OK);
  const std::string blob(4096, 'x');
  std::vector<std::uint64_t> latencies_ns;
  latencies_ns.reserve(1U << 20U);
  std::int64_t row = 0;
  for (auto _ : state) {
    const std::uint64_t before_ns = NowNs();
    const std::string id = std::to_string(++row);
    sqlite3_bind_text(insert, 1, "thread", -1, SQLITE_STATIC);
    sqlite3_bind_text(insert, 2, id.c_str(), static_cast<int>(id.size()), SQLITE_STATIC);
    sqlite3_bind_blob(insert, 3, blob.data(), static_cast<int>(blob.size()), SQLITE_STATIC);
    OUTGROWN_CHECK(sqlite3_step(insert) == SQLITE_DONE);
    sqlite3_reset(insert);
    latencies_ns.push_back(NowNs() - before_ns);
  }
  ReportQuantiles(state, latencies_ns);
  sqlite3_finalize(insert);
  sqlite3_close(database);
}
BENCHMARK(SqliteInsert)->Iterations(20'000)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
