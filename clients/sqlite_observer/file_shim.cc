#include "clients/sqlite_observer/file_shim.h"

#include <algorithm>
#include <cstdint>
#include <mutex>

#include "clients/sqlite_observer/stores.h"

namespace outgrown::observer {

namespace {

// The file control that asks for the observation of a file. SQLite keeps the numbers below 100 for itself;
// number and answer are the same in all versions of the extension, so that two copies in one process know
// each other.
constexpr int kWhoObserves = 0x4f475257;
struct Observation {
  const void* copy;  // an address in the copy of the extension that answers
  ObservedFile* file;
};
constexpr char kThisCopy = 0;

Observation ObservationOf(sqlite3* db, const char* schema) {
  Observation observation = {nullptr, nullptr};
  // A VFS that doesn't know the number answers SQLITE_NOTFOUND and leaves the argument alone. Asked as a file
  // control, so that the question passes through layers that other VFS have put above ours.
  sqlite3_file_control(db, schema, kWhoObserves, &observation);
  return observation;
}

constexpr int kWalWriteLock = 0;  // WAL_WRITE_LOCK: which byte of the wal-index is the writers' lock

}  // namespace

ObservedFile::ObservedFile(const sqlite3_io_methods& real, std::shared_ptr<Sink> sink, std::string store,
                           const block::FileId& id)
    : sqlite3_io_methods(CopyOf(real)),
      real_(&real),
      lock_timer_(*sink),
      nobodys_(*sink),
      sink_(std::move(sink)),
      store_(std::move(store)),
      id_(id) {
  xClose = &ObservedFile::Close;
  xWrite = &ObservedFile::Write;
  xLock = &ObservedFile::Lock;
  xUnlock = &ObservedFile::Unlock;
  xFileControl = &ObservedFile::FileControl;
  // A VFS of version 1 has no shared memory, and gets no method for it.
  if (xShmLock != nullptr) xShmLock = &ObservedFile::ShmLock;
}

std::shared_ptr<Share> ObservedFile::Observe(FileUser& connection, const char* schema, sqlite3_file* file,
                                             std::shared_ptr<Sink> sink, const std::string& store,
                                             const block::FileId& id) noexcept {
  // Read before it is asked who observes the file: if nobody did then, what was read is nobody's.
  const sqlite3_io_methods* real = MethodsOf(file);
  if (ObservationOf(connection.db(), schema).copy != nullptr) return nullptr;
  try {
    std::unique_ptr<ObservedFile> observed(new ObservedFile(*real, std::move(sink), store, id));
    int level = SQLITE_LOCK_NONE;
    // A connection may hold a lock when it is observed for the first time (locking_mode=EXCLUSIVE, an open
    // transaction).
    if (real->xFileControl(file, SQLITE_FCNTL_LOCKSTATE, &level) == SQLITE_OK) observed->lock_level_ = level;
    std::shared_ptr<Share> share = observed->AddUser(connection, schema);
    // The first user is in before the table can be called. If another thread was faster, the table isn't
    // `real` any more, and its observation is the one.
    if (share == nullptr || !ReplaceMethods(file, real, observed.get())) return nullptr;
    share->sink->FileOpened(id);
    static_cast<void>(observed.release());  // the file's, until Close
    return share;
  } catch (...) {  // no memory
    return nullptr;
  }
}

ObservedFile* ObservedFile::Of(sqlite3* db, const char* schema) noexcept {
  const Observation observation = ObservationOf(db, schema);
  return observation.copy == &kThisCopy ? observation.file : nullptr;
}

bool ObservedFile::IsObservedElsewhere(sqlite3* db, const char* schema) noexcept {
  const Observation observation = ObservationOf(db, schema);
  return observation.copy != nullptr && observation.copy != &kThisCopy;
}

std::shared_ptr<Share> ObservedFile::AddUser(FileUser& connection, const char* schema) noexcept {
  const auto known =
      std::ranges::find(users_, &connection, [](const auto& user) { return user->connection; });
  // A connection may attach the same file under two names.
  if (known != users_.end()) return *known;
  try {
    users_.push_back(std::make_shared<Share>(&connection, this, schema, sink_));
  } catch (...) {  // no memory
    return nullptr;
  }
  only_user_ = users_.size() == 1 ? users_.front().get() : nullptr;
  return users_.back();
}

void ObservedFile::RemoveUser(const FileUser& connection) noexcept {
  std::erase_if(users_, [&](const auto& user) { return user->connection == &connection; });
  only_user_ = users_.size() == 1 ? users_.front().get() : nullptr;
}

void ObservedFile::ForgetChange() noexcept {
  // With several users another one may be in the middle of its commit. Relaxed: only whether there is one
  // user is asked.
  if (only_user_.load(std::memory_order_relaxed) == nullptr) return;
  writes_.ForgetCommit();
}

Share* ObservedFile::UserOf(const sqlite3* db) noexcept {
  const std::lock_guard lock(LibraryLock());
  const auto caller =
      std::ranges::find_if(users_, [db](const auto& user) { return user->connection->db() == db; });
  return caller == users_.end() ? nullptr : caller->get();
}

Share* ObservedFile::FirstReader() noexcept {
  if (db_.load(std::memory_order_relaxed) != nullptr) return nullptr;
  Share* const only = only_user_;
  return only == nullptr || only->first_read.is_done() ? nullptr : only;
}

void ObservedFile::ReadLockAsked() noexcept {
  if (db_.load(std::memory_order_relaxed) != nullptr) return;
  Share* const only = only_user_;
  if (only != nullptr && !only->ignored) only->connection->KeepTrace();
}

void ObservedFile::SchemaDropped() noexcept {
  Share* const only = only_user_;
  if (only != nullptr && db_.load(std::memory_order_relaxed) == nullptr) only->first_read.SchemaDropped();
}

WriteTracker* ObservedFile::CallersTracker(Share* caller) noexcept {
  if (caller != nullptr) return caller->ignored ? nullptr : &caller->tracker;
  if (!nobody_wrote_) {
    nobody_wrote_ = true;
    // A write of a connection that is not known: it is counted, but its failures are not, which is a lost
    // trace.
    sink_->TraceLost();
  }
  return &nobodys_;
}

void ObservedFile::WatchWal(const Share& share) noexcept {
  // Alone: with the lock of another connection's shared cache held, SQLite must not be asked for one more.
  if (only_user_ != nullptr && lock_level_ == SQLITE_LOCK_EXCLUSIVE) FindWal(share, false);
}

void ObservedFile::FindWal(const Share& share, bool certain) noexcept {
  if (writes_.wal != nullptr) return;
  sqlite3_file* file = nullptr;
  if (sqlite3_file_control(share.connection->db(), share.schema.c_str(), SQLITE_FCNTL_JOURNAL_POINTER,
                           &file) != SQLITE_OK ||
      file == nullptr || file->pMethods == nullptr || ObservedWal::Observes(file)) {
    return;
  }
  // SQLITE_FCNTL_JOURNAL_POINTER gives the rollback journal or the log, whichever is in use.
  if (certain || ObservedWal::IsWal(file)) writes_.wal = ObservedWal::Observe(file, writes_);
}

void ObservedFile::Locked(int level) noexcept { lock_level_ = std::max(lock_level_.load(), level); }

void ObservedFile::LockAsked(Share* caller) noexcept {
  const bool traced = caller != nullptr && !caller->ignored && caller->connection->ExplainsWrite();
  WriteTracker* const tracker = CallersTracker(caller);
  if (tracker == nullptr) return;
  lock_timer_.Asked(tracker->lock_refused());
  tracker->LockAttempted(traced);
}

void ObservedFile::LockAnswered(Share* caller, int result) noexcept {
  if (result == SQLITE_OK) {
    writes_.ForgetCommit();
  } else if (WriteTracker* tracker = CallersTracker(caller)) {
    tracker->LockRefused();
  }
}

void ObservedFile::LockReleased() noexcept {
  if (Share* const caller = Caller()) caller->tracker.LockReleased();
}

void ObservedFile::Commit() noexcept {
  Share* const caller = Caller();
  if (!writes_.changed && writes_.wal == nullptr && caller != nullptr) {
    // The first commit after a WAL was opened unseen (locking_mode=EXCLUSIVE takes no lock that would show it).
    FindWal(*caller, false);
    writes_.changed = writes_.wal != nullptr;
  }
  // Where the log could not be watched every commit counts: too many is seen by the coverage, too few would
  // be missed.
  const bool changed = writes_.changed || in_unwatched_wal_;
  if (changed) lock_timer_.Committed();
  const std::uint64_t bytes = writes_.page_bytes;
  const std::uint64_t released_ns = writes_.released_ns;
  in_unwatched_wal_ = false;
  writes_.ForgetCommit();
  if (caller != nullptr && !caller->ignored) caller->connection->CommitSeen();
  if (WriteTracker* tracker = CallersTracker(caller)) tracker->Committed(changed, bytes, released_ns);
}

int ObservedFile::Close(sqlite3_file* file) noexcept {
  ObservedFile* self = From(file);
  std::vector<std::shared_ptr<Share>> users;
  {
    const std::lock_guard lock(LibraryLock());
    // Under the lock, so that no connection that is closed at the same time finds a file that is going; the
    // counting comes after it, since a sink has a lock of its own.
    users.swap(self->users_);
    for (const std::shared_ptr<Share>& user : users) user->file = nullptr;
  }
  for (const std::shared_ptr<Share>& user : users) user->tracker.Closed();
  if (self->nobody_wrote_) self->sink_->TraceRegained();
  self->sink_->FileClosed(self->id_);
  if (self->writes_.wal != nullptr) self->writes_.wal->Forget();
  file->pMethods = self->real_;
  delete self;
  return file->pMethods->xClose(file);
}

int ObservedFile::Write(sqlite3_file* file, const void* bytes, int size_bytes,
                        sqlite3_int64 offset) noexcept {
  ObservedFile& self = *From(file);
  const int result = self.real_->xWrite(file, bytes, size_bytes, offset);
  // A checkpoint's pages too, but no transaction is open then, and where one begins that is forgotten.
  if (result == SQLITE_OK) self.writes_.page_bytes += static_cast<std::uint64_t>(size_bytes);
  return result;
}

int ObservedFile::Lock(sqlite3_file* file, int level) noexcept {
  ObservedFile& self = *From(file);
  if (level < SQLITE_LOCK_RESERVED) {
    self.ReadLockAsked();
    Share* const reader = self.lock_level_ == SQLITE_LOCK_NONE ? self.FirstReader() : nullptr;
    if (reader != nullptr) reader->first_read.LockAsked(reader->sink_if_counted());
    const int result = self.real_->xLock(file, level);
    if (reader != nullptr) reader->first_read.LockAnswered(result);
    if (result == SQLITE_OK) {
      self.Locked(level);
    } else if (Share* const caller = self.Caller(); caller != nullptr && !caller->ignored) {
      // A statement that writes reads first, and if that is refused doesn't come to ask for the lock to
      // write.
      caller->connection->ExplainsWrite();
    }
    return result;
  }
  Share* const caller = self.Caller();
  // Only the first step up from SHARED begins a write; PENDING and EXCLUSIVE follow within the same
  // transaction.
  const bool begins = level == SQLITE_LOCK_RESERVED && self.lock_level_ < SQLITE_LOCK_RESERVED;
  // Before the call: the wait for the lock is part of the write's duration, and shows as in flight.
  if (begins) self.LockAsked(caller);
  const int result = self.real_->xLock(file, level);
  if (result == SQLITE_OK) self.Locked(level);
  if (begins) self.lock_timer_.Answered(result == SQLITE_OK);
  if (begins || result != SQLITE_OK) self.LockAnswered(caller, result);
  return result;
}

int ObservedFile::Unlock(sqlite3_file* file, int level) noexcept {
  ObservedFile& self = *From(file);
  if (level == SQLITE_LOCK_NONE) {
    if (Share* const reader = self.FirstReader()) reader->first_read.LockReleased();
  }
  const int result = self.real_->xUnlock(file, level);
  if (self.lock_level_ >= SQLITE_LOCK_RESERVED && level < SQLITE_LOCK_RESERVED) {
    self.lock_timer_.Released(false);
    self.LockReleased();
  }
  // Also if the unlock failed: SQLite takes the lock for given back then.
  self.lock_level_ = std::min(self.lock_level_.load(), level);
  return result;
}

int ObservedFile::ShmLock(sqlite3_file* file, int offset, int count, int flags) noexcept {
  ObservedFile& self = *From(file);
  const bool is_asked = (flags & SQLITE_SHM_LOCK) != 0;
  if ((flags & SQLITE_SHM_SHARED) != 0) {
    Share* const reader = self.FirstReader();
    if (is_asked) self.ReadLockAsked();
    if (reader != nullptr) {
      is_asked ? reader->first_read.LockAsked(reader->sink_if_counted()) : reader->first_read.LockReleased();
    }
    const int result = self.real_->xShmLock(file, offset, count, flags);
    if (reader != nullptr && is_asked) reader->first_read.LockAnswered(result);
    return result;
  }
  // Of a reader that moves its mark, and of checkpoints. Recovery and a checkpoint that restarts the log take the
  // writers' lock too (wal.c); no commit follows those, so nothing is counted.
  if (offset != kWalWriteLock) return self.real_->xShmLock(file, offset, count, flags);
  if (!is_asked) {
    const int result = self.real_->xShmLock(file, offset, count, flags);
    // SQLite has written the frame by now, and reports the commit after this.
    self.writes_.released_ns = self.lock_timer_.Released(self.writes_.changed || self.in_unwatched_wal_);
    self.LockReleased();
    return result;
  }
  Share* const caller = self.Caller();
  if (self.writes_.wal == nullptr && caller != nullptr) self.FindWal(*caller, true);
  self.LockAsked(caller);
  const int result = self.real_->xShmLock(file, offset, count, flags);
  self.lock_timer_.Answered(result == SQLITE_OK);
  self.LockAnswered(caller, result);
  if (result == SQLITE_OK) self.in_unwatched_wal_ = self.writes_.wal == nullptr;
  return result;
}

int ObservedFile::FileControl(sqlite3_file* file, int operation, void* argument) noexcept {
  ObservedFile& self = *From(file);
  if (operation == kWhoObserves) {
    *static_cast<Observation*>(argument) = {&kThisCopy, &self};
    return SQLITE_OK;
  }
  const int result = self.real_->xFileControl(file, operation, argument);
  switch (operation) {
    case SQLITE_FCNTL_PDB:
      self.db_.store(static_cast<sqlite3**>(argument), std::memory_order_relaxed);
      break;
    case SQLITE_FCNTL_CKPT_DONE:
      // Of a log that ends within a change of the journal's mode, in exclusive mode: no begin shows.
      self.writes_.page_bytes = 0;
      break;
    case SQLITE_FCNTL_SYNC:
      // Sent for every commit that has changed pages, also with synchronous=OFF, where no xSync follows
      // (pager.c, sqlite3PagerSync).
      self.writes_.Changed();
      break;
    case SQLITE_FCNTL_COMMIT_PHASETWO:
      // A VFS that does nothing with it answers NOTFOUND, which SQLite takes for OK (pager.c,
      // pager_end_transaction).
      if (result == SQLITE_OK || result == SQLITE_NOTFOUND) self.Commit();
      break;
    default:
      break;
  }
  return result;
}

}  // namespace outgrown::observer
