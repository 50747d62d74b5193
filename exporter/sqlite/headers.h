// clang-format off
// The headers of a SQLite store's three files, decoded: pure functions of bytes.
//
// The database: its first 100 bytes, big-endian. https://www.sqlite.org/fileformat2.html#the_database_header
//
//    0 ┌───────────────────────┐
//      │ "SQLite format 3\0"   │
//   16 ├───────────┬───────────┤
//      │ page size │ versions  │  write and read version: 1 rollback, 2 WAL
//   24 ├───────────┴───────────┤
//      │ change counter        │  one more with each commit in the rollback modes
//   28 │ pages                 │  size of the database, valid if the two counters are equal
//   72 │ reserved, zero        │
//   92 │ version valid for     │  the change counter when a SQLite since 3.7.0 wrote the header
//  100 └───────────────────────┘
//
// The write-ahead log: its first 32 bytes, of which the salts (at 16) are read.
//
// The wal-index (-shm): its first 136 bytes, in which WAL mode keeps its commit counter. In the byte order of the
// machine, but for the salts, which are copied from the log. https://www.sqlite.org/walformat.html#the_wal_index_header
//
//    0 ┌─────────┬────────┬─────────┬──────┬──────┬──────┐
//      │ version │ unused │ iChange │ init │ cksm │ page │  u32, u32, u32, u8, u8, u16
//   16 ├─────────┼────────┼─────────┴──────┴──────┴──────┤
//      │ mxFrame │ nPage  │ checksum of frames, 2×u32    │
//   32 ├─────────┴────────┼──────────────────────────────┤
//      │ salts, 8 bytes   │ checksum of the above, 2×u32 │
//   48 ├──────────────────┴──────────────────────────────┤
//      │ the same again: a writer updates this copy      │
//      │ first, a reader trusts them if they are equal   │
//   96 ├───────────┬────────────┬────────────────────────┤
//      │ nBackfill │ read marks │ lock bytes             │  the last lock byte, 128, is held shared by each process
//      │           │            │ nBackfillAttempted     │  that has the wal-index open
//  136 └───────────┴────────────┴────────────────────────┘
// clang-format on
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "exporter/sqlite/problem.h"

namespace outgrown::exporter::sqlite {

inline constexpr std::size_t kDatabaseHeaderBytes = 100;
inline constexpr std::size_t kWalHeaderBytes = 32;
inline constexpr std::size_t kWalIndexBytes = 136;
inline constexpr std::uint64_t kWalIndexHeldByte = 128;
// A reader holds the byte of its read mark locked, shared, for as long as its transaction lasts. The mark 0 stands for the
// database alone, without the log. WAL_READ_LOCK(i) of wal.c and UNIX_SHM_BASE of os_unix.c: 120 + 3 + i.
inline constexpr std::size_t kReadMarks = 5;
inline constexpr std::uint64_t kReadMarkLockByte = 123;
using DatabaseHeaderBytes = std::array<std::uint8_t, kDatabaseHeaderBytes>;
using WalHeaderBytes = std::array<std::uint8_t, kWalHeaderBytes>;
using WalIndexBytes = std::array<std::uint8_t, kWalIndexBytes>;
using WalSalts = std::array<std::uint8_t, 8>;

struct DatabaseHeader {
  std::uint32_t page_bytes = 0;         // 512 to 65536, a power of two
  bool is_wal = false;                  // journal mode WAL, else one of the rollback modes
  std::uint32_t change_counter = 0;     // in a rollback mode one more with each committed write transaction
  std::uint32_t version_valid_for = 0;  // the change counter's value when a SQLite >= 3.7.0 wrote it
  std::uint32_t free_pages = 0;         // pages of the file that hold nothing (its freelist)
  std::uint32_t pages = 0;              // means something if the two above are equal
  bool is_reserved_zero = true;         // else only its beginning is plain (SQLCipher's plaintext header)

  friend bool operator==(const DatabaseHeader&, const DatabaseHeader&) = default;
};

struct WalIndex {
  std::uint32_t commits = 0;     // iChange: write transactions since this wal-index was begun; wraps at 2^32
  std::uint32_t page_bytes = 0;  // 0 while nothing was written yet
  std::uint32_t frames = 0;      // mxFrame: valid frames in the log
  std::uint32_t pages = 0;       // nPage: size of the database in pages
  std::uint32_t frames_backfilled = 0;
  WalSalts salts = {};
  // Of each read mark the number of frames that readers with that mark see. 0 and unused marks included; whether somebody
  // reads by one, its lock says.
  std::array<std::uint32_t, kReadMarks> read_marks = {};
};

// kNotSqlite or kUnknownFormat if it is not one.
Measured<DatabaseHeader> DecodeDatabaseHeader(const DatabaseHeaderBytes& bytes);

// What the log holds at least: its header, and of each frame a header of 24 bytes and a page.
std::uint64_t LogBytes(const WalIndex& index);

// Whether neither copy of the header was written yet. Behind them are locks and nBackfill, which a new wal-index may have
// set.
bool IsBlank(const WalIndexBytes& bytes);

// kWalIndexDamaged if the copies differ, the header was not initialised yet or its checksum is wrong (a
// writer or a recovery may be at work: worth another look); kWalIndexVersion if it is not of version 3007000.
Measured<WalIndex> DecodeWalIndex(const WalIndexBytes& bytes);

// The salts of a log; kWalIndexUnrelated if this is not the header of a write-ahead log.
Measured<WalSalts> DecodeWalSalts(const WalHeaderBytes& bytes);

}  // namespace outgrown::exporter::sqlite
