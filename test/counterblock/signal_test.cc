// Records from a signal handler that interrupts the library on the same thread.
#include <signal.h>
#include <sys/time.h>

#include <atomic>
#include <cstdint>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "counterblock/thread_slots.h"
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

// Interrupts the process with RecordInHandler every 20 µs, while it lives: this thread, unless others take the signal.
class Interrupter {
 public:
  // A thread that is started while this is set never takes it.
  static void SetBlocked(bool blocked) {
    sigset_t signal;
    ::sigemptyset(&signal);
    ::sigaddset(&signal, SIGALRM);
    ::pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &signal, nullptr);
  }

  explicit Interrupter(Writer& writer) {
    handler_writer = &writer;
    handled = 0;
    struct sigaction action = {};
    action.sa_handler = RecordInHandler;
    REQUIRE(::sigaction(SIGALRM, &action, &old_action_) == 0);
    const struct itimerval every = {{0, 20}, {0, 20}};
    REQUIRE(::setitimer(ITIMER_REAL, &every, nullptr) == 0);
  }
  Interrupter(const Interrupter&) = delete;
  Interrupter& operator=(const Interrupter&) = delete;
  ~Interrupter() {
    const struct itimerval never = {};
    ::setitimer(ITIMER_REAL, &never, nullptr);
    ::sigaction(SIGALRM, &old_action_, nullptr);
  }

 private:
  struct sigaction old_action_ = {};
};

}  // namespace

TEST_CASE("a signal handler that interrupts a record may record too, and nothing is lost") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  writer.RecordAt(Outcome::kOk, 1, 1, 1);
  std::uint64_t recorded = 1;
  {
    const Interrupter interrupter(writer);  // mostly inside a record
    for (; handled.load(std::memory_order_relaxed) < 30'000; ++recorded)
      writer.RecordAt(Outcome::kOk, 1, 1, 1);
  }
  const Snapshot snapshot = folder.Read();
  CHECK(WritesOf(snapshot, Outcome::kOk) == recorded);
  CHECK(WritesOf(snapshot, Outcome::kFull) == handled.load());
  CHECK(snapshot.bytes == recorded + handled.load());
  CHECK(snapshot.in_flight == 0);
  // A handler inside a record counts in the overflow slot; that some did shows that records were interrupted.
  CHECK(snapshot.overflow_records > 0);
  CHECK(snapshot.overflow_records < handled.load());
}

TEST_CASE("a signal handler that records into another store of the same row moves no record there") {
  const BlockFolder folder;
  // As many stores as a thread's table has rows lie between the two.
  std::vector<Writer> writers;
  for (std::uint64_t i = 0; i <= ThreadSlots::kRows; ++i) {
    writers.push_back(std::move(Writer::Open("s" + std::to_string(i), folder.Options()).value()));
  }
  writers.back().RecordAt(Outcome::kFull, 1, 1, 1);  // this thread has recorded into both
  std::uint64_t recorded = 0;
  {
    const Interrupter interrupter(writers.back());
    for (; handled.load(std::memory_order_relaxed) < 30'000; ++recorded)
      writers.front().RecordAt(Outcome::kOk, 1, 1, 1);
  }
  const Snapshot interrupted = folder.Read("s0");
  const Snapshot handlers = folder.Read("s" + std::to_string(ThreadSlots::kRows));
  CHECK(WritesOf(interrupted, Outcome::kOk) == recorded);
  CHECK(interrupted.bytes == recorded);
  CHECK(WritesOf(handlers, Outcome::kFull) == handled.load() + 1);
  CHECK(WritesOf(handlers, Outcome::kOk) == 0);
}

TEST_CASE(
    "a signal handler that interrupts an open or a close, and finds no slot free, does not wait for them") {
  const BlockFolder folder;
  Writer full = folder.Open(1);
  std::promise<void> taken;
  std::promise<void> end;
  Interrupter::SetBlocked(true);
  std::thread holder([&] {
    full.Record(Outcome::kOk, 1, 1);
    taken.set_value();
    end.get_future().wait();
  });
  Interrupter::SetBlocked(false);
  taken.get_future().wait();
  full.Record(Outcome::kOk, 1, 1);  // this thread has recorded before
  std::uint64_t opened = 0;
  {
    const Interrupter interrupter(full);
    // Once at least: a slow build may handle all of them before it comes here.
    for (; opened == 0 || handled.load(std::memory_order_relaxed) < 30'000; ++opened) {
      Writer other = std::move(Writer::Open("other", folder.Options()).value());
      other.Record(Outcome::kOk, 1, 1);
    }
  }
  end.set_value();
  holder.join();
  CHECK(WritesOf(folder.Read(), Outcome::kFull) == handled.load());
  CHECK(folder.Read().overflow_records == handled.load() + 1);
  CHECK(WritesOf(folder.Read("other"), Outcome::kOk) == opened);
}
