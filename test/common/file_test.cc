#include "common/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

#include <doctest/doctest.h>

#include "test/common/temporary_folder.h"

namespace fs = std::filesystem;
using outgrown::ReadFile;
using outgrown::RemoveAbandoned;
using outgrown::WriteFileIfChanged;
using outgrown::WriteOutcome;
using outgrown::test::TemporaryFolder;

TEST_CASE("a file is written with its missing folders, and left alone when it holds the bytes already") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a" / "b" / "file.txt";
  REQUIRE(WriteFileIfChanged(path, "one\n").ok());
  const auto first_write = fs::last_write_time(path);
  CHECK(WriteFileIfChanged(path, "one\n").value() == WriteOutcome::kUnchanged);
  CHECK(fs::last_write_time(path) == first_write);
  CHECK(WriteFileIfChanged(path, "two\n").value() == WriteOutcome::kWritten);
  CHECK(ReadFile(path).value() == "two\n");
  int entries = 0;
  for (const fs::directory_entry& entry : fs::directory_iterator(path.parent_path())) {
    CAPTURE(entry.path().string());
    ++entries;
  }
  CHECK(entries == 1);
}

TEST_CASE("a file far beyond the limit is refused by its name before any memory is taken for it") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "sparse";
  std::ofstream(path) << "";
  std::error_code failed;
  fs::resize_file(path, std::uintmax_t{1} << 43U, failed);
  if (failed) return;  // a file system without files of 8 TiB
  const auto read = ReadFile(path);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().what == "larger than 67108864 bytes");
  CHECK(read.error().where == path.string());
}

TEST_CASE("a write that fails names the path and leaves the old file whole") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "target";
  fs::create_directory(path);  // rename cannot replace a folder by a file
  const auto failed = WriteFileIfChanged(path, "bytes");
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().where.find("target") != std::string::npos);
  CHECK(fs::is_directory(path));
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a file that is replaced keeps its mode, and a new one has the mode that it is given") {
  const TemporaryFolder folder;
  const mode_t umask_before = ::umask(022);
  const auto mode = [&](const char* name) {
    struct stat status = {};
    REQUIRE(::stat((folder.path() / name).c_str(), &status) == 0);
    return status.st_mode & 07777U;
  };
  for (const mode_t kept : {0600U, 0640U, 0664U, 0755U, 0400U}) {
    CAPTURE(kept);
    REQUIRE(WriteFileIfChanged(folder.path() / "kept", "one" + std::to_string(kept)).ok());
    REQUIRE(::chmod((folder.path() / "kept").c_str(), kept) == 0);
    REQUIRE(WriteFileIfChanged(folder.path() / "kept", "two" + std::to_string(kept)).ok());
    CHECK(mode("kept") == kept);
  }
  REQUIRE(WriteFileIfChanged(folder.path() / "new", "one").ok());
  CHECK(mode("new") == 0644);
  REQUIRE(WriteFileIfChanged(folder.path() / "secret", "one", 0600).ok());
  CHECK(mode("secret") == 0600);
  REQUIRE(WriteFileIfChanged(folder.path() / "group", "one", 0666).ok());
  CHECK(mode("group") == 0644);
  ::umask(umask_before);
}

TEST_CASE("what is not a regular file, or too large, is an error and is not waited for") {
  const TemporaryFolder folder;
  const fs::path fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK(ReadFile(fifo).error().what == "not a regular file");
  CHECK(ReadFile(folder.path()).error().what == "not a regular file");
  CHECK(ReadFile(folder.path() / "missing").error().what == "cannot open: No such file or directory");
  const fs::path large = folder.path() / "large";
  std::ofstream(large) << std::string(1001, 'x');
  CHECK_FALSE(ReadFile(large, 1000).ok());
  CHECK(ReadFile(large, 1001).value().size() == 1001);
}

TEST_CASE("what a killed writer left is removed, and nothing else") {
  const TemporaryFolder folder;
  const auto touch = [&](const std::string& name) {
    std::ofstream(folder.path() / name) << "half";
    return folder.path() / name;
  };
  const fs::path left = touch(".a.yml.0123456789abcdef.tmp");
  const fs::path written = touch(".a.yml.00000000000000ff.tmp");
  const fs::path kept[] = {touch("a.yml"),
                           touch(".b.yml.0123456789abcdef.tmp"),
                           touch(".a.yml.0123456789abcdeg.tmp"),
                           touch(".a.yml.0123456789abcde.tmp"),
                           touch(".a.yml.0123456789abcdef.tmp~"),
                           touch("a.yml.0123456789abcdef.tmp"),
                           touch("..0123456789abcdef.tmp")};
  const int writer = ::open(written.c_str(), O_WRONLY | O_CLOEXEC);
  REQUIRE(::flock(writer, LOCK_EX) == 0);
  RemoveAbandoned(folder.path(), {"a.yml", "c.yml"});
  CHECK_FALSE(fs::exists(left));
  CHECK(fs::exists(written));
  for (const fs::path& path : kept) {
    CAPTURE(path.string());
    CHECK(fs::exists(path));
  }
  ::close(writer);
  RemoveAbandoned(folder.path(), {"a.yml"});
  CHECK_FALSE(fs::exists(written));
  RemoveAbandoned(folder.path() / "missing", {"a.yml"});
}
