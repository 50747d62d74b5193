// An application that has SQLite linked into it statically: it opens a database, loads the extension, and writes on that
// connection and on a second one. Usage: static_client EXTENSION DATABASE
#include <sqlite3.h>

#include <cstdio>

namespace {

bool Run(sqlite3* db, const char* sql) {
  return sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  sqlite3* db = nullptr;
  if (sqlite3_open(argv[2], &db) != SQLITE_OK) return 1;
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 1, nullptr);
  char* message = nullptr;
  if (sqlite3_load_extension(db, argv[1], nullptr, &message) != SQLITE_OK) {
    std::fprintf(stderr, "%s\n", message);
    return 1;
  }
  sqlite3* second = nullptr;
  const bool written = Run(db, "CREATE TABLE t(id INTEGER PRIMARY KEY)") &&
                       Run(db, "INSERT INTO t VALUES(1)") && sqlite3_open(argv[2], &second) == SQLITE_OK &&
                       Run(second, "INSERT INTO t VALUES(2)") && !Run(second, "INSERT INTO t VALUES(2)");
  sqlite3_close(second);
  sqlite3_close(db);
  return written ? 0 : 1;
}
