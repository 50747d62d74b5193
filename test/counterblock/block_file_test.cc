#include "counterblock/block_file.h"

#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "test/common/temporary_folder.h"

using outgrown::block::BlockName;
using outgrown::block::FileNameOf;
using outgrown::block::IsStoreName;
using outgrown::block::ListBlocks;
using outgrown::block::ParseFileName;
using outgrown::block::ResolveDirectory;
using outgrown::test::TemporaryFolder;

namespace {

// An environment variable for one scope.
class Variable {
 public:
  Variable(const char* name, const char* value) : name_(name) {
    if (const char* old = ::getenv(name)) old_ = old;
    value == nullptr ? ::unsetenv(name) : ::setenv(name, value, 1);
  }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;
  ~Variable() { old_ ? ::setenv(name_, old_->c_str(), 1) : ::unsetenv(name_); }

 private:
  const char* name_;
  std::optional<std::string> old_;
};

}  // namespace

TEST_CASE("the directory is the one given, then OUTGROWN_DIR, then the runtime folder, which is made") {
  const TemporaryFolder folder;
  const Variable runtime("XDG_RUNTIME_DIR", folder.path().c_str());
  {
    const Variable named("OUTGROWN_DIR", "/some/where");
    CHECK(ResolveDirectory("/given", "app").value() == "/given");
    CHECK(ResolveDirectory("", "app").value() == "/some/where");
  }
  const Variable named("OUTGROWN_DIR", nullptr);
  const std::string personal = (folder.path() / "outgrown").string();
  CHECK(ResolveDirectory("", "no-such-application").value() == personal);
  struct stat status = {};
  REQUIRE(::stat(personal.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777U) == 0700U);
}

TEST_CASE("with no place for blocks the error names all three") {
  const Variable named("OUTGROWN_DIR", nullptr);
  const Variable runtime("XDG_RUNTIME_DIR", nullptr);
  const auto resolved = ResolveDirectory("", "no-such-application");
  REQUIRE_FALSE(resolved.ok());
  for (const char* place : {"OUTGROWN_DIR", "/run/outgrown/no-such-application", "XDG_RUNTIME_DIR"}) {
    CHECK(resolved.error().what.find(place) != std::string::npos);
  }
}

TEST_CASE("a store's name is a plain file name") {
  for (const char* good : {"a", "checkpoints", "A-Z_0.9", "x.v1"}) CHECK_MESSAGE(IsStoreName(good), good);
  for (const char* bad : {"", ".", "..", ".hidden", "a/b", "a b", "é", "a\n"})
    CHECK_FALSE_MESSAGE(IsStoreName(bad), bad);
  CHECK(IsStoreName(std::string(64, 'a')));
  CHECK_FALSE(IsStoreName(std::string(65, 'a')));
}

TEST_CASE("file names carry the store and the major, and nothing else is one") {
  CHECK(FileNameOf({"checkpoints", 1}) == "checkpoints.v1.counters");
  CHECK(ParseFileName("checkpoints.v1.counters") == BlockName{"checkpoints", 1});
  CHECK(ParseFileName("a.v1.v23.counters") == BlockName{"a.v1", 23});
  for (const char* other : {"", "counters", ".counters", ".v1.counters", "a.counters", "a.v.counters",
                            "a.v01.counters", "a.v1x.counters", "a.v-1.counters", "a.v99999999999.counters",
                            ".a.v1.counters.7.tmp", "a.v1.counters.tmp", "a.v0.counters"}) {
    CHECK_FALSE_MESSAGE(ParseFileName(other).has_value(), other);
  }
}

TEST_CASE("a directory's blocks are listed in order, of every major") {
  const TemporaryFolder folder;
  for (const char* name :
       {"b.v1.counters", "a.v2.counters", "a.v1.counters", ".a.v1.counters.5.tmp", "note.txt"}) {
    std::ofstream(folder.path() / name) << "x";
  }
  const auto blocks = ListBlocks(folder.path().string());
  REQUIRE(blocks.ok());
  CHECK(*blocks == std::vector<BlockName>{{"a", 1}, {"a", 2}, {"b", 1}});
  CHECK_FALSE(ListBlocks((folder.path() / "missing").string()).ok());
}
