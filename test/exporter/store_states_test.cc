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
#include "exporter/sqlite/headers.h"
#include "exporter/sqlite/probe_file.h"
#include "test/common/temporary_folder.h"
#include "test/exporter/sqlite_process.h"

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

// Each prepares `path` and may leave a process with the database open.
struct State {
  std::string name;
  std::function<std::unique_ptr<SqliteProcess>(const fs::path& path)> prepare;
  std::string commits;
  std::string size;
};

// A process with a database open that has a table and one row: two commits.
std::unique_ptr<SqliteProcess> Open(const fs::path& path, const std::string& pragmas) {
  auto process = std::make_unique<SqliteProcess>(path);
  OUTGROWN_CHECK(process->Exec(pragmas + "; CREATE TABLE t(x); INSERT INTO t VALUES (1)") == 0);
  return process;
}

const std::array kStates = {
    State{"missing", [](const fs::path&) { return nullptr; }, "missing", "missing"},
    State{"in a folder that is missing",
          [](const fs::path& path) {
            fs::remove_all(path.parent_path());
            return nullptr;
          },
          "missing", "missing"},
    State{"empty",
          [](const fs::path& path) {
            Write(path, "");
            return nullptr;
          },
          "header 0", "0"},
    State{"shorter than a header",
          [](const fs::path& path) {
            Write(path, std::string("SQLite format 3\0", 16));
            return nullptr;
          },
          "truncated", "16"},
    State{"garbage",
          [](const fs::path& path) {
            Write(path, std::string(5000, 'g'));
            return nullptr;
          },
          "not_sqlite", "5000"},
    State{"of a later format",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=DELETE")->Close();
            std::string bytes = outgrown::ReadFile(path).value();
            bytes[18] = bytes[19] = 3;
            Write(path, bytes);
            return nullptr;
          },
          "unknown_format", "8192"},
    State{"last written by an old SQLite",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=DELETE")->Close();
            std::string bytes = outgrown::ReadFile(path).value();
            ++bytes[27];
            Write(path, bytes);
            return nullptr;
          },
          "old_writer", "8192"},
    State{"a folder",
          [](const fs::path& path) {
            fs::create_directory(path);
            return nullptr;
          },
          "not_a_regular_file", "not_a_regular_file"},
    State{"a FIFO",
          [](const fs::path& path) {
            OUTGROWN_CHECK(::mkfifo(path.c_str(), 0600) == 0);
            return nullptr;
          },
          "not_a_regular_file", "not_a_regular_file"},
    State{"a link to a device",
          [](const fs::path& path) {
            fs::create_symlink("/dev/zero", path);
            return nullptr;
          },
          "not_a_regular_file", "not_a_regular_file"},
    State{"a link in a circle",
          [](const fs::path& path) {
            fs::create_symlink(path, path);
            return nullptr;
          },
          "not_a_regular_file", "not_a_regular_file"},
    State{"a link to a database",
          [](const fs::path& path) {
            const fs::path target = path.parent_path() / "target.db";
            fs::create_symlink(target, path);
            return Open(target, "PRAGMA journal_mode=WAL");
          },
          "wal_index 2", "4096"},
    State{"deleted under its application",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=WAL");
            fs::remove(path);
            return process;
          },
          "missing", "missing"},
    State{"replaced under its application by one in rollback mode",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=WAL");
            const fs::path other = path.parent_path() / "other.db";
            Open(other, "PRAGMA journal_mode=DELETE")->Close();
            fs::rename(other, path);
            return process;
          },
          "unexpected_wal", "8192"},
    State{"replaced under its application by one with other pages",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=WAL");
            const fs::path other = path.parent_path() / "other.db";
            Open(other, "PRAGMA page_size=1024; PRAGMA journal_mode=WAL")->Close();
            fs::rename(other, path);
            return process;
          },
          "wal_index_unrelated", "2048"},
    State{"with a hot journal",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=DELETE");
            // Spills, so that the journal is synced and pages of the open transaction are in the file.
            OUTGROWN_CHECK(
                process->Exec("PRAGMA cache_size=1; BEGIN; CREATE TABLE u(x);"
                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 200)"
                              "INSERT INTO u SELECT randomblob(2000) FROM n") == 0);
            process->Kill();
            return nullptr;
          },
          "hot_journal", ""},
    State{"in the middle of a long commit",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=DELETE");
            OUTGROWN_CHECK(
                process->Exec("PRAGMA cache_size=1; BEGIN; CREATE TABLE u(x);"
                              "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 200)"
                              "INSERT INTO u SELECT randomblob(2000) FROM n") == 0);
            return process;
          },
          "exclusive_lock", ""},
    State{"in exclusive mode with rollback",
          [](const fs::path& path) {
            return Open(path, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=DELETE");
          },
          "exclusive_lock", "8192"},
    State{"in exclusive mode with WAL",
          [](const fs::path& path) {
            return Open(path, "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL");
          },
          "exclusive_lock", "4096"},
    State{"copied with its WAL, without -shm",
          [](const fs::path& path) {
            const fs::path original = path.parent_path() / "original.db";
            auto process = Open(original, "PRAGMA journal_mode=WAL");
            CopyFile(original, path);
            CopyFile(original.string() + "-wal", path.string() + "-wal");
            return process;
          },
          "no_wal_index", "4096"},
    State{"with the wal-index of another log",
          [](const fs::path& path) {
            const fs::path other = path.parent_path() / "other.db";
            auto other_process = Open(other, "PRAGMA journal_mode=WAL");
            auto process = Open(path, "PRAGMA journal_mode=WAL");
            process->Kill();
            CopyFile(other.string() + "-shm", path.string() + "-shm");
            return other_process;
          },
          "wal_index_unrelated", "4096"},
    State{"with a wal-index whose log is gone",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=WAL")->Kill();
            fs::remove(path.string() + "-wal");
            return nullptr;
          },
          "wal_index_unrelated", "4096"},
    State{"with a wal-index that is being made",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=WAL")->Kill();
            fs::resize_file(path.string() + "-shm", 3);
            return nullptr;
          },
          "wal_index_damaged", "4096"},
    State{"with a wal-index that is a FIFO",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=WAL")->Close();
            OUTGROWN_CHECK(::mkfifo((path.string() + "-shm").c_str(), 0600) == 0);
            return nullptr;
          },
          "not_a_regular_file", "8192"},
    State{"in WAL mode, and closed",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=WAL")->Close();
            return nullptr;
          },
          "wal_index 0", "8192"},
    State{"in WAL mode, opened, and only read since",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=WAL")->Close();
            auto process = std::make_unique<SqliteProcess>(path);
            OUTGROWN_CHECK(process->Query("SELECT count(*) FROM t") == 1);
            return process;
          },
          "wal_index 0", "8192"},
    State{"encrypted, in WAL mode",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=WAL");
            OUTGROWN_CHECK(process->Query("PRAGMA wal_checkpoint(PASSIVE)") == 0);
            Overwrite(path, 0, 4096);
            return process;
          },
          "wal_index 2", "8192"},
    State{"encrypted, in rollback mode",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=DELETE")->Close();
            Overwrite(path, 0, 4096);
            return nullptr;
          },
          "encrypted", "8192"},
    State{"encrypted but for the first 32 bytes, in rollback mode",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=DELETE")->Close();
            Overwrite(path, 32, 4096);
            return nullptr;
          },
          "encrypted", "8192"},
    State{"encrypted but for the first 32 bytes, in WAL mode",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=WAL");
            OUTGROWN_CHECK(process->Query("PRAGMA wal_checkpoint(PASSIVE)") == 0);
            Overwrite(path, 32, 4096);
            return process;
          },
          "wal_index 2", "8192"},
    State{"cut shorter than its header says",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=DELETE")->Close();
            fs::resize_file(path, 4096);
            return nullptr;
          },
          "truncated", "4096"},
    State{"cut shorter than its header says, in WAL mode",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=WAL")->Close();
            fs::resize_file(path, 4096);
            return nullptr;
          },
          "truncated", "4096"},
    State{"held, and its wal-index was removed",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=WAL");
            fs::remove(path.string() + "-shm");
            return process;
          },
          "held_without_log", "4096"},
    State{"held, and its log was removed",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=WAL");
            fs::remove(path.string() + "-wal");
            return process;
          },
          "held_without_log", "4096"},
    State{"held at another name, as a single-file mount",
          [](const fs::path& path) {
            fs::create_directory(path.parent_path() / "there");
            auto process = Open(path.parent_path() / "there" / "a.db", "PRAGMA journal_mode=WAL");
            fs::create_hard_link(path.parent_path() / "there" / "a.db", path);
            return process;
          },
          "held_without_log", "4096"},
    State{"in WAL mode with pages of 512 bytes",
          [](const fs::path& path) { return Open(path, "PRAGMA page_size=512; PRAGMA journal_mode=WAL"); },
          "wal_index 2", "512"},
    State{"in WAL mode with pages of 64 KB",
          [](const fs::path& path) { return Open(path, "PRAGMA page_size=65536; PRAGMA journal_mode=WAL"); },
          "wal_index 2", "65536"},
    State{"in rollback mode with an open transaction",
          [](const fs::path& path) {
            auto process = Open(path, "PRAGMA journal_mode=DELETE");
            OUTGROWN_CHECK(process->Exec("BEGIN IMMEDIATE; INSERT INTO t VALUES (2)") == 0);
            return process;
          },
          "header 2", "8192"},
    State{"read-only",
          [](const fs::path& path) {
            Open(path, "PRAGMA journal_mode=DELETE")->Close();
            ::chmod(path.c_str(), 0400);
            ::chmod(path.parent_path().c_str(), 0500);
            return nullptr;
          },
          "header 2", "8192"},
};

}  // namespace

