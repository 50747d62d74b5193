#include "exporter/sqlite/headers.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

namespace outgrown::exporter::sqlite {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);

std::uint32_t BigEndian32(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U | std::uint32_t{bytes[2]} << 8U |
         bytes[3];
}

// WALINDEX_MAX_VERSION of wal.c; the same since SQLite 3.7.0.
constexpr std::uint32_t kVersion = 3007000;
constexpr std::size_t kCopyBytes = 48;
constexpr std::size_t kChecksumOffset = 40;

std::uint32_t Native32(const WalIndexBytes& bytes, std::size_t offset) {
  // In the byte order of the machine, which is the writers': the wal-index is shared memory and never leaves
  // the host.
  std::uint32_t value = 0;
  std::memcpy(&value, &bytes[offset], sizeof value);
  return value;
}

std::uint16_t Native16(const WalIndexBytes& bytes, std::size_t offset) {
  std::uint16_t value = 0;
  std::memcpy(&value, &bytes[offset], sizeof value);
  return value;
}

// SQLite's checksum over pairs of words, in native byte order (walChecksumBytes).
bool HasRightChecksum(const WalIndexBytes& bytes) {
  std::uint32_t s0 = 0;
  std::uint32_t s1 = 0;
  for (std::size_t at = 0; at < kChecksumOffset; at += 8) {
    s0 += Native32(bytes, at) + s1;
    s1 += Native32(bytes, at + 4) + s0;
  }
  return s0 == Native32(bytes, kChecksumOffset) && s1 == Native32(bytes, kChecksumOffset + 4);
}

}  // namespace

Measured<DatabaseHeader> DecodeDatabaseHeader(const DatabaseHeaderBytes& bytes) {
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin(), [](char wanted, std::uint8_t found) {
        return static_cast<std::uint8_t>(wanted) == found;
      })) {
    return Problem::kNotSqlite;
  }
  DatabaseHeader header;
  // 65536 doesn't fit 16 bits; the file format writes 1 for it.
  const std::uint32_t page_bytes = std::uint32_t{bytes[16]} << 8U | bytes[17];
  header.page_bytes = page_bytes == 1 ? 65536 : page_bytes;
  // The magic alone could be the beginning of something else, SQLCipher with a plain header for example.
  if (header.page_bytes < 512 || !std::has_single_bit(header.page_bytes)) return Problem::kNotSqlite;

  // File format write and read version: 1 is rollback, 2 is WAL; a higher one means a format that isn't known
  // yet.
  const std::uint8_t write_version = bytes[18];
  const std::uint8_t read_version = bytes[19];
  if (write_version != read_version || write_version < 1 || write_version > 2) return Problem::kUnknownFormat;
  header.is_wal = write_version == 2;
  header.change_counter = BigEndian32(&bytes[24]);
  header.version_valid_for = BigEndian32(&bytes[92]);
  header.pages = BigEndian32(&bytes[28]);
  header.free_pages = BigEndian32(&bytes[36]);
  header.is_reserved_zero =
      std::all_of(bytes.begin() + 72, bytes.begin() + 92, [](std::uint8_t byte) { return byte == 0; });
  return header;
}

std::uint64_t LogBytes(const WalIndex& index) {
  return kWalHeaderBytes + std::uint64_t{index.frames} * (24 + index.page_bytes);
}

bool IsBlank(const WalIndexBytes& bytes) {
  return std::all_of(bytes.begin(), bytes.begin() + 2 * kCopyBytes,
                     [](std::uint8_t byte) { return byte == 0; });
}

Measured<WalIndex> DecodeWalIndex(const WalIndexBytes& bytes) {
  const bool copies_equal = std::equal(bytes.begin(), bytes.begin() + kCopyBytes, bytes.begin() + kCopyBytes);
  // isInit: 0 while the wal-index is being made or recovered.
  const bool initialised = bytes[12] == 1;
  if (!copies_equal || !initialised || !HasRightChecksum(bytes)) return Problem::kWalIndexDamaged;
  // After the checksum: a version that is read from damaged bytes would be a wrong reason.
  if (Native32(bytes, 0) != kVersion) return Problem::kWalIndexVersion;

  WalIndex index;
  index.commits = Native32(bytes, 8);
  // 65536 does not fit 16 bits and is written as 1: ((x & 0xfe00) | (x & 1) << 16), as in walIndexTryHdr.
  const std::uint32_t page = Native16(bytes, 14);
  index.page_bytes = (page & 0xFE00U) | ((page & 1U) << 16U);
  index.frames = Native32(bytes, 16);
  index.pages = Native32(bytes, 20);
  std::copy_n(bytes.begin() + 32, index.salts.size(), index.salts.begin());
  // WalCkptInfo.nBackfill, behind the two copies. It has no checksum and no copy, and is one aligned word.
  index.frames_backfilled = Native32(bytes, 96);
  for (std::size_t mark = 0; mark < kReadMarks; ++mark)
    index.read_marks[mark] = Native32(bytes, 100 + mark * sizeof(std::uint32_t));
  // A store that was opened, and only read since, has no page size yet.
  const bool is_unwritten = index.page_bytes == 0 && index.commits == 0 && index.frames == 0;
  if (!is_unwritten && (index.page_bytes < 512 || !std::has_single_bit(index.page_bytes)))
    return Problem::kWalIndexDamaged;
  return index;
}

Measured<WalSalts> DecodeWalSalts(const WalHeaderBytes& bytes) {
  // Magic 0x377f0682, or ...83 where the log's checksums are big-endian.
  if (bytes[0] != 0x37 || bytes[1] != 0x7F || bytes[2] != 0x06 || (bytes[3] | 1U) != 0x83) {
    return Problem::kWalIndexUnrelated;
  }
  WalSalts salts = {};
  std::copy_n(bytes.begin() + 16, salts.size(), salts.begin());
  return salts;
}

}  // namespace outgrown::exporter::sqlite
