// Copies of a VFS's table of file methods.
#pragma once

#include <algorithm>

#include "counterblock/sqlite_observer/sqlite_api.h"

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

}  // namespace outgrown::observer
