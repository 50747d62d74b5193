// What a system can do to an application that counts: it must go on, and say that it does not count.
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
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
using outgrown::test::Shared;

namespace {

struct Text {
  char bytes[512];
};

// What WriteProblem says in a child that has run `prepare` first, and how the child ended.
template <typename Prepare>
std::string ProblemAfter(const BlockFolder& folder, std::uint32_t slots, Prepare&& prepare) {
  const Shared<Text> problem;
  const std::string ended = RunInChild([&] {
    if (!prepare()) return 77;
    const std::string text = folder.WriteProblem(slots);
    text.copy(problem->bytes, sizeof problem->bytes - 1);
    return 0;
  });
  return ended == "exit 0" ? std::string(problem->bytes) : ended;
}

bool BecomeNobody() {
  constexpr uid_t kNobody = 65534;
  return ::geteuid() != 0 ||
         (::setgroups(0, nullptr) == 0 && ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0);
}

int FilesIn(const std::string& folder) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    static_cast<void>(entry);
    ++files;
  }
  return files;
}

}  // namespace

TEST_CASE("a file size limit gives an error and no SIGXFSZ") {
  const BlockFolder folder;
  const auto limit = [] {
    const struct rlimit file_size = {4096, 4096};
    return ::setrlimit(RLIMIT_FSIZE, &file_size) == 0 && ::signal(SIGXFSZ, SIG_DFL) != SIG_ERR;
  };
  CHECK(ProblemAfter(folder, 16, limit) ==
        folder.block_path() + ": cannot allocate the counter block: File too large");
  CHECK(FilesIn(folder.path()) == 0);
  { Writer writer = folder.Open(); }
  CHECK(ProblemAfter(folder, 16, limit).empty());  // a block that exists is not made larger
}

TEST_CASE("a full tmpfs gives an error and no SIGBUS") {
  const BlockFolder folder;
  const auto mount_small = [&] {
    return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=64k,mode=0700") == 0;
  };
  const std::string problem = ProblemAfter(folder, 256, mount_small);
  if (problem == "exit 77") {
    MESSAGE("skipped: mounting a tmpfs needs CAP_SYS_ADMIN");
    return;
  }
  CHECK(problem == folder.block_path() + ": cannot allocate the counter block: No space left on device");
  CHECK(ProblemAfter(folder, 16, mount_small).empty());
}

TEST_CASE("no permission to create, to write or to look gives an error") {
  const BlockFolder folder;
  REQUIRE(::chmod(folder.path().c_str(), 0555) == 0);
  CHECK(ProblemAfter(folder, 16, BecomeNobody) ==
        folder.block_path() + ": cannot create a counter block: Permission denied");
  REQUIRE(::chmod(folder.path().c_str(), 0755) == 0);
  { Writer writer = folder.Open(); }
  REQUIRE(::chmod(folder.block_path().c_str(), 0440) == 0);
  if (::geteuid() == 0) {
    CHECK(ProblemAfter(folder, 16, BecomeNobody) == folder.block_path() + ": cannot open: Permission denied");
    REQUIRE(::chmod(folder.path().c_str(), 0700) == 0);
    CHECK(ProblemAfter(folder, 16, BecomeNobody) == folder.block_path() + ": cannot stat: Permission denied");
  }
  REQUIRE(::chmod(folder.path().c_str(), 0700) == 0);
}

TEST_CASE(
    "no descriptors left gives an error, and a thread's first record then goes to its slot all the same") {
  const BlockFolder folder;
  const auto no_descriptors = [] {
    const struct rlimit files = {0, 0};
    return ::setrlimit(RLIMIT_NOFILE, &files) == 0;
  };
  CHECK(ProblemAfter(folder, 16, no_descriptors) ==
        folder.block_path() +
            ": half of the descriptors that this process may open are in use (RLIMIT_NOFILE is 0), and the "
            "rest is the "
            "application's");
  CHECK(RunInChild([&] {
          Writer writer = folder.Open();
          if (!no_descriptors()) return 1;
          writer.Record(Outcome::kOk, 1, 1);
          return 0;
        }) == "exit 0");
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 1);
  CHECK(folder.Read().overflow_records == 0);
}

TEST_CASE("more stores than an eighth of the descriptors, or than 64, are off, and leave no file") {
  struct Case {
    rlim_t descriptors;
    std::size_t stores;
  };
  for (const Case& c : {Case{256, 32}, Case{16, 2}, Case{1024, 64}}) {
    CAPTURE(c.descriptors);
    const BlockFolder folder;
    const Shared<Text> problem;
    CHECK(RunInChild([&] {
            const struct rlimit files = {c.descriptors, c.descriptors};
            ::close_range(3, ~0U, 0);
            if (::setrlimit(RLIMIT_NOFILE, &files) != 0) return 1;
            std::vector<Writer> open;
            const auto try_open = [&](std::size_t number) {
              Result<Writer> writer = Writer::Open("s" + std::to_string(number), folder.Options());
              if (writer.ok())
                open.push_back(std::move(*writer));
              else
                writer.error().Text().copy(problem->bytes, sizeof problem->bytes - 1);
              return writer.ok();
            };
            for (std::size_t number = 0; number < c.stores; ++number) {
              if (!try_open(number)) return 2;
            }
            if (try_open(c.stores)) return 3;
            if (static_cast<std::size_t>(FilesIn(folder.path())) != c.stores) return 4;
            if (!try_open(0)) return 5;  // again, which takes no descriptor
            open.pop_back();
            open.pop_back();
            return try_open(c.stores) ? 0 : 6;  // one was closed
          }) == "exit 0");
    const std::string stores = std::to_string(c.stores);
    CHECK(std::string(problem->bytes) ==
          folder.path() + "/s" + stores + ".v1.counters: this process counts into " + stores +
              " stores already, and may into " + stores + " (OUTGROWN_STORES_MAX can say more)");
  }
}

