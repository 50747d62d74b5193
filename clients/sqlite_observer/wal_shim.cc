#include "clients/sqlite_observer/wal_shim.h"

#include <cstdint>
#include <new>

#include "clients/sqlite_observer/file_shim.h"
#include "clients/sqlite_observer/io_methods.h"

namespace outgrown::observer {
namespace {

constexpr int kFrameHeaderBytes = 24;
constexpr sqlite3_int64 kWalHeaderBytes = 32;

std::uint32_t BigEndian32(const unsigned char* bytes) {
  return (std::uint32_t{bytes[0]} << 24U) | (std::uint32_t{bytes[1]} << 16U) |
         (std::uint32_t{bytes[2]} << 8U) | bytes[3];
}

}  // namespace

ObservedWal::ObservedWal(sqlite3_file* file, ObservedFile& database)
    : sqlite3_io_methods(CopyOf(*file->pMethods)), real_(file->pMethods), database_(&database) {
  xWrite = &ObservedWal::Write;
  xClose = &ObservedWal::Close;
}

ObservedWal* ObservedWal::Observe(sqlite3_file* file, ObservedFile& database) noexcept {
  auto* observed = new (std::nothrow) ObservedWal(file, database);
  if (observed != nullptr) file->pMethods = observed;
  return observed;
}

bool ObservedWal::Observes(const sqlite3_file* file) { return file->pMethods->xClose == &ObservedWal::Close; }

bool ObservedWal::IsWal(sqlite3_file* file) noexcept {
  unsigned char magic[4] = {};
  if (file->pMethods->xRead(file, magic, sizeof magic, 0) != SQLITE_OK) return false;
  return (BigEndian32(magic) & ~1U) == 0x377f0682U;
}

int ObservedWal::Write(sqlite3_file* file, const void* bytes, int size_bytes, sqlite3_int64 offset) noexcept {
  ObservedWal& wal = *From(file);
  const int result = wal.real_->xWrite(file, bytes, size_bytes, offset);
  if (result == SQLITE_OK && size_bytes == kFrameHeaderBytes && offset >= kWalHeaderBytes &&
      wal.database_ != nullptr && BigEndian32(static_cast<const unsigned char*>(bytes) + 4) != 0) {
    wal.database_->changed_ = true;
  }
  return result;
}

int ObservedWal::Close(sqlite3_file* file) noexcept {
  ObservedWal* wal = From(file);
  file->pMethods = wal->real_;
  if (wal->database_ != nullptr) wal->database_->wal_ = nullptr;
  delete wal;
  return file->pMethods->xClose(file);
}

}  // namespace outgrown::observer
