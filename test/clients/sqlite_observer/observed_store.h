// A real SQLite with the extension loaded, in the test's own process, and what the counter block says of it.
#pragma once

#include <sqlite3.h>

#include <map>
#include <optional>
#include <string>

#include "counterblock/reader.h"
#include "test/common/temporary_folder.h"

namespace outgrown::test {

// Outcome names to counts, without those that are 0.
using Counts = std::map<std::string, std::uint64_t>;

// A connection; closed at the end, as sqlite3_close_v2 does.
class Database {
 public:
  // `name` is a path or a URI.
  explicit Database(const std::string& name, const char* vfs = nullptr, int more_flags = 0);
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;
  ~Database() { Close(); }

  // Every statement of `sql`; the extended result code of the first that fails, else SQLITE_OK. Statements are
  // stepped to their end and finalized.
  int Run(const std::string& sql);
  // The first column of the first row; "" if there is none. Fails the test on an error.
  std::string Ask(const std::string& sql);
  void Close();
  sqlite3* handle() { return db_; }
  // The last Run failed to compile a statement, which never ran: it is wrong, or the schema could not be read.
  bool failed_to_compile() const { return failed_to_compile_; }

 private:
  sqlite3* db_ = nullptr;
  bool failed_to_compile_ = false;
};

// A folder with a database file of its own and a directory for its counter blocks, which $OUTGROWN_DIR names from
// then on. The extension is loaded once for the process.
class ObservedStore {
 public:
  ObservedStore();

  const std::string& path() const { return path_; }
  std::string directory() const { return folder_.path().string(); }
  // What was counted since the last call.
  Counts NewCounts();
  // The same, and as "unchanged" those that ended without a change, as "refused" those of such that were refused the lock.
  Counts NewEnds();
  // The block as the exporter reads it; empty if there is none yet.
  block::Snapshot Read() const;
  // traces_lost of the block; 0 if there is no block yet.
  std::uint64_t TracesLost() const;
  // Also of connections that are closed.
  bool WasTraceEverLost() const;
  std::uint64_t InFlight() const;
  std::uint64_t DurationSumNs() const;
  std::uint64_t Bytes() const;
  // The commits that SQLite itself has counted in the file, as the exporter reads them; nothing if it has none now.
  // Read in a child process: closing the file in this one would drop SQLite's locks.
  std::optional<std::uint64_t> CommitCounter() const;

 private:
  TemporaryFolder folder_;
  std::string path_;
  Counts seen_;
  std::uint64_t seen_unchanged_ = 0;
  std::uint64_t seen_refused_ = 0;
};

// "{ok: 2, busy: 1}"
std::string Text(const Counts& counts);

}  // namespace outgrown::test
