// System calls that fail, or whose moment matters: this program has its own of three, which the library under test calls.
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "test/counterblock/block_folder.h"

using outgrown::block::Outcome;
using outgrown::block::Writer;
using outgrown::test::BlockFolder;

namespace {

int atfork_error = 0;
int rename_error = 0;
bool was_open_to_another_group = false;

}  // namespace

extern "C" {

// What libc's own is made of.
int __register_atfork(void (*prepare)(), void (*parent)(), void (*child)(), void* library);  // NOLINT

int pthread_atfork(void (*prepare)(), void (*parent)(), void (*child)()) noexcept {
  return atfork_error != 0 ? atfork_error : __register_atfork(prepare, parent, child, nullptr);
}

int renameat2(int from_folder, const char* from, int to_folder, const char* to, unsigned flags) noexcept {
  if (rename_error == 0)
    return static_cast<int>(::syscall(SYS_renameat2, from_folder, from, to_folder, to, flags));
  errno = rename_error;
  return -1;
}

int fchmod(int fd, mode_t mode) noexcept {
  struct stat status = {};
  if ((mode & S_IRWXG) != 0 && ::fstat(fd, &status) == 0 && status.st_gid != 4242)
    was_open_to_another_group = true;
  return static_cast<int>(::syscall(SYS_fchmod, fd, mode));
}

}  // extern "C"

// First: the handlers are registered once in a process.
TEST_CASE("without handlers for fork nothing is counted, since a child would write into its parent's slots") {
  const BlockFolder folder;
  atfork_error = ENOMEM;
  CHECK(folder.WriteProblem() == folder.block_path() + ": cannot register for fork: Cannot allocate memory");
  atfork_error = 0;
  CHECK(folder.WriteProblem().empty());
}

TEST_CASE(
    "a file system that can't publish a block is named as the cause, and nothing is left in the folder") {
  const BlockFolder folder;
  rename_error = EINVAL;
  CHECK(folder.WriteProblem() == folder.block_path() +
                                     ": cannot publish the counter block: its file system can't rename "
                                     "without replacing (NFS, some FUSE); "
                                     "choose a folder on another one");
  rename_error = 0;
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a new block is never open to another group than its folder's") {
  if (::geteuid() != 0) {
    MESSAGE("skipped: giving a file to another group needs root");
    return;
  }
  const BlockFolder folder;
  REQUIRE(::chown(folder.path().c_str(), static_cast<uid_t>(-1), 4242) == 0);
  was_open_to_another_group = false;
  { Writer writer = folder.Open(); }
  struct stat status = {};
  REQUIRE(::stat(folder.block_path().c_str(), &status) == 0);
  CHECK((status.st_mode & 07777U) == 0660U);
  CHECK_FALSE(was_open_to_another_group);
}