TEST_CASE("OUTGROWN_STORES_MAX is the number of stores that a process counts into") {
  for (const auto& row : {std::pair{"3", 3}, {"70", 70}, {"0", 64}, {"3x", 64}, {"", 64}}) {
    const auto& asked = row.first;
    const auto& stores = row.second;
    CAPTURE(asked);
    const BlockFolder folder;
    CHECK(RunInChild([&] {
            if (::setenv("OUTGROWN_STORES_MAX", asked, 1) != 0) return 1;
            std::vector<Writer> open;
            for (int number = 0; number < stores; ++number) {
              Result<Writer> writer = Writer::Open("s" + std::to_string(number), folder.Options());
              if (!writer.ok()) return 2;
              open.push_back(std::move(*writer));
            }
            return Writer::Open("more", folder.Options()).ok() ? 3 : 0;
          }) == "exit 0");
  }
}

TEST_CASE("no block is opened while half of the descriptors are in use") {
  const BlockFolder folder;
  const auto take = [](int free_below_half) {
    const struct rlimit files = {200, 200};
    if (::close_range(3, ~0U, 0) != 0 || ::setrlimit(RLIMIT_NOFILE, &files) != 0) return false;
    int last = 2;
    while (last < 99 - free_below_half) last = ::open("/", O_PATH);
    return last == 99 - free_below_half;
  };
  CHECK(ProblemAfter(folder, 16, [&] { return take(0); }) ==
        folder.block_path() +
            ": half of the descriptors that this process may open are in use (RLIMIT_NOFILE is 200), and the "
            "rest is the "
            "application's");
  CHECK(FilesIn(folder.path()) == 0);
  CHECK(ProblemAfter(folder, 16, [&] { return take(1); }).empty());
}

TEST_CASE("a forked child without descriptors counts in the overflow slot") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  CHECK(RunInChild([&] {
          const struct rlimit files = {0, 0};
          ::setrlimit(RLIMIT_NOFILE, &files);
          writer.Record(Outcome::kOk, 1, 1);
          return 0;
        }) == "exit 0");
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 1);
  CHECK(folder.Read().overflow_records == 1);
}

TEST_CASE("an application that has closed its standard streams does not print into the block") {
  const BlockFolder folder;
  CHECK(RunInChild([&] {
          ::close(0);
          ::close(1);
          ::close(2);
          Writer writer = folder.Open();
          writer.Record(Outcome::kOk, 1, 1);
          const bool printed = ::write(1, "x", 1) == 1 || ::write(2, "x", 1) == 1;
          return printed ? 1 : 0;
        }) == "exit 0");
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 1);
}

TEST_CASE(
    "an application that closes every descriptor goes on counting, and the number's next user is left "
    "alone") {
  const BlockFolder folder;
  const BlockFolder other;
  CHECK(RunInChild([&] {
          Writer writer = folder.Open();
          writer.Record(Outcome::kOk, 1, 1);
          ::close_range(3, ~0U, 0);
          // These now have the numbers that were ours.
          const std::string path = other.path() + "/foreign";
          int foreign[16];
          for (int& fd : foreign) fd = ::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
          writer.Record(Outcome::kOk, 1, 1);
          std::thread([&] { writer.Record(Outcome::kOk, 1, 1); }).join();
          { const Writer closed = std::move(writer); }
          for (const int fd : foreign) {
            if (::fcntl(fd, F_GETFD) < 0) return 1;  // somebody closed it
          }
          return 0;
        }) == "exit 0");
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 3);
}

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

TEST_CASE("nothing changes errno") {
  const BlockFolder folder;
  errno = 4711;
  const Result<Writer> missing = Writer::Open("store", {.directory = "/no/such/folder"});
  CHECK(errno == 4711);
  {
    Writer writer = folder.Open();
    errno = 4711;
    writer.Record(Outcome::kOk, 1, 1);
    writer.End(writer.Begin(), Outcome::kOk, 1);
    writer.TraceLost();
  }
  CHECK(errno == 4711);
}

TEST_CASE("writers of two PID namespaces have slots of their own and are both seen to live") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  writer.Record(Outcome::kOk, 1, 1);
  const std::string ended = RunInChild([&] {
    if (::unshare(CLONE_NEWPID) != 0) return 77;
    return RunInChild([&] {
             if (::getpid() != 1) return 1;
             Writer inside = folder.Open();
             inside.Record(Outcome::kOk, 1, 1);
             const Snapshot snapshot = folder.Read();
             return snapshot.writers == 2 && snapshot.slots_used == 2 ? 0 : 2;
           }) == "exit 0"
               ? 0
               : 1;
  });
  if (ended == "exit 77") {
    MESSAGE("skipped: a PID namespace needs CAP_SYS_ADMIN");
    return;
  }
  CHECK(ended == "exit 0");
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 2);
  CHECK(folder.Read().writers == 1);
}
