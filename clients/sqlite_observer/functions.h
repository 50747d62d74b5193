// The extension's SQL functions, on every attached connection and not usable from inside a schema:
//
//   outgrown_status()      what is counted on this connection, or why it isn't; one line for people
//   outgrown_ignore()      this connection is counted by somebody else, or by nobody: returns 1
//   outgrown_observe()     takes that back, and takes the trace slot again if somebody had it; returns the status
//   outgrown_observe(NAME) counts the main database into the store NAME, whatever OUTGROWN_STORE says
#pragma once

#include "clients/sqlite_observer/sqlite_api.h"

namespace outgrown::observer {

class Connection;

// `destroy` is called with `connection` when the connection is closed, or at once if this returns false.
bool RegisterFunctions(sqlite3* db, Connection* connection, void (*destroy)(void*));

}  // namespace outgrown::observer
