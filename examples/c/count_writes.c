/* Counts each write to a SQLite store, from C.
 *
 *   cc -std=c11 count_writes.c $(pkg-config --cflags --libs outgrown sqlite3) -o count_writes
 *   OUTGROWN_DIR=/run/user/1000 ./count_writes /tmp/state.db
 *
 * It writes 100 checkpoints, then one that meets a lock and one that breaks a constraint: in the exporter's words 100
 * successes, one error for the reason busy, and one rejected.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <outgrown/outgrown.h>

static void Execute(sqlite3* database, const char* sql) {
  if (sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK) return;
  fprintf(stderr, "%s: %s\n", sql, sqlite3_errmsg(database));
  exit(1);
}

/* One write: one transaction, begun before SQLite is asked and ended with what SQLite said, lock wait included. */
static outgrown_outcome WriteCheckpoint(sqlite3* database, outgrown_store* store, int id,
                                        const char* payload) {
  sqlite3_stmt* insert = NULL;
  const size_t size = strlen(payload);
  const outgrown_start start = outgrown_begin(store);
  sqlite3_prepare_v2(database, "INSERT INTO checkpoints (id, payload) VALUES (?, ?)", -1, &insert, NULL);
  sqlite3_bind_int(insert, 1, id);
  sqlite3_bind_text(insert, 2, payload, (int)size, SQLITE_STATIC);
  sqlite3_step(insert);
  sqlite3_finalize(insert);
  const outgrown_outcome outcome = outgrown_outcome_of_sqlite(sqlite3_extended_errcode(database));
  outgrown_end(store, start, outcome, outcome == OUTGROWN_OK ? size : 0);
  return outcome;
}

static int Expect(const char* what, outgrown_outcome found, outgrown_outcome expected) {
  if (found == expected) return 0;
  fprintf(stderr, "%s: outcome %d, expected %d\n", what, (int)found, (int)expected);
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: count_writes DATABASE\n");
    return 2;
  }
  const outgrown_options options = {.size = sizeof options, .application = "example", .database = argv[1]};
  outgrown_store* store = outgrown_open("checkpoints", &options);
  /* The application runs on if counting is off; that it is off is worth a line. */
  if (outgrown_error(store) != NULL) fprintf(stderr, "not counted: %s\n", outgrown_error(store));

  sqlite3* database = NULL;
  sqlite3* other = NULL;
  if (sqlite3_open(argv[1], &database) != SQLITE_OK || sqlite3_open(argv[1], &other) != SQLITE_OK) return 1;
  Execute(database, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 20");
  Execute(database, "CREATE TABLE IF NOT EXISTS checkpoints (id INTEGER PRIMARY KEY, payload TEXT)");
  Execute(database, "DELETE FROM checkpoints");

  int failures = 0;
  for (int id = 0; id < 100; ++id) {
    failures +=
        Expect("a checkpoint", WriteCheckpoint(database, store, id, "a small checkpoint"), OUTGROWN_OK);
  }
  Execute(other, "BEGIN IMMEDIATE");
  failures += Expect("under a lock", WriteCheckpoint(database, store, 100, "never written"), OUTGROWN_BUSY);
  Execute(other, "ROLLBACK");
  failures += Expect("the same id again", WriteCheckpoint(database, store, 7, "twice"), OUTGROWN_CONSTRAINT);

  sqlite3_close(other);
  sqlite3_close(database);
  outgrown_close(store);
  return failures == 0 ? 0 : 1;
}
