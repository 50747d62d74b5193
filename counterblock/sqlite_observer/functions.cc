#include "counterblock/sqlite_observer/functions.h"

#include <string>

#include "counterblock/sqlite_observer/connection.h"

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

void IgnoreFunction(sqlite3_context* context, int /*count*/, sqlite3_value** /*values*/) {
  Of(context).Ignore();
  sqlite3_result_int(context, 1);
}

void ObserveFunction(sqlite3_context* context, int count, sqlite3_value** values) {
  try {
    std::string store;
    if (count == 1) {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(values[0]));
      if (text == nullptr || *text == '\0') {
        sqlite3_result_error(context, "outgrown_observe: expected a store's name", -1);
        return;
      }
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
