// Applications that close descriptors which they don't know, and with them the locks of their slots.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include "test/counterblock/block_folder.h"
#include "test/support/child.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::test::BlockFolder;
using outgrown::test::RunInChild;

TEST_CASE("closing, and forking, leave a descriptor alone that has got the number of ours") {
  const BlockFolder folder;
  const auto foreign_survives = [&](auto&& act) {
    return RunInChild([&] {
      Writer writer = folder.Open();
      writer.Record(Outcome::kOk, 1, 1);
      ::close_range(3, ~0U, 0);
      const int foreign = ::open("/dev/null", O_RDWR | O_CLOEXEC);
      for (int next = foreign; next < 64;) next = ::dup(foreign);
      return act(writer, foreign) ? 0 : 1;
    });
  };
  const auto all_open = [](int first) {
    for (int fd = first; fd <= 64; ++fd) {
      if (::fcntl(fd, F_GETFD) < 0) return false;
    }
    return true;
  };
  CHECK(foreign_survives([&](Writer& writer, int foreign) {
          { const Writer closed = std::move(writer); }
          return all_open(foreign);
        }) == "exit 0");
  CHECK(foreign_survives([&](Writer&, int foreign) {
          return RunInChild([&] { return all_open(foreign) ? 0 : 1; }) == "exit 0";
        }) == "exit 0");
}

TEST_CASE("a slot whose lock was lost and taken by another process is given up at the next record") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  writer.Record(Outcome::kOk, 1, 1);
  ::close_range(3, ~0U, 0);  // the lock goes with the descriptor
  CHECK(RunInChild([&] {
          Writer taker = folder.Open();
          taker.Record(Outcome::kOk, 1, 1);
          return folder.Read().slots_used == 1 ? 0 : 1;
        }) == "exit 0");
  for (int i = 0; i < 1000; ++i) writer.Record(Outcome::kOk, 1, 1);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 1002);
  CHECK(folder.Read().writers == 1);
}

TEST_CASE(
    "an ended thread's slot whose lock was lost and taken by another process is not the next thread's") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  const auto record_on_thread = [&] { std::thread([&] { writer.Record(Outcome::kOk, 1, 1); }).join(); };
  record_on_thread();
  ::close_range(3, ~0U, 0);  // the lock goes with the descriptor
  int ended[2];
  CHECK(::pipe2(ended, O_CLOEXEC) == 0);
  int taken[2];
  CHECK(::pipe2(taken, O_CLOEXEC) == 0);
  const pid_t taker = ::fork();
  if (taker == 0) {
    char byte = 0;
    writer.Record(Outcome::kOk, 1, 1);
    if (::write(taken[1], &byte, 1) != 1) ::_exit(1);
    ::close(ended[1]);
    static_cast<void>(::read(ended[0], &byte, 1));  // until the parent closes it
    writer.Record(Outcome::kOk, 1, 1);
    ::_exit(folder.Read().slots_used == 2 ? 0 : 2);
  }
  ::close(taken[1]);
  char byte = 0;
  CHECK(::read(taken[0], &byte, 1) == 1);
  record_on_thread();
  CHECK(folder.Read().writers == 2);
  ::close(ended[1]);
  int status = 0;
  CHECK(::waitpid(taker, &status, 0) == taker);
  CHECK(status == 0);
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 4);
}

TEST_CASE("a process whose descriptors were all closed shows as living again once new threads write") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  const auto record_on_thread = [&] { std::thread([&] { writer.Record(Outcome::kOk, 1, 1); }).join(); };
  record_on_thread();
  ::close_range(3, ~0U, 0);
  CHECK(folder.Read().writers == 0);
  while (folder.Read().writers == 0) record_on_thread();  // it is looked at once a second
  CHECK(folder.Read().writers == 1);
}
