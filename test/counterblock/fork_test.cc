// Slots over fork, exec, SIGKILL and SIGSTOP.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "test/counterblock/block_folder.h"
#include "test/support/child.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::test::BlockFolder;
using outgrown::test::Fork;
using outgrown::test::Gate;
using outgrown::test::Kill;
using outgrown::test::RunInChild;
using outgrown::test::Wait;

TEST_CASE("a forked child counts in a slot of its own, and its end leaves the parent's alone") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  writer.Record(Outcome::kOk, 1, 1);
  const Gate recorded;
  const Gate seen;
  const pid_t child = Fork([&] {
    writer.Record(Outcome::kOk, 1, 1);
    writer.Record(Outcome::kBusy, 1, 1);
    recorded.Open();
    seen.Pass();
    return 0;
  });
  recorded.Pass();
  CHECK(folder.Read().writers == 2);
  writer.Record(Outcome::kOk, 1, 1);
  seen.Open();
  CHECK(Wait(child) == "exit 0");
  CHECK(folder.Read().writers == 1);
  CHECK(folder.Read().slots_used == 2);
  CHECK(folder.Read().overflow_records == 0);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 3);
  CHECK(WritesOf(folder.Read(), Outcome::kBusy) == 1);
}

TEST_CASE("a child that closes the Writer it inherited leaves the parent's slots locked") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  writer.Record(Outcome::kOk, 1, 1);
  CHECK(RunInChild([&] {
          { const Writer inherited = std::move(writer); }
          return 0;
        }) == "exit 0");
  CHECK(folder.Read().writers == 1);
}

TEST_CASE("a child cannot end its parent's write in flight") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  const Start start = writer.Begin();
  CHECK(RunInChild([&] {
          writer.End(start, Outcome::kOk, 0);
          return 0;
        }) == "exit 0");
  CHECK(folder.Read().in_flight == 1);
  writer.End(start, Outcome::kOk, 0);
  CHECK(folder.Read().in_flight == 0);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 2);
}

TEST_CASE("a fork of a child of a child counts as well") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  CHECK(RunInChild([&] {
          writer.Record(Outcome::kOk, 1, 1);
          return RunInChild([&] {
                   writer.Record(Outcome::kOk, 1, 1);
                   return folder.Read().writers == 2 ? 0 : 1;
                 }) == "exit 0"
                     ? 0
                     : 1;
        }) == "exit 0");
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 2);
  CHECK(folder.Read().writers == 0);
}

TEST_CASE("forks while other threads record and come and go lose nothing and hang nobody") {
  const BlockFolder folder;
  Writer writer = folder.Open(64);
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> recorded = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&] {
      while (!stop.load()) {
        std::thread([&] { writer.Record(Outcome::kOk, 1, 1); }).join();
        recorded.fetch_add(1);
      }
    });
  }
  constexpr int kForks = 100;
  for (int i = 0; i < kForks; ++i) {
    CHECK(RunInChild([&] {
            writer.Record(Outcome::kFull, 1, 1);
            return 0;
          }) == "exit 0");
  }
  stop.store(true);
  for (std::thread& thread : threads) thread.join();
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == recorded.load());
  CHECK(WritesOf(folder.Read(), Outcome::kFull) == kForks);
  CHECK(folder.Read().overflow_records == 0);
  writer = Writer();
  CHECK(folder.Read().writers == 0);
}

