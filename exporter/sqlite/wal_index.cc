#include "exporter/sqlite/wal_index.h"

#include <algorithm>
#include <bit>
#include <cstring>

namespace outgrown::exporter::sqlite {
namespace {

constexpr std::uint32_t kVersion = 3007000;
constexpr std::size_t kCopyBytes = 48;
constexpr std::size_t kChecksumOffset = 40;

std::uint32_t Native32(const WalIndexBytes& bytes, std::size_t offset) {
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

Measured<WalIndex> DecodeWalIndex(const WalIndexBytes& bytes) {
  const bool copies_equal = std::equal(bytes.begin(), bytes.begin() + kCopyBytes, bytes.begin() + kCopyBytes);
  const bool initialised = bytes[12] == 1;
  if (!copies_equal || !initialised || !HasRightChecksum(bytes)) return Problem::kWalIndexDamaged;
  if (Native32(bytes, 0) != kVersion) return Problem::kWalIndexVersion;

  WalIndex index;
  index.commits = Native32(bytes, 8);
  // 65536 does not fit 16 bits and stands as 1: ((x & 0xfe00) | (x & 1) << 16), as in walIndexTryHdr.
  const std::uint32_t page = Native16(bytes, 14);
  index.page_bytes = (page & 0xFE00U) | ((page & 1U) << 16U);
  index.frames = Native32(bytes, 16);
  index.pages = Native32(bytes, 20);
  std::copy_n(bytes.begin() + 32, index.salts.size(), index.salts.begin());
  index.frames_backfilled = Native32(bytes, 96);
  if (index.page_bytes < 512 || !std::has_single_bit(index.page_bytes)) return Problem::kWalIndexDamaged;
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
