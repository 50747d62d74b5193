// Kills writers at random moments while a reader polls: nothing torn, nothing backwards, nothing unreadable,
// and no acknowledged count lost.
//
//   kill_test KILLS      how many SIGKILLs each scenario takes (40 in `./run test`, 10,000 in `./run soak`)
//
// Each record adds numbers whose halves both change, so that a torn read of a sum is not their multiple. Billions of
// records make the sums wrap; the numbers are odd, so that a sum still tells how many there were. Each
// thread acknowledges a record in shared memory after it was made; what is counted may exceed what is
// acknowledged by the one record that each killed thread was in.
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "common/check.h"
#include "counterblock/block_file.h"
#include "counterblock/reader.h"
#include "counterblock/writer.h"
#include "test/common/temporary_folder.h"
#include "test/support/child.h"

namespace {

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::Result;
using outgrown::test::Fork;
using outgrown::test::Kill;
using outgrown::test::Shared;
using outgrown::test::TemporaryFolder;
using outgrown::test::Wait;

constexpr std::uint64_t kBytes = 0x1'9e37'79b1;     // both halves of the sum move with each record
constexpr std::uint64_t kDuration = 0x2'85eb'ca77;  // 10.8 s
constexpr int kProcesses = 8;
constexpr int kThreads = 4;
constexpr std::size_t kWriters = std::size_t{kProcesses} * kThreads;

// A torn sum seems to be of very many more.
constexpr std::uint64_t kRecordsMax = 1ULL << 40U;

// The number of records whose sum is this, modulo 2^64. `each` is odd, and so has an inverse, which Newton's iteration
// finds: each step doubles the low bits that are right, of which an odd number as its own inverse has three.
constexpr std::uint64_t RecordsOf(std::uint64_t sum, std::uint64_t each) {
  std::uint64_t inverse = each;
  for (int bits = 3; bits < 64; bits *= 2) inverse *= 2 - each * inverse;
  return sum * inverse;
}
static_assert(RecordsOf(kBytes * 5'000'000'000, kBytes) == 5'000'000'000);
static_assert(RecordsOf(kDuration * 5'000'000'000, kDuration) == 5'000'000'000);
static_assert(RecordsOf(kBytes * 5'000'000'000 + (1ULL << 32U), kBytes) > kRecordsMax);

struct Acknowledged {
  std::array<std::atomic<std::uint64_t>, kWriters> records;
  std::atomic<bool> stop;

  std::uint64_t Sum() const {
    std::uint64_t sum = 0;
    for (const auto& one : records) sum += one.load();
    return sum;
  }

  // Until every thread has made so many more: also those that have to share the overflow slot.
  void WaitForEach(std::uint64_t more) const {
    for (const auto& one : records) {
      const std::uint64_t until = one.load() + more;
      while (one.load() < until) ::sched_yield();
    }
  }
};

int failures = 0;

void Expect(bool holds, const std::string& what) {
  if (holds) return;
  ++failures;
  std::printf("FAILED: %s\n", what.c_str());
}

std::ptrdiff_t FilesIn(const std::filesystem::path& folder) {
  return std::distance(std::filesystem::directory_iterator(folder), std::filesystem::directory_iterator());
}

// One process that records on several threads until it is killed or told to stop.
int WriterProcess(const std::string& folder, std::uint32_t slots, int process, Acknowledged& acknowledged) {
  ::setpriority(PRIO_PROCESS, 0, 10);  // so that the poller polls among 32 busy threads
  Result<Writer> writer = Writer::Open("store", {.directory = folder, .slots = slots});
  if (!writer) return 1;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      auto& mine =
          acknowledged.records[static_cast<std::size_t>(process) * kThreads + static_cast<std::size_t>(i)];
      while (!acknowledged.stop.load(std::memory_order_relaxed)) {
        const Start start = writer->BeginAt(1);
        writer->EndAt(start, Outcome::kOk, kBytes, 1 + kDuration);
        mine.fetch_add(1);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  return 0;
}

// Reads on and on; everything that must hold between two reads holds.
class Poller {
 public:
  explicit Poller(std::string folder) : folder_(std::move(folder)) {}

  void Poll() {
    const Result<Snapshot> snapshot = ReadBlock(folder_, {"store"});
    ++reads_;
    if (!snapshot) {
      Expect(!seen_,
             "unreadable: " + snapshot.error().Text());  // before the first writer has made it, it is missing
      return;
    }
    seen_ = true;
    const std::uint64_t of_bytes = RecordsOf(snapshot->bytes, kBytes);
    const std::uint64_t of_durations = RecordsOf(snapshot->duration_sum_ns, kDuration);
    Expect(of_bytes <= kRecordsMax, "a torn sum of bytes: " + std::to_string(snapshot->bytes));
    Expect(of_durations <= kRecordsMax,
           "a torn sum of durations: " + std::to_string(snapshot->duration_sum_ns));
    NotBackwards("writes", WritesOf(*snapshot, Outcome::kOk), WritesOf(last_, Outcome::kOk));
    NotBackwards("bytes", of_bytes, RecordsOf(last_.bytes, kBytes));
    NotBackwards("durations", of_durations, RecordsOf(last_.duration_sum_ns, kDuration));
    NotBackwards("bucket", snapshot->buckets[BucketOf(kDuration)], last_.buckets[BucketOf(kDuration)]);
    NotBackwards("overflow", snapshot->overflow_records, last_.overflow_records);
    NotBackwards("slots used", snapshot->slots_used, last_.slots_used);
    NotBackwards("killed writes", WritesOf(*snapshot, Outcome::kOther), WritesOf(last_, Outcome::kOther));
    Expect(WritesOf(*snapshot, Outcome::kCorrupt) == 0, "a count in a cell that nobody writes");
    Expect(snapshot->in_flight <= snapshot->writers, "more in flight than living");
    last_ = *snapshot;
  }
  std::uint64_t reads() const { return reads_; }
  const Snapshot& last() const { return last_; }

 private:
  static void NotBackwards(const char* what, std::uint64_t now, std::uint64_t before) {
    Expect(now >= before, std::string(what) + " went backwards from " + std::to_string(before) + " to " +
                              std::to_string(now));
  }

  std::string folder_;
  Snapshot last_;
  bool seen_ = false;
  std::uint64_t reads_ = 0;
};

// Some of the processes are killed together and restarted, until `kills` is reached; then the rest is told to
// stop. Together, because a killed process ends only when each of its threads gets a turn on the busy
// processors.
void KillAndRestart(const char* name, int kills, std::uint32_t slots, std::mt19937_64& random) {
  const TemporaryFolder folder;
  const Shared<Acknowledged> acknowledged;
  std::array<pid_t, kProcesses> pids{};
  const auto start = [&](int process) {
    pids[static_cast<std::size_t>(process)] =
        Fork([&] { return WriterProcess(folder.path().string(), slots, process, *acknowledged); });
  };
  for (int i = 0; i < kProcesses; ++i) start(i);
  Poller poller(folder.path().string());
  int killed = 0;
  while (killed < kills) {
    const std::uint64_t polls = random() % 20;
    for (std::uint64_t i = 0; i < polls; ++i) poller.Poll();
    const std::uint64_t victims = random() | (1U << (random() % kProcesses));  // bit by bit; at least one
    for (int i = 0; i < kProcesses; ++i) {
      if ((victims >> static_cast<unsigned>(i) & 1U) != 0) ::kill(pids[static_cast<std::size_t>(i)], SIGKILL);
    }
    poller.Poll();
    for (int i = 0; i < kProcesses; ++i) {
      if ((victims >> static_cast<unsigned>(i) & 1U) == 0) continue;
      Expect(Wait(pids[static_cast<std::size_t>(i)]) == "signal 9", "a writer ended before it was killed");
      start(i);
      ++killed;
    }
  }
  acknowledged->WaitForEach(1'000);
  acknowledged->stop.store(true);
  for (const pid_t pid : pids) Expect(Wait(pid) == "exit 0", "a writer could not open the block");
  poller.Poll();

  const std::uint64_t counted = WritesOf(poller.last(), Outcome::kOk);
  const std::uint64_t known = acknowledged->Sum();
  const std::uint64_t killed_threads = static_cast<std::uint64_t>(killed) * kThreads;
  Expect(counted >= known, "lost " + std::to_string(known - counted) + " acknowledged records");
  Expect(counted - known <= killed_threads,
         "counted " + std::to_string(counted - known) + " records too many");
  // Written by whoever takes the killed thread's slot.
  const std::uint64_t killed_writes = WritesOf(poller.last(), Outcome::kOther);
  Expect(killed_writes > 0 && killed_writes <= killed_threads,
         std::to_string(killed_writes) + " killed writes of " + std::to_string(killed_threads) + " threads");
  Expect(poller.last().writers == 0, "a slot that is held by nobody looks living");
  Expect((poller.last().overflow_records > 0) == (slots < kProcesses * kThreads), "the overflow slot's use");
  std::printf(
      "%s: %d kills, %llu reads, %llu records acknowledged, %llu counted, %llu of them in the overflow "
      "slot\n",
      name, killed, static_cast<unsigned long long>(poller.reads()), static_cast<unsigned long long>(known),
      static_cast<unsigned long long>(counted),
      static_cast<unsigned long long>(poller.last().overflow_records));
}

// Without a kill the totals are exact.
void StopAndCompare(std::uint32_t slots) {
  const TemporaryFolder folder;
  const Shared<Acknowledged> acknowledged;
  std::array<pid_t, kProcesses> pids{};
  for (int i = 0; i < kProcesses; ++i) {
    pids[static_cast<std::size_t>(i)] =
        Fork([&] { return WriterProcess(folder.path().string(), slots, i, *acknowledged); });
  }
  acknowledged->WaitForEach(20'000);
  acknowledged->stop.store(true);
  for (const pid_t pid : pids) Expect(Wait(pid) == "exit 0", "a writer could not open the block");
  Poller poller(folder.path().string());
  poller.Poll();
  const std::uint64_t known = acknowledged->Sum();
  Expect(WritesOf(poller.last(), Outcome::kOk) == known, "the count is not what was acknowledged");
  Expect(poller.last().bytes == known * kBytes, "the bytes are not what was acknowledged");
  Expect(poller.last().duration_sum_ns == known * kDuration, "the durations are not what was acknowledged");
  Expect(poller.last().buckets[BucketOf(kDuration)] == known, "the buckets are not what was acknowledged");
  std::printf("no kill, %u slots: %llu records, exact\n", slots, static_cast<unsigned long long>(known));
}

// Processes that all open the store at the same moment count in the same file.
void RaceCreators(int rounds) {
  for (int round = 0; round < rounds; ++round) {
    const TemporaryFolder folder;
    const Shared<std::atomic<int>> ready;
    std::array<pid_t, kProcesses> pids{};
    for (pid_t& pid : pids) {
      pid = Fork([&] {
        ready->fetch_add(1);
        while (ready->load() < kProcesses) ::sched_yield();
        Result<Writer> writer = Writer::Open("store", {.directory = folder.path().string()});
        if (!writer) return 1;
        writer->RecordAt(Outcome::kOk, kBytes, kDuration, 1);
        return 0;
      });
    }
    for (const pid_t pid : pids) Expect(Wait(pid) == "exit 0", "a racing creator failed");
    Poller poller(folder.path().string());
    poller.Poll();
    Expect(WritesOf(poller.last(), Outcome::kOk) == kProcesses, "racing creators counted in different files");
    Expect(FilesIn(folder.path()) == 1, "a racing creator left its temporary file");
  }
  std::printf("%d rounds of %d racing creators\n", rounds, kProcesses);
}

// Creators are killed while they create, each time in a new folder: a block is whole or it is not there.
void KillCreators(int kills, std::mt19937_64& random) {
  int created = 0;
  for (int kill = 0; kill < kills; ++kill) {
    const TemporaryFolder folder;
    std::array<pid_t, 2> racers{};
    for (pid_t& racer : racers) {
      racer = Fork([&] {
        Result<Writer> writer = Writer::Open("store", {.directory = folder.path().string()});
        if (!writer) return 1;
        writer->Record(Outcome::kOk, 1, 1);
        while (true) ::pause();
        return 0;
      });
    }
    // Up to 1.5 ms of polling; both the file's making and its first use fall into that.
    const std::uint64_t until_ns = NowNs() + random() % 1'500'000;
    const auto whole_or_absent = [&] {
      const Result<std::vector<BlockName>> blocks = ListBlocks(folder.path().string());
      if (!blocks || blocks->empty()) return false;
      const Result<Snapshot> snapshot = ReadBlock(folder.path().string(), {"store"});
      Expect(snapshot.ok(), snapshot.ok() ? "" : "unreadable: " + snapshot.error().Text());
      return true;
    };
    do {
      whole_or_absent();
    } while (NowNs() < until_ns);
    for (const pid_t racer : racers) Expect(Kill(racer) == "signal 9", "a creator failed");
    created += whole_or_absent() ? 1 : 0;
    Result<Writer> next = Writer::Open("store", {.directory = folder.path().string()});
    Expect(next.ok(), next.ok() ? "" : "the next writer cannot open it: " + next.error().Text());
  }
  std::printf("creators: %d of %d killed pairs had published\n", created, kills);
}

}  // namespace

int main(int argc, char** argv) {
  const int kills = argc > 1 ? std::atoi(argv[1]) : 200;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  std::mt19937_64 random(seed);
  StopAndCompare(256);
  StopAndCompare(kProcesses * kThreads / 2);
  KillAndRestart("with slots for all", kills, 256, random);
  KillAndRestart("with half the slots", kills, kProcesses * kThreads / 2, random);
  RaceCreators(kills / 2);
  KillCreators(kills, random);
  std::printf("%d failures\n", failures);
  return failures == 0 ? 0 : 1;
}
