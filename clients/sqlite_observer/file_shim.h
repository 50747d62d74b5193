// What SQLite does to one open database file, seen from between SQLite and its VFS.
//
// SQLite calls a file through the table of methods that the file's VFS has put into it. The shim puts a table of
// its own in its place, in which a few methods look and all call the VFS's:
//
//   pager ─► sqlite3_file ─► pMethods ─► ObservedFile { xLock, xWrite, …: look │ xRead, …: the VFS's }
//                                            │ real_
//                                            └─► the VFS's own table, called with the same sqlite3_file
//
// So it chains to whatever VFS the file was opened with, a file that is not observed costs nothing, and a
// connection that was open before the extension was loaded is observed like a later one. Rejected: registering
// a VFS of our own as the default. It sees neither the connection that loads the extension nor one that names
// its VFS, puts a layer on every file of the process, and changes what the application gets as its default VFS.
//
// What it looks at:
//   SQLITE_FCNTL_COMMIT_PHASETWO     a write transaction has committed, in every journal mode, changed or not
//   SQLITE_FCNTL_SYNC                in a rollback journal's commit: it has changed something
//   a WAL frame with the commit mark the same in WAL mode, in every locking mode (wal_shim.h)
//   pages                            what a transaction writes: to the WAL, or in a rollback journal's mode to the file
//   SQLITE_FCNTL_CKPT_DONE           the pages before it were a checkpoint's
//   RESERVED, the WAL's write lock   a write transaction is asking to begin
//   the locks to read               whether a new connection can read the schema (FirstRead)
//   SQLITE_FCNTL_PDB                 which connection is using the file: in a shared cache there are several
// Source: SQLite 3.40.1, pager.c (sqlite3PagerCommitPhaseOne, pager_end_transaction), wal.c (walFrames).
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "clients/sqlite_observer/file_methods.h"
#include "clients/sqlite_observer/first_read.h"
#include "clients/sqlite_observer/lock_timer.h"
#include "clients/sqlite_observer/sqlite_api.h"
#include "clients/sqlite_observer/wal_shim.h"
#include "clients/sqlite_observer/write_tracker.h"

namespace outgrown::observer {

class ObservedFile;

// A connection, as far as the shim of a file that it uses has to know it.
class FileUser {
 public:
  virtual sqlite3* db() const = 0;
  // A statement is asking for a lock: if somebody else has taken the trace, it is time to take it again.
  virtual void KeepTrace() noexcept = 0;
  // A write is asking for its lock, or something has been refused the lock to read. True if a statement that the trace
  // has announced is running, so that it is that one's; otherwise looks whether the trace is lost.
  virtual bool ExplainsWrite() noexcept = 0;
  // A write transaction has committed; looks as well.
  virtual void CommitSeen() noexcept = 0;

 protected:
  ~FileUser() = default;
};

// One connection's writes to one observed file.
struct Share {
  Share(FileUser* connection, ObservedFile* file, std::string schema, std::shared_ptr<Sink> sink)
      : connection(connection),
        file(file),
        schema(std::move(schema)),
        is_main(this->schema == "main"),
        sink(std::move(sink)),
        first_read(connection->db(), is_main),
        tracker(*this->sink) {}

  FileUser* connection;  // null once that is closed
  ObservedFile* file;    // null once that is closed
  std::string schema;    // "main", or what ATTACH calls it
  bool is_main;
  std::shared_ptr<Sink> sink;
  bool ignored = false;  // what the connection does to the file is not to be counted
  FirstRead first_read;
  WriteTracker tracker;

  Sink* sink_if_counted() const { return ignored ? nullptr : sink.get(); }

  void Ignore() noexcept {
    ignored = true;
    tracker.Abandon();
  }
};

// Deleted by SQLite's xClose.
class ObservedFile final : private sqlite3_io_methods {
 public:
  // Observes an open file on behalf of `store`, with that connection as its first user, whose share it returns. Null
  // if it is observed already, be it since a moment ago by a thread with another connection to the same shared cache,
  // and if there is no memory.
  static std::shared_ptr<Share> Observe(FileUser& connection, const char* schema, sqlite3_file* file,
                                        std::shared_ptr<Sink> sink, const std::string& store,
                                        const block::FileId& id) noexcept;

  // The observation of a connection's database; null if there is none. Found too when another VFS has put a
  // layer of its own above.
  static ObservedFile* Of(sqlite3* db, const char* schema) noexcept;
  // Another copy of this extension observes it: the same one under two paths, say.
  static bool IsObservedElsewhere(sqlite3* db, const char* schema) noexcept;

