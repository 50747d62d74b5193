// The extension's entry points and its SQL functions.
#include <dlfcn.h>

#include <mutex>
#include <string>

#include "clients/sqlite_observer/connection.h"
#include "clients/sqlite_observer/result_probe.h"
#include "clients/sqlite_observer/sqlite_api.h"

SQLITE_EXTENSION_INIT1

namespace outgrown::observer {
namespace {

Connection& Of(sqlite3_context* context) { return *static_cast<Connection*>(sqlite3_user_data(context)); }

void Answer(sqlite3_context* context, const std::string& text) {
  sqlite3_result_text(context, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
}

void StatusFunction(sqlite3_context* context, int /*count*/, sqlite3_value** /*values*/) {
  try {
    Answer(context, Of(context).Status());
  } catch (...) {
    sqlite3_result_error_nomem(context);
  }
}

// The text of the one argument; null, with an error answered, if there is none in it.
const char* OneText(sqlite3_context* context, sqlite3_value** values, const char* error) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
  if (text != nullptr && *text != '\0') return text;
  sqlite3_result_error(context, error, -1);
  return nullptr;
}

void IgnoreFunction(sqlite3_context* context, int count, sqlite3_value** values) {
  if (count == 0) {
    Of(context).Ignore();
  } else {
    const char* const schema =
        OneText(context, values, "outgrown_ignore: expected a database's name, as ATTACH has it");
    if (schema == nullptr) return;
    try {
      Of(context).Ignore(schema);
    } catch (...) {
      sqlite3_result_error_nomem(context);
      return;
    }
  }
  sqlite3_result_int(context, 1);
}

void ObserveFunction(sqlite3_context* context, int count, sqlite3_value** values) {
  try {
    std::string store;
    if (count == 1) {
      const char* const text = OneText(context, values, "outgrown_observe: expected a store's name");
      if (text == nullptr) return;
      store = text;
    }
    const std::string problem = Of(context).Observe(store);
    if (problem.empty()) {
      Answer(context, Of(context).Status());
    } else {
      sqlite3_result_error(context, ("outgrown_observe: " + problem).c_str(), -1);
    }
  } catch (...) {
    sqlite3_result_error_nomem(context);
  }
}

struct Function {
  const char* name;
  int arguments;
  void (*call)(sqlite3_context*, int, sqlite3_value**);
};
constexpr Function kFunctions[] = {
    {"outgrown_ignore", 0, &IgnoreFunction},
    {"outgrown_ignore", 1, &IgnoreFunction},
    {"outgrown_observe", 0, &ObserveFunction},
    {"outgrown_observe", 1, &ObserveFunction},
};

}  // namespace

bool RegisterFunctions(sqlite3* db, Connection* connection, void (*destroy)(void*)) {
  constexpr int kFlags = SQLITE_UTF8 | SQLITE_DIRECTONLY;
  // A failure calls `destroy`, so the one function that carries it comes first.
  if (sqlite3_create_function_v2(db, "outgrown_status", 0, kFlags, connection, &StatusFunction, nullptr,
                                 nullptr, destroy) != SQLITE_OK) {
    return false;
  }
  for (const Function& function : kFunctions) {
    sqlite3_create_function_v2(db, function.name, function.arguments, kFlags, connection, function.call,
                               nullptr, nullptr, nullptr);
  }
  return true;
}

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
