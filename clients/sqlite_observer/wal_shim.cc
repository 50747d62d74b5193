#include "clients/sqlite_observer/wal_shim.h"

#include <cstdint>
#include <new>

namespace outgrown::observer {

namespace {

constexpr int kFrameHeaderBytes = 24;
// https://sqlite.org/fileformat2.html#the_write_ahead_log. Numbers in the log are big-endian, unlike the
// wal-index.
constexpr sqlite3_int64 kWalHeaderBytes = 32;

std::uint32_t BigEndian32(const unsigned char* bytes) {
  return (std::uint32_t{bytes[0]} << 24U) | (std::uint32_t{bytes[1]} << 16U) |
         (std::uint32_t{bytes[2]} << 8U) | bytes[3];
}

}  // namespace

ObservedWal::ObservedWal(sqlite3_file* file, FileWrites& writes)
    : sqlite3_io_methods(CopyOf(*file->pMethods)), real_(file->pMethods), writes_(&writes) {
  // The object is the table of methods, its own members behind it: so one pointer, SQLite's pMethods, leads
  // from a file to both.
  xWrite = &ObservedWal::Write;
  xClose = &ObservedWal::Close;
}

ObservedWal* ObservedWal::Observe(sqlite3_file* file, FileWrites& writes) noexcept {
  auto* observed = new (std::nothrow) ObservedWal(file, writes);
  if (observed != nullptr) file->pMethods = observed;
  return observed;
}

bool ObservedWal::Observes(const sqlite3_file* file) { return file->pMethods->xClose == &ObservedWal::Close; }

bool ObservedWal::IsWal(sqlite3_file* file) noexcept {
  unsigned char magic[4] = {};
  if (file->pMethods->xRead(file, magic, sizeof magic, 0) != SQLITE_OK) return false;
  // 0x377f0682 or 0x377f0683, by the byte order of the checksums.
  return (BigEndian32(magic) & ~1U) == 0x377f0682U;
}

int ObservedWal::Write(sqlite3_file* file, const void* bytes, int size_bytes, sqlite3_int64 offset) noexcept {
  ObservedWal& wal = *From(file);
  const int result = wal.real_->xWrite(file, bytes, size_bytes, offset);
  // Only what was written: a failed write of the commit frame commits nothing. A frame's header is a write of
  // its own (wal.c, walWriteOneFrame).
  if (result != SQLITE_OK || offset < kWalHeaderBytes || wal.writes_ == nullptr) return result;
  if (size_bytes != kFrameHeaderBytes) {
    wal.writes_->page_bytes += static_cast<std::uint64_t>(size_bytes);
  } else if (BigEndian32(static_cast<const unsigned char*>(bytes) + 4) != 0) {
    wal.writes_->Changed();
  }
  return result;
}

int ObservedWal::Close(sqlite3_file* file) noexcept {
  ObservedWal* wal = From(file);
  // Put back first: the VFS's xClose may look at the table, and the object is gone then.
  file->pMethods = wal->real_;
  if (wal->writes_ != nullptr) wal->writes_->wal = nullptr;
  delete wal;
  return file->pMethods->xClose(file);
}

}  // namespace outgrown::observer
