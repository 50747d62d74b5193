// A VFS's table of file methods: copies of it, and putting another in its place.
#pragma once

#include <algorithm>
#include <atomic>

#include "clients/sqlite_observer/sqlite_api.h"

namespace outgrown::observer {

// A table of an older version is shorter, so it is copied member by member; one of a newer version than 3 is
// offered as version 3, whose methods it has.
inline sqlite3_io_methods CopyOf(const sqlite3_io_methods& real) {
  sqlite3_io_methods copy = {};
  copy.iVersion = std::min(real.iVersion, 3);
  copy.xClose = real.xClose;
  copy.xRead = real.xRead;
  copy.xWrite = real.xWrite;
  copy.xTruncate = real.xTruncate;
  copy.xSync = real.xSync;
  copy.xFileSize = real.xFileSize;
  copy.xLock = real.xLock;
  copy.xUnlock = real.xUnlock;
  copy.xCheckReservedLock = real.xCheckReservedLock;
  copy.xFileControl = real.xFileControl;
  copy.xSectorSize = real.xSectorSize;
  copy.xDeviceCharacteristics = real.xDeviceCharacteristics;
  if (copy.iVersion < 2) return copy;
  copy.xShmMap = real.xShmMap;
  copy.xShmLock = real.xShmLock;
  copy.xShmBarrier = real.xShmBarrier;
  copy.xShmUnmap = real.xShmUnmap;
  if (copy.iVersion < 3) return copy;
  copy.xFetch = real.xFetch;
  copy.xUnfetch = real.xUnfetch;
  return copy;
}

// The table of an open file. A shared cache's may be replaced by a thread with another connection to it, while
// SQLite, which knows nothing of that, calls through it: old and new are both good then.
inline const sqlite3_io_methods* MethodsOf(sqlite3_file* file) noexcept {
  return std::atomic_ref(file->pMethods).load(std::memory_order_acquire);
}

// False if the file's table isn't `expected` any more; nothing is changed then.
inline bool ReplaceMethods(sqlite3_file* file, const sqlite3_io_methods* expected,
                           const sqlite3_io_methods* replacement) noexcept {
  return std::atomic_ref(file->pMethods)
      .compare_exchange_strong(expected, replacement, std::memory_order_acq_rel);
}

}  // namespace outgrown::observer
