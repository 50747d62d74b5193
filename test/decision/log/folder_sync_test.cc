// A file system that can't sync a folder. This program's fsync is the one that the log calls.
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include <doctest/doctest.h>

#include "decision/log/decision_log.h"
#include "test/common/temporary_folder.h"
#include "test/decision/log/log_lines.h"

namespace {

int folder_error = 0;

}  // namespace

extern "C" int fsync(int fd) {
  struct stat status = {};
  if (folder_error == 0 || ::fstat(fd, &status) != 0 || !S_ISDIR(status.st_mode))
    return static_cast<int>(::syscall(SYS_fsync, fd));
  errno = folder_error;
  return -1;
}

TEST_CASE("a decision is logged where folders can't be synced, and not where syncing them fails") {
  const outgrown::test::TemporaryFolder folder;
  folder_error = EINVAL;
  const auto appended =
      outgrown::decision_log::AppendRecords(folder.path() / "a.jsonl", outgrown::test::kOneRecord, 0);
  CHECK(appended.ok());
  CHECK((appended.ok() && appended->warnings.empty()));
  folder_error = EIO;
  CHECK_FALSE(
      outgrown::decision_log::AppendRecords(folder.path() / "b.jsonl", outgrown::test::kOneRecord, 0).ok());
  folder_error = 0;
}
