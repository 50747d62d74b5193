// What SQLite writes to a write-ahead log, seen as a database's file is (file_shim.h): a commit that changed something is a
// frame that carries the commit mark.
//
// A frame is a header of 24 bytes, written by itself, and a page; bytes 4 to 7 of the header are the size of the
// database after the commit, in pages, for a commit's last frame, and 0 for every other.
// Source: https://sqlite.org/fileformat2.html#the_write_ahead_log
#pragma once

#include "clients/sqlite_observer/file_methods.h"
#include "clients/sqlite_observer/sqlite_api.h"

namespace outgrown::observer {

// Who is told what is written to a log.
class WalUser {
 public:
  virtual void PagesWritten(int size_bytes) noexcept = 0;
  // A commit that changed something.
  virtual void Changed() noexcept = 0;
  virtual void WalClosed() noexcept = 0;

 protected:
  ~WalUser() = default;
};

// Deleted by SQLite's xClose, which comes before the database file's.
class ObservedWal : private sqlite3_io_methods {
 public:
  // Null if there is no memory.
  static ObservedWal* Observe(sqlite3_file* file, WalUser& database) noexcept;

  static bool Observes(const sqlite3_file* file);
  // The file begins as a WAL does (a rollback journal has another magic number).
  static bool IsWal(sqlite3_file* file) noexcept;

  // The database's file goes first after all.
  void Forget() { database_ = nullptr; }

 private:
  ObservedWal(sqlite3_file* file, WalUser& database);
  static ObservedWal* From(sqlite3_file* file) {
    return static_cast<ObservedWal*>(const_cast<sqlite3_io_methods*>(file->pMethods));
  }
  static int Write(sqlite3_file* file, const void* bytes, int size_bytes, sqlite3_int64 offset) noexcept;
  static int Close(sqlite3_file* file) noexcept;

  const sqlite3_io_methods* real_;
  WalUser* database_;
};

}  // namespace outgrown::observer
