#include "exporter/sqlite/commit_counter.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "exporter/sqlite/headers.h"
#include "exporter/sqlite/probe_file.h"

namespace outgrown::exporter::sqlite {
namespace {

// The bytes that SQLite's POSIX locks lie on (os.h: PENDING_BYTE and what follows it).
constexpr off_t kWalWriteLockByte = 120;  // of the wal-index: UNIX_SHM_BASE of os_unix.c
constexpr off_t kReservedByte = 0x40000000 + 1;
constexpr off_t kSharedFirst = 0x40000000 + 2;
constexpr off_t kSharedSize = 510;

// A busy store is read again after pauses that grow from 1 to 8 ms, for at most this time: most commits are
// shorter, and a scrape of many stores must not wait longer.
constexpr std::chrono::milliseconds kTimeMax(40);
constexpr std::chrono::milliseconds kPauseMax(8);

// Problems that pass by themselves when a writer, a checkpoint or a recovery has finished.
bool MayPass(Problem problem) {
  switch (problem) {
    case Problem::kExclusive:
    case Problem::kHotJournal:
    case Problem::kUnexpectedWal:
    case Problem::kNoWalIndex:
    case Problem::kHeldWithoutLog:
    case Problem::kWalIndexDamaged:
    case Problem::kWalIndexUnrelated:
    case Problem::kChanging:
    case Problem::kTruncated:
      return true;
    default:
      return false;
  }
}

template <std::size_t kSize>
Measured<std::array<std::uint8_t, kSize>> ReadStart(const ProbeFile& file) {
  std::array<std::uint8_t, kSize> bytes;
  if (const Measured<std::size_t> read = file.ReadAt(0, bytes); !read.ok()) return read.problem();
  return bytes;
}

Measured<DatabaseHeader> ReadDatabaseHeader(const ProbeFile& database) {
  const Measured<DatabaseHeaderBytes> bytes = ReadStart<kDatabaseHeaderBytes>(database);
  if (!bytes.ok()) return bytes.problem();
  return DecodeDatabaseHeader(*bytes);
}

// Whether a process holds SQLite's EXCLUSIVE lock: in the middle of a commit in rollback mode, or with
// locking_mode=EXCLUSIVE.
Measured<bool> IsExclusive(const ProbeFile& database) {
  return database.IsLocked(F_RDLCK, kSharedFirst, kSharedSize);
}

// A connection holds SHARED for as long as it has the database open in WAL mode; others hold one of these
// bytes for a transaction.
Measured<bool> IsHeld(const ProbeFile& database) {
  return database.IsLocked(F_WRLCK, kSharedFirst, kSharedSize);
}

// Whether a rollback journal waits for recovery: its first byte is not 0, and no process holds RESERVED that
// could be writing it (sqlite3PagerSharedLock's hasHotJournal).
Measured<bool> HasHotJournal(const std::string& path, const ProbeFile& database) {
  const Measured<ProbeFile> journal = ProbeFile::Open(path + "-journal");
  if (!journal.ok()) {
    if (journal.problem() == Problem::kMissing) return false;
    return journal.problem();
  }
  const Measured<std::array<std::uint8_t, 1>> first = ReadStart<1>(*journal);
  if (!first.ok() && first.problem() == Problem::kTruncated) return false;  // empty: journal_mode=TRUNCATE
  if (!first.ok()) return first.problem();
  if ((*first)[0] == 0) return false;  // journal_mode=PERSIST between transactions
  const Measured<bool> reserved = database.IsLocked(F_WRLCK, kReservedByte, 1);
  if (!reserved.ok()) return reserved.problem();
  return !*reserved;
}

// Size of the log, 0 if there is none.
Measured<std::uint64_t> WalSize(const std::string& path) {
  const Measured<std::uint64_t> size = FileSize(path + "-wal");
  if (!size.ok() && size.problem() == Problem::kMissing) return std::uint64_t{0};
  return size;
}

// By the salts, which log and index have in common, and the frames: a copy of the log that took its place does not grow. With
// no valid frame it may hold an older header, and a last connection that keeps it (SQLITE_FCNTL_PERSIST_WAL) may leave it empty.
Measured<bool> BelongsToLog(const WalIndex& index, const std::string& path, const SeenFiles& seen) {
  if (seen.log && seen.known_log != nullptr && *seen.log == seen.known_log->log &&
      index.salts == seen.known_log->salts && seen.log->size_bytes >= LogBytes(index))
    return true;
  const Measured<ProbeFile> wal = ProbeFile::Open(path + "-wal", seen.log.has_value());
  if (!wal.ok()) {
    if (wal.problem() != Problem::kMissing) return wal.problem();
    return index.frames == 0;
  }
  if (index.frames == 0 || wal->opened().size_bytes == 0) return true;
  if (wal->opened().size_bytes < LogBytes(index)) return false;
  const Measured<WalHeaderBytes> bytes = ReadStart<kWalHeaderBytes>(*wal);
  if (!bytes.ok()) return bytes.problem();
  const Measured<WalSalts> salts = DecodeWalSalts(*bytes);
  if (!salts.ok()) return salts.problem();
  // A change within the same tick of the file system's clock would not show in its times.
  if (seen.known_log != nullptr && wal->opened().changed_ns + kClockTickNs < seen.now_unix_ns)
    *seen.known_log = {wal->opened(), *salts};
  return *salts == index.salts;
}

// Log or wal-index are missing: either no process has the store open, or one has it open and they were
// removed or are in another folder (a mount of the single file, a hard link). SQLite also holds SHARED while
// it creates and removes them, which is why kHeldWithoutLog is tried again.
Measured<CommitCounter> WithoutWalIndex(const std::string& path, const ProbeFile& database) {
  const Measured<bool> held = IsHeld(database);
  if (!held.ok()) return held.problem();
  if (*held) return Problem::kHeldWithoutLog;
  const Measured<std::uint64_t> wal_size = WalSize(path);
  if (!wal_size.ok()) return wal_size.problem();
  if (*wal_size > 0) return Problem::kNoWalIndex;
  return CommitCounter{CommitCounter::Source::kWalIndex};
}

// The reader of the oldest snapshot that is behind the log. A mark is only a hint unless its byte is locked: a mark that
// nobody uses keeps the value of its last reader. Readers of one snapshot share a mark, and one of them is named. Mark 0 is of
// those that began when all of the log was in the database: they read nothing else, and keep any checkpoint from writing to
// it. A checkpoint holds it exclusively.
std::optional<OldReader> OldestReader(const ProbeFile& shm, const WalIndex& index) {
  std::array<std::uint32_t, kReadMarks> marks = index.read_marks;
  marks[0] = index.frames_backfilled;
  if (std::ranges::min(marks) >= index.frames) return std::nullopt;
  // Mostly nobody reads, which one question shows for all marks.
  const Measured<bool> any = shm.IsLocked(F_WRLCK, kReadMarkLockByte, kReadMarks);
  if (any.ok() && !*any) return std::nullopt;
  std::optional<OldReader> oldest;
  for (std::size_t mark = 0; mark < kReadMarks; ++mark) {
    if (marks[mark] >= index.frames || (oldest && marks[mark] >= oldest->frames)) continue;
    const auto lock = shm.LockOn(F_WRLCK, static_cast<off_t>(kReadMarkLockByte + mark), 1);
    if (lock.ok() && *lock && !(*lock)->is_exclusive) oldest = OldReader{marks[mark], (*lock)->process};
  }
  return oldest;
}

Measured<WalIndexSeen> ReadWalIndex(const std::string& path) {
  Measured<ProbeFile> shm = ProbeFile::Open(path + "-shm");
  if (!shm.ok()) return shm.problem();
  const Measured<WalIndexBytes> bytes = ReadStart<kWalIndexBytes>(*shm);
  if (bytes.ok() ? IsBlank(*bytes) : bytes.problem() == Problem::kTruncated) {
    // Who makes it holds the write lock. Else it could not be made (a full disk), by a connection that is still open or gone.
    const Measured<bool> in_making = shm->IsLocked(F_RDLCK, kWalWriteLockByte, 1);
    const Measured<bool> held = shm->IsLocked(F_WRLCK, kWalIndexHeldByte, 1);
    if (!in_making.ok() || *in_making || !held.ok()) return Problem::kWalIndexDamaged;
    if (!*held) return Problem::kMissing;
    return WalIndexSeen{std::make_shared<const ProbeFile>(std::move(*shm)), {}};
  }
  const Measured<WalIndex> index = bytes.ok() ? DecodeWalIndex(*bytes) : bytes.problem();
  if (!index.ok()) return index.problem();
  return WalIndexSeen{std::make_shared<const ProbeFile>(std::move(*shm)), *index};
}

// `page_bytes` 0: not known.
Measured<CommitCounter> ReadFromWalIndex(const std::string& path, const ProbeFile& database,
                                         std::uint32_t page_bytes, const SeenFiles& seen) {
  const Measured<WalIndexSeen> read =
      seen.wal_index ? Measured<WalIndexSeen>(*seen.wal_index) : ReadWalIndex(path);
  if (!read.ok()) {
    if (read.problem() != Problem::kMissing) return read.problem();
    return WithoutWalIndex(path, database);
  }
  const WalIndex* const index = &read->index;
  if (page_bytes != 0 && index->page_bytes != 0 && index->page_bytes != page_bytes)
    return Problem::kWalIndexUnrelated;
  const Measured<bool> belongs = BelongsToLog(*index, path, seen);
  if (!belongs.ok()) return belongs.problem();
  if (!*belongs) {
    const Measured<std::uint64_t> wal_size = WalSize(path);
    const Measured<bool> held = IsHeld(database);
    const bool is_log_missing = wal_size.ok() && *wal_size < LogBytes(*index);  // or another one
    return is_log_missing && held.ok() && *held ? Problem::kHeldWithoutLog : Problem::kWalIndexUnrelated;
  }
  return CommitCounter{
      CommitCounter::Source::kWalIndex, index->commits, 0, index->frames, index->frames_backfilled,
      OldestReader(*read->file, *index)};
}

// An encrypted header shows no journal mode, but a wal-index that belongs to its log does (SQLCipher leaves
// it plain).
Measured<CommitCounter> ReadWithoutHeader(const std::string& path, const ProbeFile& database, Problem problem,
                                          const SeenFiles& seen) {
  if (database.opened().size_bytes % 512 != 0) return problem;
  if (!FileSize(path + "-shm").ok()) return Problem::kEncrypted;
  return ReadFromWalIndex(path, database, 0, seen);
}

// Asked after the header was read: a database that grows meanwhile is not shorter than it said.
bool HasAllPages(const ProbeFile& database, const DatabaseHeader& header) {
  const Measured<std::uint64_t> size = database.Size();
  return size.ok() && *size >= std::uint64_t{header.pages} * header.page_bytes;
}

// The header is a committed one if, after it was read, no process is in the middle of a commit, no crashed
// commit waits to be rolled back, and it still reads the same.
Measured<CommitCounter> ReadFromHeader(const std::string& path, const ProbeFile& database,
                                       const DatabaseHeader& header) {
  const Measured<std::uint64_t> wal_size = WalSize(path);
  if (!wal_size.ok()) return wal_size.problem();
  if (*wal_size > 0) return Problem::kUnexpectedWal;
  const Measured<bool> hot = HasHotJournal(path, database);
  if (!hot.ok()) return hot.problem();
  if (*hot) return Problem::kHotJournal;
  const Measured<DatabaseHeader> again = ReadDatabaseHeader(database);
  if (!again.ok()) return again.problem();
  if (*again != header) return Problem::kChanging;
  const Measured<bool> exclusive = IsExclusive(database);
  if (!exclusive.ok()) return exclusive.problem();
  if (*exclusive) return Problem::kExclusive;
  if (!header.is_reserved_zero) return Problem::kEncrypted;
  if (header.change_counter != header.version_valid_for) return Problem::kOldWriter;
  if (!HasAllPages(database, header)) return Problem::kTruncated;
  CommitCounter counter{CommitCounter::Source::kHeader, header.change_counter, header.change_counter};
  counter.page_bytes = header.page_bytes;
  counter.free_pages = header.free_pages;
  return counter;
}

Measured<CommitCounter> ReadOpened(const std::string& path, const ProbeFile& database,
                                   const SeenFiles& seen) {
  const std::uint64_t size_bytes = database.opened().size_bytes;
  // Created, but nothing was committed yet: the first commit in any mode will write a header with counter 1.
  if (size_bytes == 0) return CommitCounter{CommitCounter::Source::kHeader, 0};
  const Measured<bool> exclusive = IsExclusive(database);
  if (!exclusive.ok()) return exclusive.problem();
  if (*exclusive) return Problem::kExclusive;
  const Measured<DatabaseHeader> header = ReadDatabaseHeader(database);
  if (!header.ok()) {
    if (header.problem() != Problem::kNotSqlite) return header.problem();
    return ReadWithoutHeader(path, database, header.problem(), seen);
  }
  if (!header->is_wal) return ReadFromHeader(path, database, *header);
  Measured<CommitCounter> counter = ReadFromWalIndex(path, database, header->page_bytes, seen);
  if (!counter.ok()) return counter;
  // A checkpoint writes page 1, with the new size, before the last pages: "too short" means damage only once
  // all frames are copied.
  const bool is_header_of_all = header->is_reserved_zero && counter->frames == counter->frames_backfilled &&
                                header->change_counter == header->version_valid_for;
  if (is_header_of_all && size_bytes < std::uint64_t{header->pages} * header->page_bytes)
    return Problem::kTruncated;
  (*counter).change_counter = header->change_counter;
  if (!header->is_reserved_zero) return counter;  // the rest of the header is encrypted
  (*counter).page_bytes = header->page_bytes;
  (*counter).free_pages = header->free_pages;
  return counter;
}

Measured<CommitCounter> Attempt(const std::string& path, const SeenFiles& seen = {}) {
  const Measured<ProbeFile> database = ProbeFile::Open(path, seen.is_database);
  if (!database.ok()) return database.problem();
  Measured<CommitCounter> counter = ReadOpened(path, *database, seen);
  if (counter.ok()) (*counter).database = database->opened().identity();
  return counter;
}

}  // namespace

Measured<CommitCounter> ReadCommitCounter(const std::string& path, const SeenFiles& seen) {
  const auto deadline = std::chrono::steady_clock::now() + kTimeMax;
  std::chrono::milliseconds pause(1);
  Measured<CommitCounter> counter = Attempt(path, seen);
  while (!counter.ok() && MayPass(counter.problem()) && std::chrono::steady_clock::now() + pause < deadline) {
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, kPauseMax);
    counter = Attempt(path);
  }
  return counter;
}

bool IsHeldOpen(const std::string& path) {
  const Measured<ProbeFile> database = ProbeFile::Open(path);
  const Measured<bool> held = database.ok() ? IsHeld(*database) : database.problem();
  return held.ok() && *held;
}

std::optional<pid_t> WriteLockHolder(const std::string& path) {
  const auto holder = [](const std::string& file, off_t byte) -> std::optional<pid_t> {
    const Measured<ProbeFile> open = ProbeFile::Open(file);
    if (!open.ok()) return std::nullopt;
    const auto lock = open->LockOn(F_WRLCK, byte, 1);
    return lock.ok() && *lock ? std::optional((*lock)->process) : std::nullopt;
  };
  const std::optional<pid_t> in_wal = holder(path + "-shm", kWalWriteLockByte);
  return in_wal ? in_wal : holder(path, kReservedByte);
}

}  // namespace outgrown::exporter::sqlite