TEST_CASE("every state of the file gives its value or its reason within 100 ms") {
  static_assert(kStates.size() >= 14);
  for (const State& state : kStates) {
    CAPTURE(state.name);
    const TemporaryFolder folder;
    const fs::path home = folder.path() / "home";
    fs::create_directory(home);
    const std::unique_ptr<SqliteProcess> process = state.prepare(home / "a.db");
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
  Open(path, "PRAGMA journal_mode=DELETE")->Close();
  {
    SqliteProcess crashing(path);
    REQUIRE(crashing.Exec(
                "PRAGMA cache_size=1; BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
                "LIMIT 200) INSERT INTO t SELECT randomblob(2000) FROM n") == 0);
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
  Open(path, "PRAGMA journal_mode=WAL")->Close();
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

TEST_CASE("no damaged byte of a wal-index header gives another count") {
  const TemporaryFolder folder;
  const fs::path path = folder.path() / "a.db";
  Open(path, "PRAGMA journal_mode=WAL")->Kill();
  const std::string good = outgrown::ReadFile(path.string() + "-shm").value();
  sqlite::WalIndexBytes bytes = {};
  std::copy_n(good.begin(), bytes.size(), bytes.begin());
  REQUIRE(sqlite::DecodeWalIndex(bytes).ok());
  CHECK(sqlite::DecodeWalIndex(bytes)->commits == 2);
  constexpr std::size_t kCopyBytes = 48;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    for (int flip = 1; flip < 256; ++flip) {
      const auto damage = [&](std::size_t offset, sqlite::WalIndexBytes copy) {
        copy[offset] = static_cast<std::uint8_t>(copy[offset] ^ flip);
        return copy;
      };
      const auto one = sqlite::DecodeWalIndex(damage(at, bytes));
      const auto both =
          at < kCopyBytes ? sqlite::DecodeWalIndex(damage(at + kCopyBytes, damage(at, bytes))) : one;
      if (at < 2 * kCopyBytes) {
        REQUIRE_FALSE(one.ok());
        REQUIRE_FALSE(both.ok());
      } else {
        REQUIRE(one.ok());
        REQUIRE(one->commits == 2);
      }
    }
  }
}
