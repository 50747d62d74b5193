#include "test/clients/sqlite_observer/faulty_vfs.h"

#include <doctest/doctest.h>

namespace outgrown::test {

Faults faults;

namespace {

// A file of its own around the file below.
struct FaultyFile {
  sqlite3_file base;
  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};
sqlite3_file* Below(sqlite3_file* file) { return reinterpret_cast<FaultyFile*>(file)->below(); }
const sqlite3_io_methods& Real(sqlite3_file* file) { return *Below(file)->pMethods; }

// `wanted` if a fault of that kind is asked for, `code` if this call is the one that is to fail, else SQLITE_OK.
int FaultOf(int code, int wanted = SQLITE_OK) {
  if (wanted != SQLITE_OK) return wanted;
  if (faults.calls_until_fault == 0 || --faults.calls_until_fault > 0) return SQLITE_OK;
  if (faults.lasting) faults.calls_until_fault = 1;
  ++faults.injected;
  return code;
}

template <typename Call>
int UnlessFaulty(int fault, Call&& call) {
  return fault != SQLITE_OK ? fault : call();
}

const sqlite3_io_methods kMethods = {
    3,
    [](sqlite3_file* f) { return Real(f).xClose(Below(f)); },
    [](sqlite3_file* f, void* b, int n, sqlite3_int64 o) {
      return UnlessFaulty(FaultOf(SQLITE_IOERR_READ), [&] { return Real(f).xRead(Below(f), b, n, o); });
    },
    [](sqlite3_file* f, const void* b, int n, sqlite3_int64 o) {
      return UnlessFaulty(FaultOf(SQLITE_IOERR_WRITE, faults.write),
                          [&] { return Real(f).xWrite(Below(f), b, n, o); });
    },
    [](sqlite3_file* f, sqlite3_int64 n) {
      return UnlessFaulty(FaultOf(SQLITE_IOERR_TRUNCATE), [&] { return Real(f).xTruncate(Below(f), n); });
    },
    [](sqlite3_file* f, int flags) {
      return UnlessFaulty(FaultOf(SQLITE_IOERR_FSYNC, faults.sync),
                          [&] { return Real(f).xSync(Below(f), flags); });
    },
    [](sqlite3_file* f, sqlite3_int64* n) {
      return UnlessFaulty(FaultOf(SQLITE_IOERR_FSTAT), [&] { return Real(f).xFileSize(Below(f), n); });
    },
    [](sqlite3_file* f, int level) {
      return UnlessFaulty(FaultOf(SQLITE_IOERR_LOCK), [&] { return Real(f).xLock(Below(f), level); });
    },
    [](sqlite3_file* f, int level) { return Real(f).xUnlock(Below(f), level); },
    [](sqlite3_file* f, int* answer) { return Real(f).xCheckReservedLock(Below(f), answer); },
    [](sqlite3_file* f, int op, void* a) { return Real(f).xFileControl(Below(f), op, a); },
    [](sqlite3_file* f) { return Real(f).xSectorSize(Below(f)); },
    [](sqlite3_file* f) { return Real(f).xDeviceCharacteristics(Below(f)); },
    [](sqlite3_file* f, int i, int n, int w, void volatile** p) {
      return UnlessFaulty(FaultOf(SQLITE_IOERR_SHMMAP),
                          [&] { return Real(f).xShmMap(Below(f), i, n, w, p); });
    },
    [](sqlite3_file* f, int o, int n, int flags) {
      const int fault = (flags & SQLITE_SHM_LOCK) != 0 ? FaultOf(SQLITE_IOERR_SHMLOCK) : SQLITE_OK;
      return UnlessFaulty(fault, [&] { return Real(f).xShmLock(Below(f), o, n, flags); });
    },
    [](sqlite3_file* f) { Real(f).xShmBarrier(Below(f)); },
    [](sqlite3_file* f, int d) { return Real(f).xShmUnmap(Below(f), d); },
    [](sqlite3_file* f, sqlite3_int64 o, int n, void** p) { return Real(f).xFetch(Below(f), o, n, p); },
    [](sqlite3_file* f, sqlite3_int64 o, void* p) { return Real(f).xUnfetch(Below(f), o, p); },
};

sqlite3_io_methods methods = kMethods;

sqlite3_vfs* RealVfs() {
  static sqlite3_vfs* real = sqlite3_vfs_find("unix");
  return real;
}

int Open(sqlite3_vfs* /*vfs*/, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  file->pMethods = nullptr;
  const int result = UnlessFaulty(FaultOf(SQLITE_CANTOPEN), [&] {
    return RealVfs()->xOpen(RealVfs(), name, Below(file), flags, out_flags);
  });
  if (result == SQLITE_OK) file->pMethods = &methods;
  return result;
}

}  // namespace

void RegisterFaultyVfs(bool as_default, int methods_version) {
  static sqlite3_vfs vfs = [] {
    sqlite3_vfs copy = *RealVfs();
    copy.zName = "faulty";
    copy.pNext = nullptr;
    copy.szOsFile = static_cast<int>(sizeof(FaultyFile)) + RealVfs()->szOsFile;
    copy.xOpen = &Open;
    return copy;
  }();
  methods = kMethods;
  methods.iVersion = methods_version;
  if (methods_version == 1) {  // such a table ends before these
    methods.xShmMap = nullptr;
    methods.xShmLock = nullptr;
    methods.xShmBarrier = nullptr;
    methods.xShmUnmap = nullptr;
    methods.xFetch = nullptr;
    methods.xUnfetch = nullptr;
  }
  REQUIRE(sqlite3_vfs_register(&vfs, as_default ? 1 : 0) == SQLITE_OK);
}

void UnregisterFaultyVfs() {
  faults = {};
  sqlite3_vfs_register(RealVfs(), 1);
}

}  // namespace outgrown::test
