// One connection of the process: which of its databases are observed, and what its trace reports of statements.
//
// The trace gives the times at which outermost statements start and end, and the file shim what they did to the
// file; the trackers (write_tracker.h) make writes of both. The trace slot is taken when the connection is opened,
// or when it loads the extension, and whose trace was there before is called from ours. Whoever calls
// sqlite3_trace_v2 later takes it from us, without any event; so the slot is looked at (trace_slot.h) whenever the
// file is asked for a lock and at each commit, and is taken again in the same way. A write that was going on meanwhile
// counts if it commits, and is reported as a trace that was lost.
//
// Where the slot isn't known, it is taken of new connections alone. That it was taken from us then shows by a write
// that no announced statement explains: the connection's statements are looked through, and one that runs and was
// never announced means that the trace is lost. That is reported for as long as the connection lives, and commits go on
// being counted.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "clients/sqlite_observer/file_shim.h"
#include "clients/sqlite_observer/sqlite_api.h"
#include "clients/sqlite_observer/stores.h"
#include "clients/sqlite_observer/trace_slot.h"

namespace outgrown::observer {

class Connection final : public FileUser {
 public:
  // Registers the SQL functions on the connection and begins to observe those of its databases that are chosen
  // (ChooseStore). Does nothing if that was done before. Never fails towards the application. `is_new`: it is being
  // opened, so that its trace is nobody's yet.
  static void Attach(sqlite3* db, bool is_new) noexcept { Attach(db, true, is_new); }
  // The same without observing anything yet: Observe will name the store.
  static void Register(sqlite3* db) noexcept { Attach(db, false, false); }

  // Null if it is not attached.
  static Connection* Find(sqlite3* db) noexcept;

  sqlite3* db() const override { return db_; }

  // From now on nothing that this connection does is counted.
  void Ignore() noexcept;
  // The same for one of its databases, by the name that ATTACH gave it, or "main".
  void Ignore(const std::string& schema);
  // Counts from now on, the main database into `store` if that is not empty. Why not, or empty.
  std::string Observe(const std::string& store, const BlockPlace& place = {});
  // One line of text.
  std::string Status() const;

  [[gnu::hot]] void KeepTrace() noexcept override;
  [[gnu::hot]] bool ExplainsWrite() noexcept override;
  [[gnu::hot]] void CommitSeen() noexcept override;

 private:
  explicit Connection(sqlite3* db) : db_(db) {}
  static void Attach(sqlite3* db, bool observes, bool is_new) noexcept;
  static void Detach(void* connection) noexcept;

  void ObserveDatabases(const std::string& store_of_main);
  void ObserveDatabase(const char* schema, const std::string& store);
  bool TakeTrace() noexcept;  // false: it isn't ours
  bool HoldsTrace() const { return TheTraceSlot().Holds(db_, &Connection::Trace, this); }
  [[gnu::cold]] void TakeTraceBack() noexcept;  // somebody has it
  void LoseTrace() noexcept;
  void GiveTraceBack() noexcept;
  bool IsIgnored(const std::string& schema) const;
  void ReportLost(const std::shared_ptr<Sink>& sink) noexcept;
  void ReportLeft() noexcept;
  void ReportRegained() noexcept;
  void ReportNotRefused() noexcept;
  void ReportRefused(const char* schema, std::shared_ptr<Sink> sink);

  [[gnu::hot]] static int Trace(unsigned event, void* connection, void* statement, void* detail) noexcept;
  int CallOthers(unsigned event, void* statement, void* detail) const noexcept;
  [[gnu::hot]] void Traced(unsigned event, sqlite3_stmt* statement, const void* detail) noexcept;
  void TellReaders(unsigned event, int code) noexcept;
  // `sql`: its text.
  [[gnu::hot]] void Started(sqlite3_stmt* statement, const char* sql) noexcept;
  [[gnu::hot]] void Ended(sqlite3_stmt* statement, int code) noexcept;
  [[gnu::hot]] void SettleVanished() noexcept;
  [[gnu::hot]] void Announce(const sqlite3_stmt* statement) noexcept;
  [[gnu::hot]] std::size_t PlaceOf(const sqlite3_stmt* statement) const;
  const sqlite3_stmt* FindExplanation(const sqlite3_stmt* committed) noexcept;
  void Attached(sqlite3_stmt* statement) noexcept;
  bool IsWritingAfter(int code, const Share& share) const;
  bool IsWriting(const Share& share) const;
  bool IsWriteRunning() const;

  // A statement that is suspended between two rows stays announced while others run; more than a few of those
  // at once there never are.
  static constexpr std::size_t kAnnouncedMax = 16;

  // What each event of the trace needs comes first, so that it lies together.
  sqlite3* const db_;
  bool ignored_ = false;
  bool reads_schema_ = false;                // a share's first_read is to be told of events
  bool is_closing_ = false;                  // SQLite has said so; it is a misuse to set a trace then
  bool traces_ = false;                      // the slot is ours, as far as is known
  bool waits_ = false;                       // until Observe
  bool is_new_ = false;                      // nobody has had it but us
  const sqlite3_stmt* current_ = nullptr;    // the announced one that started last, until it commits or ends
  const sqlite3_stmt* committed_ = nullptr;  // the one that has just committed, until the next starts
  const sqlite3_stmt* attaches_ = nullptr;   // the last that started and may be an ATTACH
  std::vector<std::shared_ptr<Share>> shares_;
  Tracer others_;                    // the trace that was in the slot
  std::size_t announced_count_ = 0;  // of announced_, in front
  std::array<const sqlite3_stmt*, kAnnouncedMax> announced_ =
      {};             // running; they write or control the transaction
  BlockPlace place_;  // that Observe was given
  std::vector<std::string> ignored_schemas_;
  std::vector<std::shared_ptr<Sink>> lost_for_;  // where the lost trace is reported
  struct Refused {
    std::string schema;
    std::shared_ptr<Sink> sink;
  };
  std::vector<Refused> refused_;  // where it is reported that the name of one of the databases is taken
  std::string problem_;           // why a chosen database is not observed
};

// The extension's SQL functions, on every attached connection and not usable from inside a schema:
//
//   outgrown_status()      what is counted on this connection, or why it isn't; one line of text
//   outgrown_ignore()      this connection is counted by somebody else, or by nobody: returns 1
//   outgrown_observe()     takes that back; returns the status
//   outgrown_observe(NAME) counts the main database into the store NAME, whatever OUTGROWN_STORE says
//   outgrown_observe(NAME, DIRECTORY, APPLICATION)  the same, with its block there (empty or NULL: not given)
//
// `destroy` is called with `connection` when the connection is closed, or at once if this returns false.
bool RegisterFunctions(sqlite3* db, Connection* connection, void (*destroy)(void*));

}  // namespace outgrown::observer
