/* Outgrown's C API: an application counts its writes to a SQLite store in shared memory, for the exporter.
 *
 *   outgrown_options options = {.size = sizeof options, .database = "/srv/agent/state.db"};
 *   outgrown_store *store = outgrown_open("checkpoints", &options);
 *   ...
 *   outgrown_start start = outgrown_begin(store);          the write shows as in flight
 *   ... BEGIN IMMEDIATE ... COMMIT ...
 *   outgrown_end(store, start, outgrown_outcome_of_sqlite(sqlite3_extended_errcode(db)), payload_bytes);
 *   ...
 *   outgrown_close(store);
 *
 * One write is one outermost write transaction, successful or not. A record takes about 3 ns without clocks.
 *
 * Nothing here can hurt the application: no call throws, aborts, raises a signal, waits for another process,
 * prints (unless OUTGROWN_LOG=stderr asks for it) or changes errno. When counting is not possible it is off,
 * and every call is harmless; outgrown_error() says why. A NULL store is off as well.
 *
 * Threads: every function may be called from any thread at any time, except that nothing may use a store
 * during or after its outgrown_close(). One store is enough for all threads of a process. fork(), exec() and
 * SIGKILL need no care: a child may keep using the store. Signal handlers: outgrown_record*, outgrown_begin*
 * and outgrown_end* may be called in a handler on a thread that has recorded into that store before, since it was
 * opened and, in a child, since the fork: a thread's first record into a store allocates memory.
 *
 * Compatibility: functions are added, never changed (soname liboutgrown.so.0). C11 and C++.
 */
#ifndef OUTGROWN_H
#define OUTGROWN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define OUTGROWN_API __attribute__((visibility("default")))
#else
#define OUTGROWN_API
#endif

/* How a write ended. An unknown number counts as OUTGROWN_OTHER. */
typedef enum outgrown_outcome {
  OUTGROWN_OK = 0,
  OUTGROWN_BUSY = 1,          /* another connection held the lock until the timeout */
  OUTGROWN_BUSY_SNAPSHOT = 2, /* SQLITE_BUSY_SNAPSHOT: read first, then another connection wrote */
  OUTGROWN_FULL = 3,          /* no space left */
  OUTGROWN_IO = 4,
  OUTGROWN_CONSTRAINT = 5, /* the application's own doing: rejected, not failed */
  OUTGROWN_CORRUPT = 6,
  OUTGROWN_OTHER = 7
} outgrown_outcome;

typedef struct outgrown_store outgrown_store;

/* Called at most once, by the outgrown_open() that it was given to, if counting is off. `line` ends without a
 * newline and lives as long as the call. */
typedef void (*outgrown_log)(void* context, const char* line);

/* Zero means the default for every member but `size`. */
typedef struct outgrown_options {
  size_t size;             /* sizeof(outgrown_options), so that members can be added */
  const char* directory;   /* where the block lives; NULL: $OUTGROWN_DIR, /run/outgrown/APPLICATION,
                              $XDG_RUNTIME_DIR/outgrown */
  const char* application; /* names /run/outgrown/APPLICATION; NULL: that place is left out */
  const char* database;    /* absolute path of the SQLite file, for the exporter */
  uint32_t slots;          /* threads that record at the same time, of all processes; 0: 256, or fewer in a
                              process that makes many blocks */
  outgrown_log log;
  void* log_context;
} outgrown_options;

/* A write that has begun. Plain data; may be ended on another thread, or never. */
typedef struct outgrown_start {
  uint64_t start_ns;
  uint64_t mark;
} outgrown_start;

/* Opens the counter block of the store of that name (1 to 64 of A-Z a-z 0-9 _ - and, not at the start, a
 * dot), creating it if it is not there. `options` may be NULL. NULL only without memory; otherwise a store
 * that counts, or is off. */
OUTGROWN_API outgrown_store* outgrown_open(const char* name, const outgrown_options* options);

/* Why counting is off, in words; NULL if it is on. Lives as long as the store. */
OUTGROWN_API const char* outgrown_error(const outgrown_store* store);

/* The path of the SQLite file that the block is for, as its creator gave it; "" if it gave none, or if off. A caller
 * that took the store's name from the file's can detect by it that another file has that name. Lives as long as the
 * store. */
OUTGROWN_API const char* outgrown_database(const outgrown_store* store);

/* The application has opened the database at options.database again, so that another file may be there by now (a
 * restored backup, say). outgrown_open() has looked at the file that was there then; the exporter compares that
 * with the file that it reads itself, and shows what was counted into another one. */
OUTGROWN_API void outgrown_database_opened(outgrown_store* store);

/* The process's last close of a store gives its slots and its descriptor back. What was counted stays in the block. */
OUTGROWN_API void outgrown_close(outgrown_store* store);

/* A write that lasted `duration_ns` and ended just now. */
OUTGROWN_API void outgrown_record(outgrown_store* store, outgrown_outcome outcome, uint64_t bytes,
                                  uint64_t duration_ns);
/* The same, ended at `end_ns` (outgrown_now_ns()'s clock). Reads no clock. */
OUTGROWN_API void outgrown_record_at(outgrown_store* store, outgrown_outcome outcome, uint64_t bytes,
                                     uint64_t duration_ns, uint64_t end_ns);

/* Marks a write as in flight; outgrown_end() records it. A thread that has begun several at once shows the
 * first. */
OUTGROWN_API outgrown_start outgrown_begin(outgrown_store* store);
OUTGROWN_API outgrown_start outgrown_begin_at(outgrown_store* store, uint64_t start_ns);
OUTGROWN_API void outgrown_end(outgrown_store* store, outgrown_start start, outgrown_outcome outcome,
                               uint64_t bytes);
OUTGROWN_API void outgrown_end_at(outgrown_store* store, outgrown_start start, outgrown_outcome outcome,
                                  uint64_t bytes, uint64_t end_ns);
/* Takes the mark away and records nothing: the transaction wrote nothing after all. */
OUTGROWN_API void outgrown_abandon(outgrown_store* store, outgrown_start start);

/* Optional, for the store's own ceiling: the write lock was taken now, after that wait (BEGIN IMMEDIATE has returned), and is
 * given back (COMMIT or ROLLBACK has returned), `wrote`: with a change committed. `hold` is plain data, as a start. Then: it
 * was waited for in vain. Known to the exporter where nearly every successful write is timed. */
OUTGROWN_API outgrown_start outgrown_lock_taken(outgrown_store* store, uint64_t wait_ns);
OUTGROWN_API void outgrown_lock_released(outgrown_store* store, outgrown_start hold, int wrote);
OUTGROWN_API void outgrown_lock_waited(outgrown_store* store, uint64_t wait_ns);

/* One more connection is no longer counted completely (another trace replaced this one), until the process ends or
 * the connection is closed or regained. It shows as incomplete coverage: what is not measured is never
 * healthy. The exporter shows it for ten minutes more, so a loss shorter than a scrape is seen. */
OUTGROWN_API void outgrown_trace_lost(outgrown_store* store);
OUTGROWN_API void outgrown_trace_regained(outgrown_store* store);

/* CLOCK_MONOTONIC in nanoseconds, the clock of every time here. */
OUTGROWN_API uint64_t outgrown_now_ns(void);

/* The outcome that a SQLite result code stands for, extended (sqlite3_extended_errcode) or primary. */
OUTGROWN_API outgrown_outcome outgrown_outcome_of_sqlite(int result_code);

/* "0.1.0", of the library that was loaded. */
OUTGROWN_API const char* outgrown_version(void);

#ifdef __cplusplus
}
#endif

#endif /* OUTGROWN_H */
