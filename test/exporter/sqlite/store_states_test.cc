// Every state that a SQLite file can be found in gives a value or a reason, within 100 ms.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <random>
#include <string>

#include <doctest/doctest.h>

#include "common/check.h"
#include "common/file.h"
#include "exporter/sqlite/commit_counter.h"
#include "exporter/sqlite/probe_file.h"
#include "test/common/temporary_folder.h"
#include "test/exporter/sqlite/sqlite_process.h"

namespace fs = std::filesystem;
namespace sqlite = outgrown::exporter::sqlite;
using outgrown::test::SqliteProcess;
using outgrown::test::TemporaryFolder;

namespace {

constexpr std::chrono::milliseconds kTimeMax(100);

std::string Folded(const sqlite::Measured<sqlite::CommitCounter>& counter) {
  if (!counter.ok()) return std::string(sqlite::ProblemId(counter.problem()));
  const bool is_wal = counter->source == sqlite::CommitCounter::Source::kWalIndex;
  return (is_wal ? "wal_index " : "header ") + std::to_string(counter->commits);
}

std::string Folded(const sqlite::Measured<std::uint64_t>& size) {
  return size.ok() ? std::to_string(*size) : std::string(sqlite::ProblemId(size.problem()));
}

struct Probed {
  std::string commits;
  std::string size;
  std::chrono::milliseconds time;
};

Probed Probe(const fs::path& path) {
  const auto start = std::chrono::steady_clock::now();
  Probed probed;
  if (const auto resolved = sqlite::ResolvePath(path); resolved.ok()) {
    probed.commits = Folded(sqlite::ReadCommitCounter(*resolved));
    probed.size = Folded(sqlite::FileSize(*resolved));
  } else {
    probed.commits = probed.size = std::string(sqlite::ProblemId(resolved.problem()));
  }
  probed.time =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - start);
  return probed;
}

void Write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

void CopyFile(const fs::path& from, const fs::path& to) {
  fs::copy_file(from, to, fs::copy_options::overwrite_existing);
}

// Random bytes, as an encrypted page.
void Overwrite(const fs::path& path, std::streamoff from, std::streamoff to) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekp(from);
  std::mt19937 random(1);
  for (std::streamoff at = from; at < to; ++at) file.put(static_cast<char>(random()));
}

// The header of a wal-index that is in use.
void MakeBlank(const fs::path& path) {
  std::fstream(path, std::ios::binary | std::ios::in | std::ios::out) << std::string(96, '\0');
}

using Process = std::unique_ptr<SqliteProcess>;

using Prepare = std::function<void(const fs::path& path, Process& open)>;

// Each prepares `path` and may leave a process that has the database open in `open`.
struct State {
  std::string name;
  std::string commits;
  std::string size;
  Prepare prepare;
};

constexpr const char* kWal = "PRAGMA journal_mode=WAL";
constexpr const char* kRollback = "PRAGMA journal_mode=DELETE";
// Spills, so that the journal is synced and pages of the open transaction are in the file.
constexpr const char* kLongTransaction =
    "PRAGMA cache_size=1; BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 200)"
    "INSERT INTO t SELECT randomblob(2000) FROM n";

// A process with a database open that has a table and one row: two commits.
Process Open(const fs::path& path, const std::string& pragmas) {
  auto process = std::make_unique<SqliteProcess>(path);
  OUTGROWN_CHECK(process->Exec(pragmas + "; CREATE TABLE t(x); INSERT INTO t VALUES (1)") == 0);
  return process;
}

void MakeClosed(const fs::path& path, const std::string& pragmas) { Open(path, pragmas)->Close(); }

Prepare OpenWith(const char* pragmas) {
  return [=](const fs::path& path, Process& open) { open = Open(path, pragmas); };
}

// Of the database, its log (-wal) or its wal-index (-shm).
Prepare HeldAndRemoved(const char* end) {
  return [=](const fs::path& path, Process& open) {
    open = Open(path, kWal);
    fs::remove(path.string() + end);
  };
}

Prepare EncryptedInRollback(std::streamoff from) {
  return [=](const fs::path& path, Process&) {
    MakeClosed(path, kRollback);
    Overwrite(path, from, 4096);
  };
}

Prepare EncryptedInWal(std::streamoff from) {
  return [=](const fs::path& path, Process& open) {
    open = Open(path, kWal);
    OUTGROWN_CHECK(open->Query("PRAGMA wal_checkpoint(PASSIVE)") == 0);
    Overwrite(path, from, 4096);
  };
}

