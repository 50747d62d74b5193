#include "counterblock/writer.h"

#include <unistd.h>

#include <latch>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "test/counterblock/block_folder.h"
#include "test/support/child.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::Result;
using outgrown::test::BlockFolder;
using outgrown::test::RunInChild;

TEST_CASE("what is recorded is what is read") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  CHECK(writer.is_on());
  writer.Record(Outcome::kOk, 100, 2'000);
  writer.Record(Outcome::kOk, 50, 100'000'000);
  writer.Record(Outcome::kBusy, 0, 5'000'000'000);
  writer.Record(static_cast<Outcome>(99), 1, 1);
  const Snapshot snapshot = folder.Read();
  CHECK(WritesOf(snapshot, Outcome::kOk) == 2);
  CHECK(WritesOf(snapshot, Outcome::kBusy) == 1);
  CHECK(WritesOf(snapshot, Outcome::kOther) == 1);
  CHECK(snapshot.bytes == 151);
  CHECK(snapshot.duration_sum_ns == 5'100'002'001);
  CHECK(snapshot.buckets[BucketOf(100'000'000)] == 1);
  CHECK(snapshot.writers == 1);
  CHECK(snapshot.slots == 16);
  CHECK(snapshot.slots_used == 1);
  CHECK(snapshot.overflow_records == 0);
  CHECK(snapshot.database == "/srv/state.db");
  CHECK(NowNs() - snapshot.last_write_ns < 10'000'000'000);
}

TEST_CASE("a negative number that was cast does not turn a counter back") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  writer.RecordAt(Outcome::kOk, 7, 7, 1);
  writer.RecordAt(Outcome::kOk, static_cast<std::uint64_t>(-1), static_cast<std::uint64_t>(-1), 0);
  const Snapshot snapshot = folder.Read();
  CHECK(snapshot.bytes == 7 + (1ULL << 40U));
  CHECK(snapshot.duration_sum_ns == 7 + (1ULL << 53U));
  CHECK(snapshot.last_write_ns == 0);
}

TEST_CASE("a write shows as in flight from its begin to its end") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  const std::uint64_t begun_ns = NowNs() - 4'000'000'000;
  const Start start = writer.BeginAt(begun_ns);
  Snapshot snapshot = folder.Read();
  CHECK(snapshot.in_flight == 1);
  CHECK(snapshot.oldest_in_flight_ns >= 4'000'000'000);
  writer.EndAt(start, Outcome::kOk, 10, begun_ns + 30'000);
  snapshot = folder.Read();
  CHECK(snapshot.in_flight == 0);
  CHECK(snapshot.duration_sum_ns == 30'000);
  CHECK(WritesOf(snapshot, Outcome::kOk) == 1);

  writer.Abandon(writer.Begin());
  CHECK(folder.Read().in_flight == 0);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 1);
}

TEST_CASE("interleaved writes of one thread show the first, and all are recorded") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  const Start first = writer.BeginAt(1'000);
  const Start second = writer.BeginAt(2'000);
  writer.EndAt(second, Outcome::kOk, 0, 3'000);
  CHECK(folder.Read().in_flight == 1);
  writer.EndAt(first, Outcome::kOk, 0, 3'000);
  CHECK(folder.Read().in_flight == 0);
  CHECK(folder.Read().duration_sum_ns == 3'000);
}

TEST_CASE("a write may end on another thread, which takes the mark from the first one's slot") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  const Start start = writer.Begin();
  std::thread([&] { writer.End(start, Outcome::kOk, 5); }).join();
  CHECK(folder.Read().in_flight == 0);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 1);
}

TEST_CASE("a write of a thread that has ended doesn't end the mark of the slot's next thread") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  Start begun;
  Start hold;
  std::thread([&] {
    begun = writer.Begin();
    hold = writer.LockHeldAt(NowNs(), 0);
  }).join();
  std::thread([&] {
    const Start own = writer.Begin();
    const Start own_hold = writer.LockHeldAt(NowNs(), 0);
    writer.End(begun, Outcome::kOk, 1);
    writer.LockReleasedAt(hold, true, NowNs());
    CHECK(folder.Read().in_flight == 1);
    CHECK(folder.Read().lock_held_now_ns > 0);
    writer.End(own, Outcome::kOk, 1);
    writer.LockReleasedAt(own_hold, true, NowNs());
  }).join();
  CHECK(folder.Read().in_flight == 0);
  CHECK(folder.Read().lock_held_now_ns == 0);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 2);
}

TEST_CASE("a thread's slot stays with the process at its end, and the next thread goes on adding to it") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  for (int i = 0; i < 5; ++i) {
    std::thread([&] { writer.Record(Outcome::kOk, 1, 1'000); }).join();
    CHECK(folder.Read().writers == 1);
  }
  CHECK(folder.Read().slots_used == 1);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 5);
  writer = Writer();
  CHECK(folder.Read().writers == 0);
}

TEST_CASE("a process keeps no more slots of threads that have ended than it may") {
  constexpr std::uint32_t kThreads = kIdleSlotsMax + 4;
  const BlockFolder folder;
  Writer writer = folder.Open(3 * kThreads);
  const auto record_on_threads = [&] {
    std::latch recorded(kThreads);
    std::vector<std::thread> threads;
    for (std::uint32_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&] {
        writer.Record(Outcome::kOk, 1, 1'000);
        recorded.arrive_and_wait();
      });
    }
    for (std::thread& thread : threads) thread.join();
  };
  for (int i = 0; i < 2; ++i) {
    record_on_threads();
    CHECK(folder.Read().writers == kIdleSlotsMax);
  }
  CHECK(folder.Read().overflow_records == 0);
  CHECK(folder.Read().slots_used == kThreads);
  // A child begins with none, and with none again when its locks have gone with its descriptors.
  CHECK(RunInChild([&] {
          for (int i = 0; i < 2; ++i) {
            record_on_threads();
            if (folder.Read().writers != 2 * kIdleSlotsMax) return 1 + i;
            ::close_range(3, ~0U, 0);
          }
          return 0;
        }) == "exit 0");
}

TEST_CASE("the count goes on over a close and an open") {
  const BlockFolder folder;
  for (int i = 0; i < 3; ++i) {
    Writer writer = folder.Open();
    writer.Record(Outcome::kFull, 0, 0);
    CHECK(folder.Read().writers == 1);
  }
  CHECK(folder.Read().writers == 0);
  CHECK(WritesOf(folder.Read(), Outcome::kFull) == 3);
}

TEST_CASE("with every slot taken, records go to the overflow slot and none is lost") {
  const BlockFolder folder;
  Writer writer = folder.Open(1);
  writer.Record(Outcome::kOk, 1, 1'000);
  std::thread([&] {
    for (int i = 0; i < 10'000; ++i) writer.End(writer.Begin(), Outcome::kOk, 1);
  }).join();
  const Snapshot snapshot = folder.Read();
  CHECK(WritesOf(snapshot, Outcome::kOk) == 10'001);
  CHECK(snapshot.overflow_records == 10'000);
  CHECK(snapshot.bytes == 10'001);
  CHECK(snapshot.writers == 1);
}

TEST_CASE("a thread that found no slot free looks again after 4096 records") {
  const BlockFolder folder;
  Writer writer = folder.Open(1);
  std::latch taken(1);
  std::latch missed(1);
  std::thread holder([&] {
    writer.Record(Outcome::kOk, 1, 1'000);
    taken.count_down();
    missed.wait();
  });
  taken.wait();
  writer.Record(Outcome::kOk, 1, 1'000);
  missed.count_down();
  holder.join();
  for (int i = 0; i < 4096; ++i) writer.Record(Outcome::kOk, 1, 1'000);
  CHECK(folder.Read().overflow_records == 4097);
  writer.Record(Outcome::kOk, 1, 1'000);
  CHECK(folder.Read().writers == 1);
  CHECK(folder.Read().overflow_records == 4097);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 4099);
}

TEST_CASE("one thread writes to more stores than its table has rows") {
  const BlockFolder folder;
  std::vector<Writer> writers;
  for (int i = 0; i < 20; ++i) {
    writers.push_back(std::move(Writer::Open("store" + std::to_string(i), folder.Options()).value()));
  }
  for (int round = 0; round < 3; ++round) {
    for (Writer& writer : writers) writer.Record(Outcome::kOk, 1, 1);
  }
  for (int i = 0; i < 20; ++i) {
    const Snapshot snapshot = folder.Read("store" + std::to_string(i));
    CHECK(WritesOf(snapshot, Outcome::kOk) == 3);
    CHECK(snapshot.writers == 1);
    CHECK(snapshot.overflow_records == 0);
  }
}

TEST_CASE("two Writers of one store in one process share a slot for each thread") {
  const BlockFolder folder;
  Writer first = folder.Open();
  {
    Writer second = folder.Open();
    first.Record(Outcome::kOk, 1, 1);
    second.Record(Outcome::kOk, 1, 1);
    CHECK(folder.Read().writers == 1);
  }
  first.Record(Outcome::kOk, 1, 1);
  CHECK(folder.Read().writers == 1);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 3);
}

TEST_CASE("a Writer that is off takes every call") {
  Writer off;
  CHECK_FALSE(off.is_on());
  off.Record(Outcome::kOk, 1, 1);
  off.End(off.Begin(), Outcome::kOk, 1);
  off.Abandon(off.Begin());
  off.TraceLost();
  off.TraceRegained();
  off.FileOpened({1, 1});
  off.FileOpenedAt("/nowhere");
  off.FileReopened();
  off.FileClosed();
  off.Refused(outgrown::block::Refusal::kNameTaken);
  off.RefusalEnded(outgrown::block::Refusal::kNameTaken);
  CHECK(off.database().empty());
}

TEST_CASE("what cannot be opened says why") {
  const BlockFolder folder;
  const auto reason = [&](const std::string& store, const WriterOptions& options) {
    const Result<Writer> writer = Writer::Open(store, options);
    return writer.ok() ? std::string() : writer.error().Text();
  };
  CHECK(reason("no/name", folder.Options()).starts_with("no/name: not a store's name"));
  CHECK(reason("store", folder.Options(0)) == "store: 0 slots asked for, expected 1 to 4096");
  CHECK(reason("store", folder.Options(4097)) == "store: 4097 slots asked for, expected 1 to 4096");
  WriterOptions long_path = folder.Options();
  long_path.database = std::string(4096, 'x');
  CHECK(reason("store", long_path) == "store: the database's path is too long");
  WriterOptions missing = folder.Options();
  missing.directory = "/no/such/folder";
  CHECK(reason("store", missing) == "/no/such/folder: cannot open the directory: No such file or directory");
}
