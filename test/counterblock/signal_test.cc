// Records from a signal handler that interrupts records of the same thread.
#include <signal.h>
#include <sys/time.h>

#include <atomic>
#include <cstdint>

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
  REQUIRE(::sigaction(SIGALRM, &action, &old_action) == 0);

  // A timer that interrupts this thread every 20 µs, so mostly inside a record.
  writer.RecordAt(Outcome::kOk, 1, 1, 1);
  std::uint64_t recorded = 1;
  const struct itimerval every = {{0, 20}, {0, 20}};
  REQUIRE(::setitimer(ITIMER_REAL, &every, nullptr) == 0);
  for (; handled.load(std::memory_order_relaxed) < 30'000; ++recorded) writer.RecordAt(Outcome::kOk, 1, 1, 1);
  const struct itimerval never = {};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::sigaction(SIGALRM, &old_action, nullptr);

  const Snapshot snapshot = folder.Read();
  CHECK(WritesOf(snapshot, Outcome::kOk) == recorded);
  CHECK(WritesOf(snapshot, Outcome::kFull) == handled.load());
  CHECK(snapshot.bytes == recorded + handled.load());
  CHECK(snapshot.in_flight == 0);
  // A handler inside a record counts in the overflow slot; that some did shows that records were interrupted.
  CHECK(snapshot.overflow_records > 0);
  CHECK(snapshot.overflow_records < handled.load());
}
