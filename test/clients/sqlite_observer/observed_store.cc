#include "test/clients/sqlite_observer/observed_store.h"

#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <utility>

#include <doctest/doctest.h>

#include "counterblock/reader.h"
#include "exporter/sqlite/commit_counter.h"

namespace outgrown::test {
namespace {

void LoadExtensionOnce() {
  static const bool loaded = [] {
    sqlite3* db = nullptr;
    REQUIRE(sqlite3_open(":memory:", &db) == SQLITE_OK);
    sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
    char* message = nullptr;
    sqlite3_load_extension(db, OUTGROWN_EXTENSION, nullptr, &message);
    REQUIRE_MESSAGE(message == nullptr, std::string(message == nullptr ? "" : message));
    sqlite3_close(db);
    return true;
  }();
  CHECK(loaded);
}

// Each test has stores of its own, and this process counts into all of them until it ends.
void AllowManyStores() {
  ::setenv("OUTGROWN_STORES_MAX", "100000", 1);
  struct rlimit files = {};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &files) == 0);
  files.rlim_cur = files.rlim_max;
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &files) == 0);
}

}  // namespace

Database::Database(const std::string& name, const char* vfs, int more_flags) {
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_URI | more_flags;
  REQUIRE(sqlite3_open_v2(name.c_str(), &db_, flags, vfs) == SQLITE_OK);
}

int Database::Run(const std::string& sql) {
  const char* rest = sql.c_str();
  while (*rest != '\0') {
    sqlite3_stmt* statement = nullptr;
    failed_to_compile_ = sqlite3_prepare_v2(db_, rest, -1, &statement, &rest) != SQLITE_OK;
    if (failed_to_compile_) return sqlite3_extended_errcode(db_);
    if (statement == nullptr) continue;
    int result = sqlite3_step(statement);
    while (result == SQLITE_ROW) result = sqlite3_step(statement);
    const int code = result == SQLITE_DONE ? SQLITE_OK : sqlite3_extended_errcode(db_);
    sqlite3_finalize(statement);
    if (code != SQLITE_OK) return code;
  }
  return SQLITE_OK;
}

std::string Database::Ask(const std::string& sql) {
  sqlite3_stmt* statement = nullptr;
  REQUIRE_MESSAGE(sqlite3_prepare_v2(db_, sql.c_str(), -1, &statement, nullptr) == SQLITE_OK,
                  sqlite3_errmsg(db_));
  std::string answer;
  const int result = sqlite3_step(statement);
  CHECK((result == SQLITE_ROW || result == SQLITE_DONE));
  if (result == SQLITE_ROW && sqlite3_column_text(statement, 0) != nullptr) {
    answer = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
  }
  sqlite3_finalize(statement);
  return answer;
}

void Database::Close() {
  sqlite3_close_v2(db_);
  db_ = nullptr;
}

ObservedStore::ObservedStore() {
  static int number = 0;
  path_ = (folder_.path() / ("store" + std::to_string(++number) + ".db")).string();
  ::setenv("OUTGROWN_DIR", directory().c_str(), 1);
  AllowManyStores();
  LoadExtensionOnce();
}

Counts ObservedStore::NewCounts() {
  const block::Snapshot snapshot = Read();
  Counts fresh;
  for (std::uint32_t i = 0; i < block::kOutcomeCount; ++i) {
    const std::string outcome(block::OutcomeName(static_cast<block::Outcome>(i)));
    const std::uint64_t count = snapshot.writes[i];
    if (count != seen_[outcome]) fresh[outcome] = count - seen_[outcome];
    seen_[outcome] = count;
  }
  return fresh;
}

Counts ObservedStore::NewEnds() {
  Counts fresh = NewCounts();
  const block::Snapshot now = Read();
  const std::uint64_t unchanged = now.unchanged - std::exchange(seen_unchanged_, now.unchanged);
  const std::uint64_t refused = now.unchanged_refused - std::exchange(seen_refused_, now.unchanged_refused);
  if (unchanged != 0) fresh["unchanged"] = unchanged;
  if (refused != 0) fresh["refused"] = refused;
  return fresh;
}

block::Snapshot ObservedStore::Read() const {
  const std::string name = path_.substr(path_.rfind('/') + 1);
  Result<block::Snapshot> snapshot = block::ReadBlock(directory(), {name.substr(0, name.find('.'))});
  return snapshot.ok() ? *std::move(snapshot) : block::Snapshot{};
}

std::uint64_t ObservedStore::TracesLost() const { return Read().traces_lost; }
bool ObservedStore::WasTraceEverLost() const { return Read().trace_lost_ago_ns != UINT64_MAX; }
std::uint64_t ObservedStore::InFlight() const { return Read().in_flight; }
std::uint64_t ObservedStore::DurationSumNs() const { return Read().duration_sum_ns; }
std::uint64_t ObservedStore::Bytes() const { return Read().bytes; }

namespace {

// A process that reads the commit counters of databases: this one would lose SQLite's locks by closing the file. One for the
// program's life, since a fork of a program with AddressSanitizer takes 50 ms; it ends with the other end of its socket.
class CommitReader {
 public:
  CommitReader() {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      ::close(ends[0]);
      Answer(ends[1]);
    }
    ::close(ends[1]);
    socket_ = ends[0];
  }

  std::optional<std::uint64_t> Read(const std::string& path) const {
    std::int64_t answer = -1;
    REQUIRE(::write(socket_, path.data(), path.size()) == static_cast<ssize_t>(path.size()));
    REQUIRE(::read(socket_, &answer, sizeof answer) == sizeof answer);
    if (answer < 0) return std::nullopt;
    return static_cast<std::uint64_t>(answer);
  }

 private:
  [[noreturn]] static void Answer(int socket) {
    char path[4096];
    for (;;) {
      const ssize_t length = ::read(socket, path, sizeof path);
      if (length <= 0) ::_exit(0);
      const auto counter =
          exporter::sqlite::ReadCommitCounter(std::string(path, static_cast<std::size_t>(length)));
      const std::int64_t answer = counter.ok() ? static_cast<std::int64_t>(counter->commits) : -1;
      if (::write(socket, &answer, sizeof answer) != sizeof answer) ::_exit(1);
    }
  }

  int socket_;
};

}  // namespace

std::optional<std::uint64_t> ObservedStore::CommitCounter() const {
  static const CommitReader reader;
  return reader.Read(path_);
}

std::string Text(const Counts& counts) {
  std::string text = "{";
  for (const auto& [outcome, count] : counts) {
    text += (text.size() > 1 ? ", " : "") + outcome + ": " + std::to_string(count);
  }
  return text + "}";
}

}  // namespace outgrown::test
