// The first 100 bytes of a SQLite database file, decoded. Source:
// https://www.sqlite.org/fileformat2.html#the_database_header
#pragma once

#include <array>
#include <cstdint>

#include "exporter/sqlite/problem.h"

namespace outgrown::exporter::sqlite {

inline constexpr std::size_t kDatabaseHeaderBytes = 100;
using DatabaseHeaderBytes = std::array<std::uint8_t, kDatabaseHeaderBytes>;

struct DatabaseHeader {
  std::uint32_t page_bytes = 0;         // 512 to 65536, a power of two
  bool is_wal = false;                  // journal mode WAL, else one of the rollback modes
  std::uint32_t change_counter = 0;     // in a rollback mode one more with each committed write transaction
  std::uint32_t version_valid_for = 0;  // the change counter's value when a SQLite >= 3.7.0 wrote it

  friend bool operator==(const DatabaseHeader&, const DatabaseHeader&) = default;
};

// kNotSqlite or kUnknownFormat if it is not one.
Measured<DatabaseHeader> DecodeDatabaseHeader(const DatabaseHeaderBytes& bytes);

}  // namespace outgrown::exporter::sqlite
