#include "common/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "test/common/temporary_folder.h"

namespace fs = std::filesystem;
using outgrown::ReadFile;
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
