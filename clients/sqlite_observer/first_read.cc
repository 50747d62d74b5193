#include "clients/sqlite_observer/first_read.h"

#include "clients/sqlite_observer/result_probe.h"
#include "counterblock/writer.h"

namespace outgrown::observer {
namespace {

constexpr int kNotKnown = -1;

bool IsRefusal(int code) {
  const int primary = code & 0xff;
  return primary == SQLITE_BUSY || primary == SQLITE_LOCKED || primary == SQLITE_PROTOCOL;
}

}  // namespace

bool IsAboutDatabase(int code) {
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CANTOPEN:
    case SQLITE_PROTOCOL:
      return true;
    default:
      return false;
  }
}

// Of all databases, the main one being the first to be read (sqlite3Init). While that goes on it is what SQLite's own
// table takes, and 0 again if it failed.
int FirstRead::SchemaBytes() const noexcept {
  int now = 0;
  int highest = 0;
  sqlite3_db_status(db_, SQLITE_DBSTATUS_SCHEMA_USED, &now, &highest, 0);
  return now;
}

void FirstRead::Begin() noexcept {
  is_done_ = SchemaBytes() > 0;
  asked_ns_ = 0;
}

void FirstRead::LockAsked(Sink* sink) noexcept {
  const int bytes = SchemaBytes();
  if (bytes == 0) return;  // for a statement that needs no schema, or for a backup
  // Read meanwhile, for a statement that was wrong: the temporary database has such a table as well then, so that it is
  // twice as much. A RETURNING clause takes a little too.
  if (asked_ns_ != 0 && 2 * bytes > 3 * asked_with_bytes_) {
    is_done_ = true;
    return;
  }
  if (asked_ns_ != 0 && has_ended_) {
    Failed(code_, sink);
    asked_ns_ = 0;
  }
  has_ended_ = false;
  asked_with_bytes_ = bytes;
  const std::uint64_t now_ns = block::NowNs();
  // A busy handler tries again soon. An application's own later attempt makes the wait no longer.
  constexpr std::uint64_t kAgainNs = 1'000'000'000;
  if (asked_ns_ == 0 || code_ != SQLITE_BUSY || now_ns - answered_ns_ > kAgainNs) asked_ns_ = now_ns;
  code_ = kNotKnown;
}

void FirstRead::LockAnswered(int code) noexcept {
  if (asked_ns_ == 0) return;
  answered_ns_ = block::NowNs();
  if (code != SQLITE_OK) code_ = code;
}

// SQLite reads the schema by a statement of its own, which has no SQL. If that has failed (it may have been interrupted,
// which is no failure of the store), it is still there, or has set the connection's code.
void FirstRead::LockReleased() noexcept {
  // Without a schema the connection is being closed, and must not be asked for its code.
  if (asked_ns_ == 0 || code_ != kNotKnown || SchemaBytes() == 0) return;
  sqlite3_stmt* const newest = sqlite3_next_stmt(db_, nullptr);
  if (newest == nullptr || sqlite3_sql(newest) != nullptr) {
    code_ = sqlite3_extended_errcode(db_);
  } else {
    const ResultProbe& probe = TheResultProbe();
    code_ = probe.is_available() ? probe.ResultOf(newest) : SQLITE_INTERRUPT;
    has_ended_ = sqlite3_stmt_busy(newest) != 0;  // not the application's, which is being compiled
  }
}

void FirstRead::AtEvent(unsigned event, Sink* sink) noexcept {
  if (is_done_) return;
  is_done_ = SchemaBytes() > 0;
  // At a statement's end, that statement has asked for it, and may have dropped the schema again (VACUUM).
  if (!is_done_ && asked_ns_ != 0 && event != SQLITE_TRACE_PROFILE) {
    // Any other statement that was compiled meanwhile has taken the code away.
    Failed(event == SQLITE_TRACE_CLOSE ? sqlite3_extended_errcode(db_) : SQLITE_OK, sink);
  }
  asked_ns_ = 0;
}

void FirstRead::Failed(int last_code, Sink* sink) noexcept {
  if (sink == nullptr) return;
  if (IsAboutDatabase(last_code) || last_code == SQLITE_INTERRUPT) code_ = last_code;
  // Without a code it was neither a lock nor that statement: the journal, the file's header or the schema's text.
  if (code_ == SQLITE_OK || code_ == kNotKnown) code_ = SQLITE_ERROR;
  // A lock refuses readers too, which may be all that this process has. Other failures are the store's own.
  const bool counts =
      IsRefusal(code_) ? sink->has_written() : IsAboutDatabase(code_) || code_ == SQLITE_ERROR;
  // It lasted as long as it waited for the lock: when the rest failed isn't known, and that is short.
  if (counts) sink->EndAt({asked_ns_, 0}, block::OutcomeOfSqlite(code_), 0, answered_ns_);
}

}  // namespace outgrown::observer
