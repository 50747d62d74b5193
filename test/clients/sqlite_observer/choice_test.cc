// Which files are counted, into which store, and what the application sees when they can't be.
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "counterblock/reader.h"
#include "test/clients/sqlite_observer/observed_store.h"
#include "test/clients/sqlite_observer/wal_fixture.h"

using outgrown::test::Database;
using outgrown::test::ObservedStore;
using outgrown::test::WalFixture;

TEST_CASE_FIXTURE(WalFixture, "another copy of the extension in the same process counts nothing twice") {
  const std::string copy = store.directory() + "/outgrown_sqlite.so";
  std::filesystem::copy_file(OUTGROWN_EXTENSION, copy);
  sqlite3_db_config(a.handle(), SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
  char* message = nullptr;
  CHECK(sqlite3_load_extension(a.handle(), copy.c_str(), nullptr, &message) == SQLITE_OK);
  CHECK(sqlite3_load_extension(a.handle(), OUTGROWN_EXTENSION, nullptr, &message) == SQLITE_OK);
  Database b(store.path());
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(b.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_CONSTRAINT_PRIMARYKEY);
  CHECK(b.Run("INSERT INTO t(id) VALUES(3)") == SQLITE_OK);
  CHECK(Counted() == "{constraint: 1, ok: 2}");
}

TEST_CASE_FIXTURE(WalFixture, "which files are counted can be chosen") {
  const std::string other = store.directory() + "/other.db";
  const std::string block = store.directory() + "/other.v1.counters";
  SUBCASE("by the environment") {
    ::setenv("OUTGROWN_STORE", "store*", 1);
    Database b(other);
    ::unsetenv("OUTGROWN_STORE");
    CHECK(b.Run("CREATE TABLE x(y)") == SQLITE_OK);
    CHECK(b.Ask("SELECT outgrown_status()") == "not counting");
    CHECK_FALSE(std::filesystem::exists(block));
  }
  SUBCASE("by the URI") {
    Database b("file:" + other + "?outgrown=off");
    CHECK(b.Run("CREATE TABLE x(y)") == SQLITE_OK);
    CHECK_FALSE(std::filesystem::exists(block));
    Database c("file:" + other + "?outgrown=third");
    CHECK(c.Ask("SELECT outgrown_status()") == "counting main as third");
    CHECK(c.Run("DROP TABLE x") == SQLITE_OK);
    CHECK(std::filesystem::exists(store.directory() + "/third.v1.counters"));
    CHECK_FALSE(std::filesystem::exists(block));
  }
  SUBCASE("by SQL") {
    Database b("file:" + other + "?outgrown=off");
    CHECK(b.Ask("SELECT outgrown_observe('fourth')") == "counting main as fourth");
    CHECK(b.Run("SELECT outgrown_observe('fifth')") == SQLITE_ERROR);
    CHECK(b.Run("SELECT outgrown_observe('')") == SQLITE_ERROR);
  }
  SUBCASE("not by an attack from inside a schema") {
    CHECK(a.Run("CREATE VIEW v AS SELECT outgrown_ignore()") == SQLITE_OK);
    CHECK(a.Run("SELECT * FROM v") == SQLITE_ERROR);
  }
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(store.NewCounts().at("ok") >= 1);
}

TEST_CASE_FIXTURE(WalFixture, "two files of the same name are not one store") {
  const std::string folder = store.directory() + "/elsewhere";
  std::filesystem::create_directory(folder);
  Database b(folder + "/" + std::filesystem::path(store.path()).filename().string());
  CHECK(b.Run("CREATE TABLE x(y)") == SQLITE_OK);
  CHECK(b.Ask("SELECT outgrown_status()").find("belongs to " + store.path()) != std::string::npos);
  CHECK(Counted() == "{}");
  const auto refused = [&] { return store.Read().refused[0]; };
  CHECK(refused().connections == 1);
  CHECK(refused().last_pid == static_cast<std::uint32_t>(::getpid()));
  CHECK(b.Run("ATTACH ':memory:' AS memory") == SQLITE_OK);  // looks at all of them anew
  CHECK(refused().connections == 1);
  SUBCASE("as long as the connection lives") { b.Close(); }
  SUBCASE("until it is counted under a name of its own") {
    CHECK(b.Ask("SELECT outgrown_observe('elsewhere')") == "counting main as elsewhere");
  }
  SUBCASE("until it is not to be counted") { CHECK(b.Ask("SELECT outgrown_ignore()") == "1"); }
  SUBCASE("until its database is not to be counted") {
    CHECK(b.Ask("SELECT outgrown_ignore('main')") == "1");
  }
  CHECK(refused().connections == 0);
  CHECK(refused().count >= 1);  // by each copy of the extension that is in the process
  CHECK(refused().ago_ns < 60'000'000'000);
}

TEST_CASE_FIXTURE(WalFixture, "the block says which file is open, not which one is at its path by now") {
  const auto inode_at = [](const std::string& path) {
    struct stat status = {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_ino;
  };
  const auto said = [&] { return store.Read().living.at(0).file.value(); };
  const ino_t first = inode_at(store.path());
  CHECK(said().inode == first);
  Database b(store.path());
  CHECK(said().open == 2);
  const std::string restored = store.directory() + "/restored";
  REQUIRE(Database(restored).Run("CREATE TABLE t(id INTEGER PRIMARY KEY)") == SQLITE_OK);
  REQUIRE(::rename(restored.c_str(), store.path().c_str()) == 0);
  CHECK(a.Run("INSERT INTO t(id) VALUES(2)") == SQLITE_OK);
  CHECK(said().inode == first);
  SUBCASE("a connection that is opened now has the new file, which is said when the older ones are closed") {
    Database c(store.path());
    CHECK(said().inode == first);
    CHECK(said().open == 3);
    a.Close();
    CHECK(said().inode == first);
    b.Close();
    CHECK(said().inode == inode_at(store.path()));
    CHECK(said().open == 1);
  }
  SUBCASE("a connection that was open before it was observed has a file that is nowhere") {
    Database late("file:" + store.directory() + "/late.db?outgrown=off");
    CHECK(late.Run("CREATE TABLE x(y)") == SQLITE_OK);
    const std::string path = store.directory() + "/late.db";
    REQUIRE(::unlink(path.c_str()) == 0);
    REQUIRE(Database("file:" + path + "?outgrown=off").Run("CREATE TABLE x(y)") == SQLITE_OK);
    CHECK(late.Ask("SELECT outgrown_observe('late')") == "counting main as late");
    const auto snapshot = outgrown::block::ReadBlock(store.directory(), {"late"});
    REQUIRE(snapshot.ok());
    CHECK(snapshot->living.at(0).file.value().inode == 0);
  }
}

TEST_CASE("an application whose blocks cannot be opened runs as if there were no extension") {
  ObservedStore store;
  ::setenv("OUTGROWN_DIR", "/nonexistent/folder", 1);
  Database a(store.path());
  CHECK(sqlite3_errcode(a.handle()) == SQLITE_OK);
  CHECK(a.Run("CREATE TABLE x(y); BEGIN; INSERT INTO x VALUES(1); COMMIT") == SQLITE_OK);
  CHECK(a.Ask("SELECT outgrown_status()").find("not counting: ") == 0);
}

TEST_CASE_FIXTURE(WalFixture, "opening leaves no error and touches no file") {
  const std::string path = store.directory() + "/untouched.db";
  Database b(path);
  CHECK(sqlite3_errcode(b.handle()) == SQLITE_OK);
  CHECK(std::filesystem::file_size(path) == 0);
}
