// What a system can do to an application that counts: it must go on, and say that it does not count.
#include "test/counterblock/hardship.h"

#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <thread>
#include <utility>

#include <doctest/doctest.h>

#include "common/check.h"
#include "test/counterblock/block_folder.h"
#include "test/support/child.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::Result;
using outgrown::test::BlockFolder;
using outgrown::test::FilesIn;
using outgrown::test::ProblemAfter;
using outgrown::test::RunInChild;

namespace {

bool BecomeNobody() {
  constexpr uid_t kNobody = 65534;
  return ::geteuid() != 0 ||
         (::setgroups(0, nullptr) == 0 && ::setgid(kNobody) == 0 && ::setuid(kNobody) == 0);
}

// Where nobody else sees it.
bool MountSmallTmpfs(const std::string& path) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=64k,mode=0700") == 0;
}

// Where the first slots are: whole pages, which are given back.
void PunchHole(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  OUTGROWN_CHECK(
      ::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, kHeaderBytes, off_t{8} * kSlotBytes) == 0);
  ::close(fd);
}

void FillUp(const std::string& path) {
  const int fd = ::open(path.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string page(4096, 'x');
  while (::write(fd, page.data(), page.size()) > 0) {
  }
  OUTGROWN_CHECK(errno == ENOSPC);
  ::close(fd);
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
  const auto mount_small = [&] { return MountSmallTmpfs(folder.path()); };
  const std::string problem = ProblemAfter(folder, 256, mount_small);
  if (problem == "exit 77") {
    MESSAGE("skipped: mounting a tmpfs needs CAP_SYS_ADMIN");
    return;
  }
  CHECK(problem == folder.block_path() + ": cannot allocate the counter block: No space left on device");
  CHECK(ProblemAfter(folder, 16, mount_small).empty());
}

TEST_CASE("a block with a hole in it, on a full tmpfs, gives an error and no SIGBUS") {
  const BlockFolder folder;
  const auto make_hole_and_fill = [&] {
    if (!MountSmallTmpfs(folder.path())) return false;
    // By another process, so that this one opens the block for the first time.
    if (RunInChild([&] {
          Writer writer = folder.Open();
          writer.Record(Outcome::kOk, 1, 1);
          return 0;
        }) != "exit 0") {
      return false;
    }
    PunchHole(folder.block_path());
    FillUp(folder.path() + "/full");
    return true;
  };
  const std::string problem = ProblemAfter(folder, 16, make_hole_and_fill);
  if (problem == "exit 77") {
    MESSAGE("skipped: mounting a tmpfs needs CAP_SYS_ADMIN");
    return;
  }
  const std::string full =
      folder.block_path() + ": cannot allocate the counter block: No space left on device";
  CHECK(problem == full);
  // Nor when this process has had it open before.
  CHECK(ProblemAfter(folder, 16, [&] {
          if (!MountSmallTmpfs(folder.path())) return false;
          { folder.Open().Record(Outcome::kOk, 1, 1); }
          PunchHole(folder.block_path());
          FillUp(folder.path() + "/full");
          return true;
        }) == full);
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
