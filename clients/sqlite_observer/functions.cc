#include "clients/sqlite_observer/functions.h"

#include <string>

#include "clients/sqlite_observer/connection.h"

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

}  // namespace outgrown::observer
