// Whether a connection could read its main database's schema.
//
// SQLite reads the schema while it compiles a connection's first statement, and again while it compiles one anew that found
// another's change of it (SQLITE_SCHEMA). If it can't (a lock, a read-only file system, a damaged file), no statement runs,
// and the trace says nothing. What is seen:
//
//   SchemaDropped                  it will be read again
//   LockAsked                      the lock to read, asked for with SQLite's own table in memory: the schema is being read
//   LockAnswered, LockReleased     why that failed, if it shows
//   AtEvent                        the next event of the trace: there is a schema in memory, or else it failed
//
// Nothing is judged before that event: a busy handler, another page size or a new WAL let SQLite ask several times within
// one attempt. So attempts count once until a statement runs. But SQLite runs its own statement that reads the schema once
// an attempt: if that has ended, and the schema is asked for again and still isn't there, the attempt before has failed.
// Source: SQLite 3.40.1, prepare.c (sqlite3InitOne), btree.c (sqlite3BtreeBeginTrans), vdbe.c (OP_Transaction).
#pragma once

#include <cstdint>

#include "clients/sqlite_observer/sqlite_api.h"
#include "clients/sqlite_observer/write_tracker.h"

namespace outgrown::observer {

// Failures that concern the main database although its lock was not even asked for.
bool IsAboutDatabase(int code);

// Used by the thread that is using the connection, with the connection's mutex held. Counts failures into `sink`; null:
// nothing is to be counted. A refused lock counts only where the process has written to the store.
class FirstRead {
 public:
  FirstRead(sqlite3* db, bool is_main) : db_(db), is_main_(is_main) {}

  bool is_done() const { return is_done_ || !is_main_; }

  // A connection that was used before it is observed may have read it already.
  void Begin() noexcept;
  // A statement has found that another connection has changed the schema. Where an attached database's is still in
  // memory, a failure to read the main one's would not show.
  void SchemaDropped() noexcept { Begin(); }
  void LockAsked(Sink* sink) noexcept;
  void LockAnswered(int code) noexcept;
  void LockReleased() noexcept;

  // Before the event's own effect.
  void AtEvent(unsigned event, Sink* sink) noexcept;
  // The connection is being closed, and is asked for nothing more: SQLite has freed the mutex of a shared cache by the time
  // that it gives back the last lock.
  void End() noexcept { is_done_ = true; }

 private:
  int SchemaBytes() const noexcept;
  void Failed(int last_code, Sink* sink) noexcept;

  sqlite3* db_;
  bool is_main_;
  bool is_done_ = false;
  bool has_ended_ = false;         // SQLite's own statement, within the attempt
  std::uint64_t asked_ns_ = 0;     // the lock for it, 0: since the last event it was not
  std::uint64_t answered_ns_ = 0;  // … the last time
  int asked_with_bytes_ = 0;       // of the schema, when it was asked for
  int code_ = 0;                   // why it failed, as far as is known
};

}  // namespace outgrown::observer
