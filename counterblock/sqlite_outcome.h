// Which outcome a SQLite result code stands for, without SQLite.
#pragma once

#include "counterblock/layout.h"

namespace outgrown::block {

// Extended or primary codes, as sqlite3_extended_errcode() and sqlite3_errcode() give them. OK, ROW and DONE
// are kOk. LOCKED (a shared cache's table lock) is contention as BUSY is. CANTOPEN is I/O; NOTADB is corrupt.
// Source of the numbers, which are part of SQLite's stable interface: https://sqlite.org/rescode.html
Outcome OutcomeOfSqlite(int result_code);

}  // namespace outgrown::block
