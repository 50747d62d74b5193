// What SQLite writes to a write-ahead log, seen as a database's file is (file_shim.h): a commit that changed something is a
// frame that carries the commit mark.
//
// A frame is a header of 24 bytes, written by itself, and a page; bytes 4 to 7 of the header are the size of the
// database after the commit, in pages, for a commit's last frame, and 0 for every other.
// Source: https://sqlite.org/fileformat2.html#the_write_ahead_log
#pragma once

#include <cstdint>

#include "clients/sqlite_observer/file_methods.h"
#include "clients/sqlite_observer/sqlite_api.h"

namespace outgrown::observer {

class ObservedWal;

// What a database's shim and its log's know of the database's writes.
struct FileWrites {
  ObservedWal* wal = nullptr;  // the log's shim, while that is open
  // Of the commit that is on its way:
  std::uint64_t page_bytes = 0;  // it has written
  std::uint64_t released_ns =
      0;                 // when it gave the lock back, as it does before it shows in WAL mode; else 0
  bool changed = false;  // it has changed something

  void Changed() {
    changed = true;
    released_ns = 0;
  }
  void ForgetCommit() {
    changed = false;
    page_bytes = released_ns = 0;
  }
};

// Deleted by SQLite's xClose, which comes before the database file's.
class ObservedWal : private sqlite3_io_methods {
 public:
  // Null if there is no memory.
  static ObservedWal* Observe(sqlite3_file* file, FileWrites& writes) noexcept;

  static bool Observes(const sqlite3_file* file);
  // The file begins as a WAL does (a rollback journal has another magic number).
  static bool IsWal(sqlite3_file* file) noexcept;

  // The database's file goes first after all.
  void Forget() { writes_ = nullptr; }

 private:
  ObservedWal(sqlite3_file* file, FileWrites& writes);
  static ObservedWal* From(sqlite3_file* file) {
    return static_cast<ObservedWal*>(const_cast<sqlite3_io_methods*>(file->pMethods));
  }
  [[gnu::hot]] static int Write(sqlite3_file* file, const void* bytes, int size_bytes,
                                sqlite3_int64 offset) noexcept;
  static int Close(sqlite3_file* file) noexcept;

  const sqlite3_io_methods* real_;
  FileWrites* writes_;  // null once the database's file is closed
};

}  // namespace outgrown::observer
