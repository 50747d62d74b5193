// The part of a Connection that listens to its trace.
#include <algorithm>
#include <optional>
#include <string_view>

#include "clients/sqlite_observer/connection.h"
#include "clients/sqlite_observer/first_read.h"
#include "clients/sqlite_observer/result_probe.h"
#include "counterblock/writer.h"

namespace outgrown::observer {
namespace {

using block::Outcome;

constexpr unsigned kEvents = SQLITE_TRACE_STMT | SQLITE_TRACE_PROFILE | SQLITE_TRACE_CLOSE;

// BEGIN, COMMIT, ROLLBACK, SAVEPOINT, RELEASE, ATTACH and DETACH are read-only to SQLite and give no columns.
// https://sqlite.org/c3ref/stmt_readonly.html: transaction control is read-only "since the statements
// themselves do not actually modify the database but rather they control the timing of when other statements
// modify the database".
bool WritesOrControls(sqlite3_stmt* statement) {
  return sqlite3_stmt_readonly(statement) == 0 || sqlite3_column_count(statement) == 0;
}

// The SQL from its first keyword on: without white space and comments in front.
std::string_view FromKeyword(std::string_view sql) {
  while (true) {
    // SQLite's tokenizer takes these for white space; leading semicolons are empty statements.
    sql.remove_prefix(std::min(sql.find_first_not_of(" \t\r\n\f;"), sql.size()));
    std::string_view end;
    if (sql.starts_with("--")) {
      end = "\n";
    } else if (sql.starts_with("/*")) {
      end = "*/";
    } else {
      return sql;
    }
    const std::size_t found = sql.find(end, 2);
    sql.remove_prefix(found == std::string_view::npos ? sql.size() : found + end.size());
  }
}

// Without SQL it is SQLite's own, for incremental blob I/O.
bool IsRunningWrite(sqlite3_stmt* statement) {
  return sqlite3_stmt_busy(statement) != 0 && sqlite3_sql(statement) != nullptr &&
         WritesOrControls(statement);
}

bool BeginsWith(sqlite3_stmt* statement, std::string_view keyword) {
  const std::string_view sql = FromKeyword(sqlite3_sql(statement));
  return sql.size() >= keyword.size() &&
         sqlite3_strnicmp(sql.data(), keyword.data(), static_cast<int>(keyword.size())) == 0;
}

// Nothing was written because nothing was to be: a BEGIN or VACUUM inside a transaction, a COMMIT outside, no
// such savepoint.
bool IsMisplaced(sqlite3_stmt* statement, int code) {
  return (code & 0xff) == SQLITE_ERROR && (sqlite3_stmt_readonly(statement) != 0 ||
                                           BeginsWith(statement, "BEGIN") || BeginsWith(statement, "VACUUM"));
}

// A deferred foreign key is broken now: the connection's commit would be refused.
bool BreaksKey(sqlite3* db) {
  int broken = 0;
  int highest = 0;
  return sqlite3_db_status(db, SQLITE_DBSTATUS_DEFERRED_FKS, &broken, &highest, 0) == SQLITE_OK &&
         broken != 0;
}

}  // namespace

bool Connection::TakeTrace() noexcept {
  std::optional<Tracer> others;
  if (TheTraceSlot().is_available()) {
    if (HoldsTrace()) return true;
    others = TheTraceSlot().Of(db_);
  } else if (is_new_) {
    others = Tracer{};
  }
  // Whoever can't be called from ours keeps the slot.
  if (!others) return false;
  const unsigned more_events = others->is_legacy ? 0 : others->events;
  if (sqlite3_trace_v2(db_, kEvents | more_events, &Connection::Trace, this) != SQLITE_OK) return false;
  others_ = *others;
  return traces_ = true;
}

void Connection::KeepTrace() noexcept {
  if (TheTraceSlot().is_available() && !HoldsTrace()) TakeTraceBack();
}

void Connection::TakeTraceBack() noexcept {
  // The start of what runs was announced to somebody else, or else the end of what is open may have been.
  if (traces_ && IsWriteRunning()) LoseTrace();
  if (!TakeTrace()) return;
  current_ = committed_ = nullptr;
  announced_count_ = 0;
  if (TheResultProbe().is_available()) ReportRegained();
}

bool Connection::IsWriteRunning() const {
  if (std::ranges::any_of(shares_, [](const auto& share) { return share->tracker.is_open(); })) return true;
  sqlite3_stmt* statement = nullptr;
  while ((statement = sqlite3_next_stmt(db_, statement)) != nullptr) {
    if (IsRunningWrite(statement)) return true;
  }
  return false;
}

int Connection::Trace(unsigned event, void* connection, void* statement, void* detail) noexcept {
  auto* const self = static_cast<Connection*>(connection);
  self->is_closing_ = event == SQLITE_TRACE_CLOSE;  // which may fail, so that others follow
  if ((event & kEvents) != 0 && !self->ignored_)
    self->Traced(event, static_cast<sqlite3_stmt*>(statement), detail);
  return self->others_.events == 0 ? 0 : self->CallOthers(event, statement, detail);
}

int Connection::CallOthers(unsigned event, void* statement, void* detail) const noexcept {
  // A copy: it may set another trace.
  const Tracer others = others_;
  others.Call(event, statement, detail);
  return 0;
}

inline void Connection::Traced(unsigned event, sqlite3_stmt* started_or_ended, const void* detail) noexcept {
  const int code = event == SQLITE_TRACE_PROFILE && TheResultProbe().is_available()
                       ? TheResultProbe().ResultOf(started_or_ended)
                       : SQLITE_OK;
  if (reads_schema_ || event == SQLITE_TRACE_CLOSE || code == SQLITE_SCHEMA) TellReaders(event, code);
  if (event == SQLITE_TRACE_PROFILE) {
    Ended(started_or_ended, code);
  } else if (event == SQLITE_TRACE_CLOSE) {
    SettleVanished();
  } else if (event == SQLITE_TRACE_STMT && (current_ == nullptr || detail == sqlite3_sql(started_or_ended))) {
    // Any other text is a comment that announces a trigger of the current statement, or a statement that runs
    // inside it; inside one that only reads it is the outermost that writes.
    Started(started_or_ended, static_cast<const char*>(detail));
  }
}

void Connection::TellReaders(unsigned event, int code) noexcept {
  reads_schema_ = false;
  for (const std::shared_ptr<Share>& share : shares_) {
    if (share->file == nullptr) continue;
    Share* const reader = share->file->FirstReader();
    if (reader != nullptr) reader->first_read.AtEvent(event, share->sink_if_counted());
    // Also if it isn't the one to be asked: it is that again once the others have left a shared cache.
    if (event == SQLITE_TRACE_CLOSE) share->first_read.End();
    if (code == SQLITE_SCHEMA) share->file->SchemaDropped();
    reads_schema_ = reads_schema_ || !share->first_read.is_done();
  }
}

void Connection::Started(sqlite3_stmt* statement, const char* sql) noexcept {
  const bool writes = sqlite3_stmt_readonly(statement) == 0;
  if (!writes) {
    // BEGIN, COMMIT, or a CREATE that has nothing to do.
    const bool gives_nothing = *sql == 'B' || *sql == 'b' || *sql == 'C' || *sql == 'c';
    // Plain reads are most statements, and cost no more than this.
    if (!gives_nothing && sqlite3_column_count(statement) != 0) return;
    // Or white space, or a comment, in front of its keyword.
    if (*sql == 'A' || *sql == 'a' || *sql < 'A') attaches_ = statement;
  }
  Announce(statement);
  SettleVanished();
  for (const std::shared_ptr<Share>& share : shares_) {
    if (share->file == nullptr || share->ignored) continue;
    ObservedFile& file = *share->file;
    if (!share->tracker.is_open()) file.ForgetChange();
    file.WatchWal(*share);
    if (writes) share->tracker.StatementStarted(file.is_locked());
  }
}

// A transaction may end without an event: while a statement is reset between two rows, after its end was announced. An error
// there ends a BEGIN as well.
inline void Connection::SettleVanished() noexcept {
  for (const std::shared_ptr<Share>& share : shares_) {
    if (share->tracker.is_open() && sqlite3_get_autocommit(db_) != 0 && !IsWriting(*share))
      share->tracker.TransactionVanished();
  }
}

void Connection::Ended(sqlite3_stmt* statement, int code) noexcept {
  const std::size_t place = PlaceOf(statement);
  const bool announced = place != announced_count_ || statement == committed_;
  bool writing = false;
  for (const std::shared_ptr<Share>& share : shares_) writing = writing || share->tracker.is_open();
  // A read outside of any write costs no more than this.
  if (!announced && !writing) return;
  // Not only of what was not announced: a statement may have the address of one that was reset.
  if (current_ == nullptr && code == SQLITE_OK) SettleVanished();
  if (announced && code == SQLITE_SCHEMA) {
    // SQLite compiles it again and runs it again, without a word to the trace.
    for (const std::shared_ptr<Share>& share : shares_) share->tracker.StatementRestarts(IsWriting(*share));
    return;
  }
  // One that is still busy is being reset between two rows; what it wrote is about to be committed.
  const bool is_reset = place != announced_count_ && sqlite3_stmt_busy(statement) != 0;
  if (place != announced_count_ && !is_reset) announced_[place] = announced_[--announced_count_];
  if (current_ == statement) current_ = nullptr;
  if (writing) {
    Outcome outcome = is_reset && BreaksKey(db_) ? Outcome::kConstraint : Outcome::kOk;
    if (code != SQLITE_OK && !IsMisplaced(statement, code)) outcome = block::OutcomeOfSqlite(code);
    const bool refused_elsewhere =
        outcome != Outcome::kOk && std::ranges::any_of(shares_, [](const auto& share) {
          return !share->is_main && share->tracker.lock_refused();
        });
    for (const std::shared_ptr<Share>& share : shares_) {
      WriteTracker::End end;
      end.writes = announced;
      end.transaction_open = IsWritingAfter(code, *share);
      if (outcome != Outcome::kOk) {
        end.failure = outcome;
        // A refused lock to read, say, concerns a database of which no lock to write was asked for: most
        // connections have one database, and that is blamed.
        end.concerns_file = share->is_main && !refused_elsewhere && IsAboutDatabase(code);
      }
      if (!TheResultProbe().is_available() && share->tracker.lock_refused()) end.failure = Outcome::kBusy;
      share->tracker.StatementEnded(end);
    }
  }
  if (announced && statement == attaches_ && code == SQLITE_OK) Attached(statement);
}

void Connection::Attached(sqlite3_stmt* statement) noexcept {
  attaches_ = nullptr;
  if (!BeginsWith(statement, "ATTACH")) return;
  try {
    ObserveDatabases({});
  } catch (...) {  // no memory: the attached database goes without
  }
}

bool Connection::ExplainsWrite() noexcept {
  KeepTrace();
  if (!traces_) return false;
  return current_ != nullptr || FindExplanation(nullptr) != nullptr;
}

void Connection::CommitSeen() noexcept {
  KeepTrace();
  if (!traces_) return;
  // Several databases may commit in one transaction, so one that has committed explains the next commit too.
  // But not the next lock: a statement that is gone may have left its address to one that was never
  // announced.
  if (current_ == nullptr) current_ = FindExplanation(committed_);
  committed_ = current_;
  current_ = nullptr;
  announced_count_ = 0;  // SQLite commits only when no other statement is writing
}

// The statement that is running, was announced (or is `committed`), and may write. Null if there is none, or one that
// was not announced.
const sqlite3_stmt* Connection::FindExplanation(const sqlite3_stmt* committed) noexcept {
  const sqlite3_stmt* explanation = nullptr;
  sqlite3_stmt* statement = nullptr;
  // Linear in the connection's prepared statements; only where a write is going on that nothing explains, and
  // at commits without a current statement.
  while ((statement = sqlite3_next_stmt(db_, statement)) != nullptr) {
    if (!IsRunningWrite(statement)) continue;
    if (PlaceOf(statement) == announced_count_ && statement != committed) {
      // Where the slot is known to be ours, it started before that was so.
      if (!TheTraceSlot().is_available()) LoseTrace();
      return nullptr;
    }
    explanation = statement;
  }
  return explanation;
}

void Connection::Announce(const sqlite3_stmt* statement) noexcept {
  current_ = statement;
  committed_ = nullptr;
  if (PlaceOf(statement) != announced_count_) return;
  // Full of statements that were reset between two rows and may be gone by now.
  if (announced_count_ == announced_.size()) announced_count_ = 0;
  announced_[announced_count_++] = statement;
}

// Its place in announced_; the one behind the last if it isn't there.
std::size_t Connection::PlaceOf(const sqlite3_stmt* statement) const {
  // Not std::find, which is made for many: it costs as much as the rest of a read's events.
  std::size_t place = 0;
  while (place != announced_count_ && announced_[place] != statement) ++place;
  return place;
}

// After a statement that has ended with that code.
inline bool Connection::IsWritingAfter(int code, const Share& share) const {
  // What has taken the lock inside of a transaction keeps it until that ends. SQLite looks the database up by its name.
  if (code == SQLITE_OK && share.tracker.has_lock() && sqlite3_get_autocommit(db_) == 0) return true;
  return IsWriting(share);
}

}  // namespace outgrown::observer
