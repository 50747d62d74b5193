// Where a store's files are, with links in its path, missing files, and one folder shared by several stores.
#include "exporter/sqlite/store_files.h"

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "test/common/temporary_folder.h"

namespace fs = std::filesystem;
using namespace outgrown::exporter::
    sqlite;  // NOLINT(google-build-using-namespace): the whole file is about it
using outgrown::test::TemporaryFolder;

TEST_CASE("a store's files are beside the file that its path leads to, whatever store was looked at before") {
  const TemporaryFolder temporary;
  const fs::path root = fs::canonical(temporary.path());
  fs::create_directories(root / "one");
  fs::create_directories(root / "two");
  fs::create_directory_symlink("one", root / "linked");
  fs::create_symlink("../two/b.db", root / "one" / "b.db");
  fs::create_symlink("../two/gone.db", root / "one" / "dangling.db");
  std::ofstream(root / "one" / "a.db") << "database";
  std::ofstream(root / "one" / "a.db-wal") << "log";
  std::ofstream(root / "two" / "b.db") << "other";

  DatabaseFolder folder;
  const auto look = [&](const fs::path& path) { return LookAt(path.string(), folder); };
  for (const fs::path& path :
       {root / "one" / "a.db", root / "linked" / "a.db", root / "linked/../one/a.db"}) {
    CAPTURE(path.string());
    const StoreFiles files = look(path);
    REQUIRE(files.path.ok());
    CHECK(*files.path == (root / "one" / "a.db").string());
    CHECK(files.folder == IdentityOf((root / "one").string()));
    REQUIRE(files.database.ok());
    CHECK(files.database->size_bytes == 8);
    REQUIRE(files.wal.ok());
    CHECK(files.wal->size_bytes == 3);
  }
  // In the folder of the store before, but a link out of it.
  const StoreFiles other = look(root / "linked" / "b.db");
  REQUIRE(other.path.ok());
  CHECK(*other.path == (root / "two" / "b.db").string());
  CHECK(other.database->size_bytes == 5);
  CHECK(other.wal.problem() == Problem::kMissing);
  CHECK(other.folder == FileIdentity{});

  for (const std::string name : {"missing.db", "dangling.db"}) {
    CAPTURE(name);
    const StoreFiles files = look(root / "linked" / name);
    CHECK(files.path.problem() == Problem::kMissing);
    CHECK(*files.place == (root / "one" / name).string());
  }
  CHECK(look(root / "nowhere" / "a.db").place.problem() == Problem::kMissing);
  CHECK(look(root / "one").database.problem() == Problem::kNotRegular);
  CHECK(LookAt("", folder).path.problem() == Problem::kNoPath);
}
