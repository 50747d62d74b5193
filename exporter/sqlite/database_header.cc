#include "exporter/sqlite/database_header.h"

#include <algorithm>
#include <bit>
#include <string_view>

namespace outgrown::exporter::sqlite {
namespace {

constexpr std::string_view kMagic("SQLite format 3\0", 16);

std::uint32_t BigEndian32(const std::uint8_t* bytes) {
  return std::uint32_t{bytes[0]} << 24U | std::uint32_t{bytes[1]} << 16U | std::uint32_t{bytes[2]} << 8U |
         bytes[3];
}

}  // namespace

Measured<DatabaseHeader> DecodeDatabaseHeader(const DatabaseHeaderBytes& bytes) {
  if (!std::equal(kMagic.begin(), kMagic.end(), bytes.begin(), [](char wanted, std::uint8_t found) {
        return static_cast<std::uint8_t>(wanted) == found;
      })) {
    return Problem::kNotSqlite;
  }
  DatabaseHeader header;
  const std::uint32_t page_bytes = std::uint32_t{bytes[16]} << 8U | bytes[17];
  header.page_bytes = page_bytes == 1 ? 65536 : page_bytes;
  if (header.page_bytes < 512 || !std::has_single_bit(header.page_bytes)) return Problem::kNotSqlite;

  // File format write and read version: 1 is rollback, 2 is WAL; a higher one means a format that isn't known
  // yet.
  const std::uint8_t write_version = bytes[18];
  const std::uint8_t read_version = bytes[19];
  if (write_version != read_version || write_version < 1 || write_version > 2) return Problem::kUnknownFormat;
  header.is_wal = write_version == 2;
  header.change_counter = BigEndian32(&bytes[24]);
  header.version_valid_for = BigEndian32(&bytes[92]);
  return header;
}

}  // namespace outgrown::exporter::sqlite