const std::array kStates = {
    State{"missing", "missing", "missing", [](const fs::path&, Process&) {}},
    State{"in a folder that is missing", "missing", "missing",
          [](const fs::path& path, Process&) { fs::remove_all(path.parent_path()); }},
    State{"empty", "header 0", "0", [](const fs::path& path, Process&) { Write(path, ""); }},
    State{"shorter than a header", "truncated", "16",
          [](const fs::path& path, Process&) { Write(path, std::string("SQLite format 3\0", 16)); }},
    State{"garbage", "not_sqlite", "5000",
          [](const fs::path& path, Process&) { Write(path, std::string(5000, 'g')); }},
    State{"of a later format", "unknown_format", "8192",
          [](const fs::path& path, Process&) {
            MakeClosed(path, kRollback);
            std::string bytes = outgrown::ReadFile(path).value();
            bytes[18] = bytes[19] = 3;
            Write(path, bytes);
          }},
    State{"last written by an old SQLite", "old_writer", "8192",
          [](const fs::path& path, Process&) {
            MakeClosed(path, kRollback);
            std::string bytes = outgrown::ReadFile(path).value();
            ++bytes[27];
            Write(path, bytes);
          }},
    State{"a folder", "not_a_regular_file", "not_a_regular_file",
          [](const fs::path& path, Process&) { fs::create_directory(path); }},
    State{"a FIFO", "not_a_regular_file", "not_a_regular_file",
          [](const fs::path& path, Process&) { OUTGROWN_CHECK(::mkfifo(path.c_str(), 0600) == 0); }},
    State{"a link to a device", "not_a_regular_file", "not_a_regular_file",
          [](const fs::path& path, Process&) { fs::create_symlink("/dev/zero", path); }},
    State{"a link in a circle", "not_a_regular_file", "not_a_regular_file",
          [](const fs::path& path, Process&) { fs::create_symlink(path, path); }},
    State{"a link to a database", "wal_index 2", "4096",
          [](const fs::path& path, Process& open) {
            const fs::path target = path.parent_path() / "target.db";
            fs::create_symlink(target, path);
            open = Open(target, kWal);
          }},
    State{"deleted under its application", "missing", "missing", HeldAndRemoved("")},
    State{"replaced under its application by one in rollback mode", "unexpected_wal", "8192",
          [](const fs::path& path, Process& open) {
            open = Open(path, kWal);
            const fs::path other = path.parent_path() / "other.db";
            MakeClosed(other, kRollback);
            fs::rename(other, path);
          }},
    State{"replaced under its application by one with other pages", "wal_index_unrelated", "2048",
          [](const fs::path& path, Process& open) {
            open = Open(path, kWal);
            const fs::path other = path.parent_path() / "other.db";
            Open(other, "PRAGMA page_size=1024; PRAGMA journal_mode=WAL")->Close();
            fs::rename(other, path);
          }},
    State{"with a hot journal", "hot_journal", "",
          [](const fs::path& path, Process& open) {
            open = Open(path, kRollback);
            OUTGROWN_CHECK(open->Exec(kLongTransaction) == 0);
            open->Kill();
          }},
    State{"in the middle of a long commit", "exclusive_lock", "",
          [](const fs::path& path, Process& open) {
            open = Open(path, kRollback);
            OUTGROWN_CHECK(open->Exec(kLongTransaction) == 0);
          }},
    State{"in exclusive mode with rollback", "exclusive_lock", "8192",
          OpenWith("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE")},
    State{"in exclusive mode with WAL", "exclusive_lock", "4096",
          OpenWith("PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL")},
    State{"copied with its WAL, without -shm", "no_wal_index", "4096",
          [](const fs::path& path, Process& open) {
            const fs::path original = path.parent_path() / "original.db";
            open = Open(original, kWal);
            CopyFile(original, path);
            CopyFile(original.string() + "-wal", path.string() + "-wal");
          }},
    State{"with the wal-index of another log", "wal_index_unrelated", "4096",
          [](const fs::path& path, Process& open) {
            const fs::path other = path.parent_path() / "other.db";
            open = Open(other, kWal);
            Open(path, kWal)->Kill();
            CopyFile(other.string() + "-shm", path.string() + "-shm");
          }},
    State{"with a wal-index whose log is gone", "wal_index_unrelated", "4096",
          [](const fs::path& path, Process&) {
            Open(path, kWal)->Kill();
            fs::remove(path.string() + "-wal");
          }},
    State{"with a wal-index that was begun and left so", "wal_index 0", "8192",
          [](const fs::path& path, Process&) {
            MakeClosed(path, kWal);
            Write(path.string() + "-shm", std::string(3, '\0'));
          }},
    State{"with a wal-index that was begun and left so, and a log", "no_wal_index", "4096",
          [](const fs::path& path, Process&) {
            Open(path, kWal)->Kill();
            fs::resize_file(path.string() + "-shm", 3);
          }},
    State{"with a wal-index that an open connection could not make", "wal_index 0", "4096",
          [](const fs::path& path, Process& open) {
            open = Open(path, kWal);
            MakeBlank(path.string() + "-shm");
          }},
    State{"with a wal-index that is being made", "wal_index_damaged", "4096",
          [](const fs::path& path, Process& open) {
            open = Open(path, kWal);
            OUTGROWN_CHECK(open->Exec("BEGIN IMMEDIATE") == 0);  // holds the lock that its making takes
            MakeBlank(path.string() + "-shm");
          }},
    State{"with a wal-index that is a FIFO", "not_a_regular_file", "8192",
          [](const fs::path& path, Process&) {
            MakeClosed(path, kWal);
            OUTGROWN_CHECK(::mkfifo((path.string() + "-shm").c_str(), 0600) == 0);
          }},
    State{"in WAL mode, and closed", "wal_index 0", "8192",
          [](const fs::path& path, Process&) { MakeClosed(path, kWal); }},
    State{"in WAL mode, opened, and only read since", "wal_index 0", "8192",
          [](const fs::path& path, Process& open) {
            MakeClosed(path, kWal);
            open = std::make_unique<SqliteProcess>(path);
            OUTGROWN_CHECK(open->Query("SELECT count(*) FROM t") == 1);
          }},
    State{"encrypted, in WAL mode", "wal_index 2", "8192", EncryptedInWal(0)},
    State{"encrypted, in rollback mode", "encrypted", "8192", EncryptedInRollback(0)},
    State{"encrypted but for the first 32 bytes, in rollback mode", "encrypted", "8192",
          EncryptedInRollback(32)},
    State{"encrypted but for the first 32 bytes, in WAL mode", "wal_index 2", "8192", EncryptedInWal(32)},
    State{"cut shorter than its header says", "truncated", "4096",
          [](const fs::path& path, Process&) {
            MakeClosed(path, kRollback);
            fs::resize_file(path, 4096);
          }},
    State{"cut shorter than its header says, in WAL mode", "truncated", "4096",
          [](const fs::path& path, Process&) {
            MakeClosed(path, kWal);
            fs::resize_file(path, 4096);
          }},
    State{"held, and its wal-index was removed", "held_without_log", "4096", HeldAndRemoved("-shm")},
    State{"held, and its log was removed", "held_without_log", "4096", HeldAndRemoved("-wal")},
    State{"held, and its log was replaced by a copy", "held_without_log", "4096",
          [](const fs::path& path, Process& open) {
            open = Open(path, kWal);
            CopyFile(path.string() + "-wal", path.string() + "-wal.copy");
            fs::rename(path.string() + "-wal.copy", path.string() + "-wal");
            OUTGROWN_CHECK(open->Exec("INSERT INTO t VALUES (2)") == 0);
          }},
    State{"held at another name, as a single-file mount", "held_without_log", "4096",
          [](const fs::path& path, Process& open) {
            fs::create_directory(path.parent_path() / "there");
            open = Open(path.parent_path() / "there" / "a.db", kWal);
            fs::create_hard_link(path.parent_path() / "there" / "a.db", path);
          }},
    State{"in WAL mode with pages of 512 bytes", "wal_index 2", "512",
          OpenWith("PRAGMA page_size=512; PRAGMA journal_mode=WAL")},
    State{"in WAL mode with pages of 64 KB", "wal_index 2", "65536",
          OpenWith("PRAGMA page_size=65536; PRAGMA journal_mode=WAL")},
    State{"in rollback mode with an open transaction", "header 2", "8192",
          [](const fs::path& path, Process& open) {
            open = Open(path, kRollback);
            OUTGROWN_CHECK(open->Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)") == 0);
          }},
    State{"read-only", "header 2", "8192",
          [](const fs::path& path, Process&) {
            MakeClosed(path, kRollback);
            ::chmod(path.c_str(), 0400);
            ::chmod(path.parent_path().c_str(), 0500);
          }},
};

}  // namespace

