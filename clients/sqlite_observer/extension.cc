// The extension's entry points.
#include <dlfcn.h>

#include <mutex>

#include "clients/sqlite_observer/connection.h"
#include "clients/sqlite_observer/result_probe.h"
#include "clients/sqlite_observer/sqlite_api.h"

SQLITE_EXTENSION_INIT1

namespace outgrown::observer {
namespace {

constexpr int kVersionMin = 3034000;  // sqlite3_txn_state

// The probe opens a connection, for which SQLite calls every automatic extension.
thread_local bool setting_up = false;

// Once for the process. False if it cannot be used with this library.
bool SetUp(const sqlite3_api_routines* api) {
  static std::once_flag once;
  static bool usable = false;
  std::call_once(once, [api] {
    sqlite3_api = api;
    if (sqlite3_libversion_number() < kVersionMin) return;
    setting_up = true;
    TheResultProbe().Learn();
    setting_up = false;
    usable = true;
  });
  return usable && api == sqlite3_api;
}

// Called by SQLite for every connection that is opened. An error would make that fail, so there is none.
int OnOpen(sqlite3* db, char** /*message*/, const sqlite3_api_routines* api) {
  if (!setting_up && SetUp(api)) Connection::Attach(db);
  return SQLITE_OK;
}

}  // namespace
}  // namespace outgrown::observer

using outgrown::observer::Connection;

extern "C" {

// What load_extension calls, for the file name outgrown_sqlite.so.
__attribute__((visibility("default"))) int sqlite3_outgrownsqlite_init(sqlite3* db, char** message,
                                                                       const sqlite3_api_routines* api) {
  if (!outgrown::observer::SetUp(api)) {
    *message = api->mprintf(api->libversion_number() < outgrown::observer::kVersionMin
                                ? "outgrown: SQLite 3.34 or later is needed"
                                : "outgrown: loaded for another copy of SQLite in this process already");
    return SQLITE_ERROR;
  }
  sqlite3_auto_extension(reinterpret_cast<void (*)()>(&outgrown::observer::OnOpen));
  Connection::Attach(db);
  return SQLITE_OK_LOAD_PERMANENTLY;
}

// For programs that cannot call load_extension but can load a library, such as Python's ctypes: every connection
// that is opened from now on through the process's libsqlite3.so.0 is observed. 0, or 1 if there is no such
// library in the process (a statically linked SQLite).
__attribute__((visibility("default"))) int outgrown_sqlite_load(void) {
  void* const library = ::dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return 1;
  // Stays open, as the library calls us from now on.
  const auto auto_extension =
      reinterpret_cast<int (*)(void (*)())>(::dlsym(library, "sqlite3_auto_extension"));
  if (auto_extension == nullptr) return 1;
  return auto_extension(reinterpret_cast<void (*)()>(&outgrown::observer::OnOpen)) == SQLITE_OK ? 0 : 1;
}

// From now on nothing that this connection does is counted: somebody else does. 0, or 1 if it is not observed.
__attribute__((visibility("default"))) int outgrown_observer_ignore(sqlite3* db) {
  Connection* const connection = Connection::Find(db);
  if (connection == nullptr) return 1;
  connection->Ignore();
  return 0;
}
}
