// The wal-index header: the first 136 bytes of a -shm file, in which WAL mode keeps its commit counter.
//
//   offset
//        0
//        ┌─────────┬────────┬─────────┬──────┬──────┬──────┬─────────┬────────┬────────────┬───────┬──────────┐
//          │ version │ unused │ iChange │ init │ cksm │ page │ mxFrame │ nPage  │ aFrameCksum│ aSalt │
//          checksum │ │ u32     │        │ u32     │ u8   │ u8   │ u16  │ u32     │ u32    │ 2 × u32    │ 8 B
//          │ 2 × u32  │
//       48
//       ├─────────┴────────┴─────────┴──────┴──────┴──────┴─────────┴────────┴────────────┴───────┴──────────┤
//          │ the same once more: a writer updates this copy first, a reader trusts them only when they are
//          equal  │
//       96
//       ├────────────────────────────────────────────────────────────────────────────────────────────────────┤
//          │ nBackfill, read marks, lock bytes, nBackfillAttempted │
//      136
//      └────────────────────────────────────────────────────────────────────────────────────────────────────┘
//
// Integers are in the byte order of the machine, the salts are copied from the WAL's header byte by byte.
// Source: https://www.sqlite.org/walformat.html#the_wal_index_header
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "exporter/sqlite/problem.h"

namespace outgrown::exporter::sqlite {

inline constexpr std::size_t kWalIndexBytes = 136;
inline constexpr std::size_t kWalHeaderBytes = 32;
using WalIndexBytes = std::array<std::uint8_t, kWalIndexBytes>;
using WalHeaderBytes = std::array<std::uint8_t, kWalHeaderBytes>;
using WalSalts = std::array<std::uint8_t, 8>;

struct WalIndex {
  std::uint32_t commits = 0;  // iChange: write transactions since this wal-index was begun; wraps at 2^32
  std::uint32_t page_bytes = 0;
  std::uint32_t frames = 0;  // mxFrame: valid frames in the log
  std::uint32_t pages = 0;   // nPage: size of the database in pages
  std::uint32_t frames_backfilled = 0;
  WalSalts salts = {};
};

// kWalIndexDamaged if the copies differ, the header was not initialised yet or its checksum is wrong (a
// writer or a recovery may be at work: worth another look); kWalIndexVersion if it is not of version 3007000.
Measured<WalIndex> DecodeWalIndex(const WalIndexBytes& bytes);

// The salts of a log; kWalIndexUnrelated if this is not the header of a write-ahead log.
Measured<WalSalts> DecodeWalSalts(const WalHeaderBytes& bytes);

}  // namespace outgrown::exporter::sqlite