TEST_CASE("every state of the file gives its value or its reason within 100 ms") {
  static_assert(kStates.size() >= 14);
  for (const State& state : kStates) {
    CAPTURE(state.name);
    const TemporaryFolder folder;
    const fs::path home = folder.path() / "home";
    fs::create_directory(home);
    Process open;
    state.prepare(home / "a.db", open);
    // The time is the probe's own, so the best of a few counts: a machine may be busy with something else.
    Probed probed = Probe(home / "a.db");
    for (int again = 0; again < 5 && probed.time > kTimeMax; ++again) probed = Probe(home / "a.db");
    CHECK(probed.commits == state.commits);
    if (!state.size.empty()) CHECK(probed.size == state.size);
    CHECK(probed.time <= kTimeMax);
    std::error_code ignored;
    fs::permissions(home, fs::perms::owner_all, ignored);
  }
}

TEST_CASE("a hot journal stays a reason until somebody rolls it back, then the count is the committed one") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.db";
  MakeClosed(path, kRollback);
  {
    SqliteProcess crashing(path);
    REQUIRE(crashing.Exec(kLongTransaction) == 0);
    crashing.Kill();
  }
  CHECK(Probe(path).commits == "hot_journal");
  SqliteProcess process(path);
  CHECK(process.Query("SELECT count(*) FROM t") == 1);
  CHECK(Probe(path).commits == "header 2");
}

TEST_CASE("where a file may not be read, that is the reason") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.db";
  MakeClosed(path, kWal);
  REQUIRE(::chmod(folder.path().c_str(), 0711) == 0);
  REQUIRE(::chmod(path.c_str(), 0600) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    // root reads everything, so the probe is somebody else's
    const bool dropped = ::geteuid() != 0 || ::seteuid(65534) == 0;
    if (::geteuid() != 65534) ::chmod(path.c_str(), 0);
    ::_exit(dropped && Probe(path).commits == "no_permission" ? 0 : 1);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  CHECK(status == 0);
}
