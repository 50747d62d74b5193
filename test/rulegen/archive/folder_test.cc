#include "rulegen/archive/folder.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "test/common/temporary_folder.h"

using namespace outgrown;
namespace fs = std::filesystem;

namespace {

mode_t ModeOf(const fs::path& path) {
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  return status.st_mode & 07777U;
}

// A file with these permissions.
fs::path Source(const fs::path& folder, const std::string& name, mode_t mode) {
  const fs::path path = folder / name;
  std::ofstream(path) << name;
  REQUIRE(::chmod(path.c_str(), mode) == 0);
  return path;
}

}  // namespace

TEST_CASE("an archive is its maker's alone, and a copy is as private as what it was copied from") {
  const test::TemporaryFolder temporary;
  const fs::path place = temporary.path() / "evidence";
  const mode_t before = ::umask(0);
  {
    Result<archive::Folder> folder = archive::Folder::Create(place);
    REQUIRE(folder.ok());
    CHECK(folder->Copy("files/private", Source(temporary.path(), "private", 0600)).ok());
    CHECK(folder->Copy("files/group", Source(temporary.path(), "group", 0640)).ok());
    CHECK(folder->Copy("files/all", Source(temporary.path(), "all", 0444)).ok());
    CHECK(folder->Copy("files/runs", Source(temporary.path(), "runs", 04755)).ok());
    CHECK(folder->Add("deep/down/answer.json", "{}").ok());
    REQUIRE(folder->Commit().ok());
  }
  ::umask(before);
  for (const char* path : {"", "files", "deep", "deep/down"}) CHECK(ModeOf(place / path) == 0700);
  CHECK(ModeOf(place / "files/private") == 0600);
  CHECK(ModeOf(place / "files/group") == 0640);
  CHECK(ModeOf(place / "files/all") == 0444);
  CHECK(ModeOf(place / "files/runs") == 0755);
  CHECK(ModeOf(place / "deep/down/answer.json") == 0600);
  CHECK(ModeOf(place / "SHA256SUMS") == 0600);
}

TEST_CASE("a file that is written anew is another file, so that one that is only for reading can be, too") {
  const test::TemporaryFolder temporary;
  Result<archive::Folder> folder = archive::Folder::Create(temporary.path() / "evidence");
  REQUIRE(folder.ok());
  CHECK(folder->Copy("log", Source(temporary.path(), "before", 0400)).ok());
  fs::create_hard_link(folder->On("log"), temporary.path() / "first");
  CHECK(folder->Copy("log", Source(temporary.path(), "after", 0400)).ok());
  CHECK_FALSE(fs::equivalent(folder->On("log"), temporary.path() / "first"));
}

TEST_CASE("a place that has no whole path is an error and no exception") {
  const fs::path before = fs::current_path();
  {
    const test::TemporaryFolder temporary;
    const fs::path gone = temporary.path() / "gone";
    REQUIRE(fs::create_directory(gone));
    fs::current_path(gone);
    fs::remove(gone);
    const Result<archive::Folder> folder = archive::Folder::Create("evidence");
    REQUIRE_FALSE(folder.ok());
    CHECK(folder.error().where == "evidence");
    CHECK_FALSE(archive::Folder::Create("").ok());
  }
  fs::current_path(before);
}
