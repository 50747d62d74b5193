// Who holds a checkpoint back although there was no log when its transaction began.
#include <doctest/doctest.h>

#include "exporter/sqlite/commit_counter.h"
#include "test/common/temporary_folder.h"
#include "test/exporter/sqlite/sqlite_process.h"

namespace {

using namespace outgrown::exporter::
    sqlite;  // NOLINT(google-build-using-namespace): the whole file is about it
using outgrown::test::SqliteProcess;
using outgrown::test::TemporaryFolder;

TEST_CASE(
    "a reader that began when all of the log was in the database is named, since no checkpoint gets by it") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  SqliteProcess writer(path);
  SqliteProcess reader(path);
  REQUIRE(writer.Exec("PRAGMA journal_mode=WAL; CREATE TABLE t(x); PRAGMA wal_checkpoint") == 0);
  REQUIRE(reader.Exec("BEGIN; SELECT * FROM t") == 0);
  CHECK_FALSE(ReadCommitCounter(path)->oldest_reader);  // it sees everything there is
  REQUIRE(writer.Exec("INSERT INTO t VALUES (1)") == 0);
  const std::uint32_t backfilled = ReadCommitCounter(path)->frames_backfilled;
  REQUIRE(ReadCommitCounter(path)->oldest_reader);
  CHECK(ReadCommitCounter(path)->oldest_reader->process == reader.process());
  CHECK(ReadCommitCounter(path)->oldest_reader->frames == backfilled);
  REQUIRE(writer.Exec("PRAGMA wal_checkpoint") == 0);
  CHECK(ReadCommitCounter(path)->frames_backfilled == backfilled);
  REQUIRE(reader.Exec("ROLLBACK") == 0);
  CHECK_FALSE(ReadCommitCounter(path)->oldest_reader);
}

}  // namespace