  // The share of that connection, made if there is none yet. Null if there is no memory.
  // With the library's lock held (stores.h), as for RemoveUser.
  std::shared_ptr<Share> AddUser(FileUser& connection, const char* schema) noexcept;
  void RemoveUser(const FileUser& connection) noexcept;

  const std::string& store() const { return store_; }
  // The one connection that uses it holds the lock (for good with locking_mode=EXCLUSIVE).
  [[gnu::hot]] bool is_locked() const { return only_user_ != nullptr && lock_level_ >= SQLITE_LOCK_RESERVED; }
  // The one connection that uses it, whose first_read is to be asked. Null if that has read the schema, and in a shared
  // cache that another has joined: with its lock held, that must not be asked.
  [[gnu::hot]] Share* FirstReader() noexcept;
  // The one connection that uses it, if it isn't ignored, is asking for a lock to read.
  [[gnu::hot]] void ReadLockAsked() noexcept;
  // A statement of the caller has ended with SQLITE_SCHEMA.
  void SchemaDropped() noexcept;
  // Watches the WAL's file as well, where a connection in exclusive mode has one open; otherwise the WAL's lock
  // shows it in time.
  [[gnu::hot]] void WatchWal(const Share& share) noexcept;
  // No write transaction is open: what was seen of one that was rolled back says nothing about the next.
  [[gnu::hot]] void ForgetChange() noexcept;

 private:
  ObservedFile(const sqlite3_io_methods& real, std::shared_ptr<Sink> sink, std::string store,
               const block::FileId& id);

  static ObservedFile* From(sqlite3_file* file) {
    return static_cast<ObservedFile*>(const_cast<sqlite3_io_methods*>(MethodsOf(file)));
  }
  static int Close(sqlite3_file* file) noexcept;
  [[gnu::hot]] static int Write(sqlite3_file* file, const void* bytes, int size_bytes,
                                sqlite3_int64 offset) noexcept;
  [[gnu::hot]] static int Lock(sqlite3_file* file, int level) noexcept;
  [[gnu::hot]] static int Unlock(sqlite3_file* file, int level) noexcept;
  [[gnu::hot]] static int ShmLock(sqlite3_file* file, int offset, int count, int flags) noexcept;
  [[gnu::hot]] static int FileControl(sqlite3_file* file, int operation, void* argument) noexcept;

  // The share of the connection that is using the file now; null if it isn't known.
  Share* Caller() noexcept {
    // Relaxed: SQLite writes what it points to under the shared cache's lock, which the caller holds.
    sqlite3** const db = db_.load(std::memory_order_relaxed);
    return db == nullptr ? only_user_.load()
                         : UserOf(*db);  // null: not a shared cache, or one that nobody has joined
  }
  [[gnu::cold]] Share* UserOf(const sqlite3* db) noexcept;
  // The tracker that counts for the caller; null if that is ignored.
  [[gnu::hot]] WriteTracker* CallersTracker(Share* caller) noexcept;
  void FindWal(const Share& share, bool certain) noexcept;
  [[gnu::hot]] void Locked(int level) noexcept;
  [[gnu::hot]] void LockAsked(Share* caller) noexcept;
  [[gnu::hot]] void LockAnswered(Share* caller, int result) noexcept;
  [[gnu::hot]] void LockReleased() noexcept;
  [[gnu::hot]] void Commit() noexcept;

  // What the methods need comes first, so that it lies together.
  const sqlite3_io_methods* real_;
  // SQLite's own pointer to the connection that is using the file. SQLite gives it again, without a lock,
  // when a connection joins a shared cache; what it points to has the shared cache's lock, which is held in
  // every call of a file's method.
  std::atomic<sqlite3**> db_ = nullptr;
  std::atomic<Share*> only_user_ = nullptr;  // if there is exactly one; read without the library's lock
  FileWrites writes_;
  bool in_unwatched_wal_ = false;  // the transaction writes to a WAL that could not be watched
  bool nobody_wrote_ = false;      // as nobodys_, which is reported as a lost trace
  // Written in the file's methods, read at a statement's start too.
  std::atomic<int> lock_level_ = SQLITE_LOCK_NONE;
  LockTimer lock_timer_;
  WriteTracker nobodys_;  // writes of connections that are not known
  const std::shared_ptr<Sink> sink_;
  const std::string store_;
  const block::FileId id_;
  std::vector<std::shared_ptr<Share>> users_;
};

}  // namespace outgrown::observer
