// A VFS of its own, a layer above "unix" as quota and checksum VFSes are, which makes files fail on demand.
#pragma once

#include <sqlite3.h>

namespace outgrown::test {

// What the next calls on any of its files answer instead of doing it.
struct Faults {
  int write = SQLITE_OK;
  int sync = SQLITE_OK;
  // Which call fails that can: 1 is the next, 0 none. Opening, reading, writing, truncating, syncing, asking for the
  // size, locking and mapping count; each fails with its own kind of SQLITE_IOERR, opening with SQLITE_CANTOPEN.
  int calls_until_fault = 0;
  bool lasting = false;  // and so do all after it
  int injected = 0;      // how often that has happened
};
extern Faults faults;

// Its methods' version: 1 knows no shared memory, 3 all.
void RegisterFaultyVfs(bool as_default, int methods_version = 3);
// "unix" is the default again.
void UnregisterFaultyVfs();

}  // namespace outgrown::test