TEST_CASE("a program that a writer has started holds no slot of its") {
  const BlockFolder folder;
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  const pid_t writer_pid = Fork([&] {
    Writer writer = folder.Open();
    writer.Record(Outcome::kOk, 1, 1);
    const pid_t program = ::fork();
    if (program == 0) {
      ::dup2(ends[0], STDIN_FILENO);
      ::close(ends[1]);
      ::execl("/bin/cat", "cat", nullptr);  // lives until the pipe's other end is closed
    }
    return folder.Read().writers == 1 ? 0 : 1;
  });
  CHECK(Wait(writer_pid) == "exit 0");
  CHECK(folder.Read().writers == 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE(
    "a writer that is killed is gone, though a child of it lives that has inherited everything it had") {
  const BlockFolder folder;
  const Gate forked;
  const Gate end;
  const pid_t writer_pid = Fork([&] {
    Writer writer = folder.Open();
    static_cast<void>(writer.Begin());
    Fork([&] {
      forked.Open();
      end.Pass();
      return 0;
    });
    while (true) ::pause();
    return 0;
  });
  forked.Pass();
  CHECK(folder.Read().writers == 1);
  CHECK(Kill(writer_pid) == "signal 9");
  CHECK(folder.Read().writers == 0);
  CHECK(folder.Read().in_flight == 0);
  end.Open();
}

TEST_CASE("a writer that is killed in a write is gone, one that is stopped in it is seen") {
  const BlockFolder folder;
  const Gate begun;
  const auto begin_and_hang = [&] {
    Writer writer = folder.Open();
    static_cast<void>(writer.Begin());
    static_cast<void>(writer.LockHeldAt(NowNs(), 0));
    begun.Open();
    while (true) ::pause();
    return 0;
  };
  const pid_t child = Fork(begin_and_hang);
  begun.Pass();
  REQUIRE(::kill(child, SIGSTOP) == 0);
  int status = 0;
  REQUIRE(::waitpid(child, &status, WUNTRACED) == child);
  const Snapshot stopped = folder.Read();
  CHECK(stopped.writers == 1);
  CHECK(stopped.in_flight == 1);
  CHECK(stopped.lock_held_now_ns > 0);
  CHECK(folder.Read().oldest_in_flight_ns > stopped.oldest_in_flight_ns);
  CHECK(Kill(child) == "signal 9");
  CHECK(folder.Read().writers == 0);
  CHECK(folder.Read().in_flight == 0);
  CHECK(folder.Read().oldest_in_flight_ns == 0);
  CHECK(folder.Read().lock_held_now_ns == 0);

  Writer next = folder.Open();  // takes the dead one's slot, whose mark must not become its own
  next.Record(Outcome::kOk, 1, 1);
  CHECK(folder.Read().slots_used == 1);
  CHECK(folder.Read().in_flight == 0);
  CHECK(folder.Read().lock_held_now_ns == 0);
  // It did not end, so it failed; it is known when the slot is taken again, and once.
  CHECK(WritesOf(folder.Read(), Outcome::kOther) == 1);
  next = Writer();
  next = folder.Open();
  next.Record(Outcome::kOk, 1, 1);
  CHECK(folder.Read().slots_used == 1);
  CHECK(WritesOf(folder.Read(), Outcome::kOther) == 1);
}

TEST_CASE("a lost trace is forgotten with the process that lost it") {
  const BlockFolder folder;
  CHECK(RunInChild([&] {
          Writer writer = folder.Open();
          writer.TraceLost();
          return folder.Read().traces_lost == 1 ? 0 : 1;
        }) == "exit 0");
  CHECK(folder.Read().traces_lost == 0);
}

TEST_CASE("a lost trace that ended with its process shows from the next claim of its slot on") {
  const BlockFolder folder;
  CHECK(RunInChild([&] {
          Writer writer = folder.Open();
          writer.TraceLost();
          ::_exit(0);
          return 1;
        }) == "exit 0");
  CHECK(folder.Read().traces_lost == 0);
  const std::uint64_t claimed_ns = outgrown::block::NowNs();
  Writer next = folder.Open();
  next.Record(Outcome::kOk, 1, 1);
  CHECK(folder.Read().slots_used == 1);
  const std::uint64_t ago_ns = folder.Read().trace_lost_ago_ns;  // before the clock is read again
  CHECK(ago_ns <= outgrown::block::NowNs() - claimed_ns);
}
