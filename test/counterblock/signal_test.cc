// Records from a signal handler that interrupts records of the same thread.
#include <pthread.h>
#include <signal.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include <doctest/doctest.h>

#include "test/counterblock/block_folder.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::test::BlockFolder;

namespace {

Writer* handler_writer = nullptr;
std::atomic<std::uint64_t> handled = 0;

void RecordInHandler(int) {
  // Several, since one lost addition would be hidden by the interrupted store's own.
  for (int i = 0; i < 3; ++i) handler_writer->End(handler_writer->BeginAt(1), Outcome::kFull, 1);
  handled.fetch_add(3);
}

}  // namespace

TEST_CASE("a signal handler that interrupts a record may record too, and nothing is lost") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  handler_writer = &writer;
  handled = 0;
  struct sigaction action = {};
  action.sa_handler = RecordInHandler;
  struct sigaction old_action = {};
  REQUIRE(::sigaction(SIGUSR1, &action, &old_action) == 0);

  constexpr std::uint64_t kSignals = 20'000;
  std::atomic<bool> ready = false;
  std::atomic<bool> stop = false;
  std::uint64_t recorded = 0;
  std::thread recorder([&] {
    for (; !stop.load(std::memory_order_relaxed); ++recorded) {
      writer.RecordAt(Outcome::kOk, 1, 1, 1);
      ready.store(true, std::memory_order_relaxed);
    }
  });
  while (!ready.load()) std::this_thread::yield();
  for (std::uint64_t sent = 0; sent < kSignals; ++sent) {
    const std::uint64_t before = handled.load();
    REQUIRE(::pthread_kill(recorder.native_handle(), SIGUSR1) == 0);
    while (handled.load() == before) std::this_thread::yield();
  }
  stop.store(true);
  recorder.join();
  ::sigaction(SIGUSR1, &old_action, nullptr);

  const Snapshot snapshot = folder.Read();
  CHECK(WritesOf(snapshot, Outcome::kOk) == recorded);
  CHECK(WritesOf(snapshot, Outcome::kFull) == handled.load());
  CHECK(handled.load() == 3 * kSignals);
  CHECK(snapshot.bytes == recorded + handled.load());
  CHECK(snapshot.in_flight == 0);
  MESSAGE("records of handlers that had to go to the overflow slot: ", snapshot.overflow_records);
}
