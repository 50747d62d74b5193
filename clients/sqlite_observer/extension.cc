// The extension's entry points and its SQL functions.
#include <dlfcn.h>
#include <stdlib.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

#include "clients/sqlite_observer/connection.h"
#include "clients/sqlite_observer/result_probe.h"
#include "clients/sqlite_observer/sqlite_api.h"
#include "clients/sqlite_observer/trace_slot.h"

SQLITE_EXTENSION_INIT1

namespace outgrown::observer {
namespace {

Connection& Of(sqlite3_context* context) { return *static_cast<Connection*>(sqlite3_user_data(context)); }

void Answer(sqlite3_context* context, const std::string& text) {
  // SQLITE_TRANSIENT: SQLite copies the text before this returns.
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
  // Null for SQL's NULL, and without memory.
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

std::string TextOf(sqlite3_value* value) {
  const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return text == nullptr ? std::string() : std::string(text);
}

void ObserveFunction(sqlite3_context* context, int count, sqlite3_value** values) {
  try {
    std::string store;
    BlockPlace place;
    if (count == 1) {
      const char* const text = OneText(context, values, "outgrown_observe: expected a store's name");
      if (text == nullptr) return;
      store = text;
    } else if (count == 3) {
      store = TextOf(values[0]);
      place = {TextOf(values[1]), TextOf(values[2])};
    }
    const std::string problem = Of(context).Observe(store, place);
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
    {"outgrown_ignore", 0, &IgnoreFunction},   {"outgrown_ignore", 1, &IgnoreFunction},
    {"outgrown_observe", 0, &ObserveFunction}, {"outgrown_observe", 1, &ObserveFunction},
    {"outgrown_observe", 3, &ObserveFunction},
};

}  // namespace

bool RegisterFunctions(sqlite3* db, Connection* connection, void (*destroy)(void*)) {
  // DIRECTONLY: a schema that somebody else has made (a view, a trigger, a CHECK) can't switch the counting
  // off.
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
  // Under call_once, so that two threads that open their first connections don't both set up; the second
  // waits for the probe.
  std::call_once(once, [api] {
    // The macros of sqlite3ext.h go through this table, so it is set once and never changed: a second copy of
    // SQLite would call functions of the first with its own structures.
    sqlite3_api = api;
    if (sqlite3_libversion_number() < kVersionMin) return;
    // For who won't have SQLite's objects looked into.
    const char* const wanted = ::secure_getenv("OUTGROWN_RESULT_PROBE");
    if (wanted == nullptr || std::string_view(wanted) != "off") {
      setting_up = true;
      TheResultProbe().Learn();
      TheTraceSlot().Learn();
      setting_up = false;
    }
    usable = true;
  });
  return usable && api == sqlite3_api;
}

// The table of the copy of SQLite that can't be observed: too old, or a second one in the process. The one
// that has come first; whatever is called for its connections is called through this and never through
// sqlite3_api.
std::atomic<const sqlite3_api_routines*> unobserved_api = nullptr;

void UnobservedStatus(sqlite3_context* context, int /*count*/, sqlite3_value** /*values*/) {
  const sqlite3_api_routines* const api = unobserved_api;
  const char* const why = api->libversion_number() < kVersionMin
                              ? "not counting: SQLite 3.34 or later is needed"
                              : "not counting: another copy of SQLite in this process is observed already";
  api->result_text(context, why, -1, SQLITE_STATIC);
}

// The connections that are refused now.
std::unordered_set<sqlite3*>& RefusedConnections() {
  static auto* connections = new std::unordered_set<sqlite3*>;  // connections may outlive static destructors
  return *connections;
}

struct RefusedConnection {
  sqlite3* db;
  std::shared_ptr<Sink> sink;  // of the block that says so; null if there is none
};

void UnobservedClosed(void* refused) {
  const std::unique_ptr<RefusedConnection> self(static_cast<RefusedConnection*>(refused));
  {
    const std::lock_guard lock(LibraryLock());
    RefusedConnections().erase(self->db);
  }
  if (self->sink != nullptr) self->sink->RefusalEnded(block::Refusal::kOtherSqlite);
}

// Says on the connection, and in the block that it would count into, that it is not counted. Does nothing if that was done
// before.
void Refuse(sqlite3* db, const sqlite3_api_routines* api) noexcept {
  const sqlite3_api_routines* first = nullptr;
  if (!unobserved_api.compare_exchange_strong(first, api) && first != api) return;
  try {
    const char* const path = api->db_filename(db, "main");
    const char* const rules = ::secure_getenv("OUTGROWN_STORE");
    const std::optional<Choice> choice = path == nullptr || *path == '\0'
                                             ? std::nullopt
                                             : ChooseStore(path, "", rules == nullptr ? "" : rules);
    auto refused = std::make_unique<RefusedConnection>(RefusedConnection{db, nullptr});
    {
      const std::lock_guard lock(LibraryLock());
      if (!RefusedConnections().insert(db).second) return;
    }
    if (choice) refused->sink = OpenStore(*choice, path).sink;
    if (refused->sink != nullptr) refused->sink->Refused(block::Refusal::kOtherSqlite);
    // If that fails it calls UnobservedClosed.
    api->create_function_v2(db, "outgrown_status", 0, SQLITE_UTF8 | SQLITE_DIRECTONLY, refused.release(),
                            &UnobservedStatus, nullptr, nullptr, &UnobservedClosed);
  } catch (...) {  // no memory: it goes unsaid
  }
}

void Come(sqlite3* db, const sqlite3_api_routines* api, bool is_new) {
  if (SetUp(api)) {
    Connection::Attach(db, is_new);
  } else {
    Refuse(db, api);
  }
}

// Called by SQLite for every connection that is opened. An error would make that fail, so there is none.
int OnOpen(sqlite3* db, char** /*message*/, const sqlite3_api_routines* api) {
  if (!setting_up) Come(db, api, true);
  return SQLITE_OK;
}

}  // namespace
}  // namespace outgrown::observer

using outgrown::observer::Connection;

extern "C" {

// What load_extension calls, for the file name outgrown_sqlite.so. It never fails an application: where this
// copy of SQLite can't be observed, outgrown_status() says so.
__attribute__((visibility("default"))) int sqlite3_outgrownsqlite_init(sqlite3* db, char** /*message*/,
                                                                       const sqlite3_api_routines* api) {
  // SQLite keeps each entry point once, so loading the extension again adds none. Also where connections can't be observed,
  // so that each says so: the one that loads may have no database.
  api->auto_extension(reinterpret_cast<void (*)()>(&outgrown::observer::OnOpen));
  outgrown::observer::Come(db, api, false);
  return SQLITE_OK_LOAD_PERMANENTLY;
}

// The same for this connection alone, and nothing is counted before outgrown_observe() says as which store.
__attribute__((visibility("default"))) int outgrown_sqlite_register(sqlite3* db, char** /*message*/,
                                                                    const sqlite3_api_routines* api) {
  if (outgrown::observer::SetUp(api)) {
    Connection::Register(db);
  } else {
    outgrown::observer::Refuse(db, api);
  }
  return SQLITE_OK_LOAD_PERMANENTLY;
}

// For programs that cannot call load_extension but can load a library, such as Python's ctypes: every
// connection that is opened from now on through the process's libsqlite3.so.0 is observed. 0, or 1 if there
// is no such library in the process (a statically linked SQLite).
__attribute__((visibility("default"))) int outgrown_sqlite_load(void) {
  // RTLD_NOLOAD: only a library that the process has loaded already, never a second SQLite.
  void* const library = ::dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_NOLOAD);
  if (library == nullptr) return 1;
  // Stays open, as the library calls us from now on.
  const auto auto_extension =
      reinterpret_cast<int (*)(void (*)())>(::dlsym(library, "sqlite3_auto_extension"));
  if (auto_extension == nullptr) return 1;
  return auto_extension(reinterpret_cast<void (*)()>(&outgrown::observer::OnOpen)) == SQLITE_OK ? 0 : 1;
}

// From now on nothing that this connection does is counted: somebody else does. 0, or 1 if it is not
// observed.
__attribute__((visibility("default"))) int outgrown_observer_ignore(sqlite3* db) {
  Connection* const connection = Connection::Find(db);
  if (connection == nullptr) return 1;
  connection->Ignore();
  return 0;
}
}
