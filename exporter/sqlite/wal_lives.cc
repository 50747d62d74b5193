#include "exporter/sqlite/wal_lives.h"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <utility>

namespace outgrown::exporter::sqlite {
namespace {

// More than two open files happen only when wal-indexes are removed under living connections; this bounds the
// descriptors.
constexpr std::size_t kLivesMax = 4;

// A writer may be preempted between the two copies of the header; it is not waited for, the next Look reads
// it again.
constexpr int kReadsMax = 8;

// inotify's queue is read at once by a thread of its own, so an event that is a second late does not come any
// more.
constexpr std::chrono::seconds kEventDelayMax(1);

// iChange continues at 0 after 2^32 - 1; any other lower value is another life's.
bool IsWrapped(std::uint32_t from, std::uint32_t to) {
  // 268 million commits between two looks: more than any store makes.
  constexpr std::uint32_t kNear = 1U << 28U;
  return from > UINT32_MAX - kNear && to < kNear;
}

// A connection holds the byte shared for as long as it has the wal-index open; it is held exclusively only to
// empty a file that no connection holds (unixLockSharedMemory in SQLite's os_unix.c).
bool IsIndexHeld(const ProbeFile& file) {
  const auto lock = file.LockOn(F_WRLCK, kWalIndexHeldByte, 1);
  return lock.ok() && *lock && !(*lock)->is_exclusive;
}

}  // namespace

WalLives::~WalLives() {
  for (Life& life : lives_) Forget(life);
}

void WalLives::Take(const Happened& happened) {
  Life* newest = lives_.empty() ? nullptr : &lives_.back();
  switch (happened.event) {
    case Event::kAppeared:
      is_next_from_elsewhere_ = true;
      [[fallthrough]];
    case Event::kCreated:
      ++begun_;
      ++unopened_;
      // The event may be about the file that is open already (opened before the event came); earlier closes
      // are not its.
      if (newest != nullptr && !newest->is_settled) newest->closes = 0;
      break;
    case Event::kRemoved:
      is_index_removed_ = true;
      if (newest == nullptr || !newest->is_here) break;
      // SQLite unlinks the wal-index before it closes it (unixShmUnmap with deleteFlag); rm(1) behind a
      // closed one does not.
      newest->is_removed_open = newest->is_removed_open || newest->closes == 0;
      newest->is_here = false;
      break;
    case Event::kClosed:
      if (newest == nullptr) break;
      newest->closes += newest->is_here ? 1 : 0;
      newest->is_change_closed = newest->changes > 0;
      break;
    case Event::kChanged:
      for (Life& life : lives_) {
        if (life.watch != happened.watch) continue;
        // Growth of one life comes as many changes without a close between them.
        if (life.changes == 0 || life.is_change_closed) ++life.changes;
        life.is_change_closed = false;
        life.is_changed_after_close = life.is_changed_after_close || life.closes > 0;
      }
      break;
    case Event::kLogRemoved:
      // SQLite deletes the wal-index first (sqlite3WalClose).
      if (!std::exchange(is_index_removed_, false)) ++missed_;
      break;
  }
}

// The lock is checked before the header is read: if no connection held it, no commit came after what was
// read.
void WalLives::Look(std::span<const Happened> events) {
  for (const Happened& happened : events) Take(happened);
  files_ = FilesNow();
  const Measured<FileStatus> there = OpenNewest();
  for (Life& life : lives_) {
    Reading& reading = life.reading = {};
    // Of the newest, stat has just said it.
    const Measured<FileStatus> status =
        there.ok() && there->is_same_file(life.file->opened()) ? there : life.file->Status();
    if (status.ok()) reading.size_bytes = status->size_bytes;
    reading.is_held = IsIndexHeld(*life.file);
    WalIndexBytes bytes = {};
    for (int reads = 0; reads < kReadsMax && !reading.is_valid && !reading.is_blank; ++reads) {
      const Measured<std::size_t> read = life.file->ReadAt(0, bytes);
      reading.is_blank = read.ok() ? IsBlank(bytes) : read.problem() == Problem::kTruncated;
      if (!read.ok()) break;
      const Measured<WalIndex> index = DecodeWalIndex(bytes);
      // A writer is between the two copies; the next read is a microsecond later.
      if (!index.ok()) continue;
      reading.is_valid = true;
      reading.index = *index;
    }
  }
}

Measured<FileStatus> WalLives::OpenNewest() {
  const Measured<FileStatus> there = StatusOf(path_);
  bool is_open = false;
  for (Life& life : lives_) {
    life.is_here = there.ok() && life.file->opened().is_same_file(*there);
    is_open = is_open || life.is_here;
  }
  if (!there.ok() || is_open) return there;
  Measured<ProbeFile> file = ProbeFile::Open(path_, true);
  if (!file.ok()) return file.problem();
  if (!is_watched_) {
    ++begun_;
    if (!is_beginning_) ++missed_;  // others may have come and gone since the last Look
  } else {
    --unopened_;
  }
  Life life{std::make_shared<const ProbeFile>(std::move(*file))};
  life.was_there = is_beginning_ || std::exchange(is_next_from_elsewhere_, false);
  if (is_watched_) life.watch = begin_watch_(life.file->descriptor());
  lives_.push_back(std::move(life));
  return there;
}

// The file is empty again, or its counter started over: its next life.
void WalLives::BeginAgain(Life& life) {
  // Its last commits were not read, or not known to be SQLite's.
  if ((!life.is_over || life.is_unexplained) && !std::exchange(life.is_missed, false)) ++missed_;
  // Each change that a close separates from the next was a life of its own.
  if (life.changes > 1) missed_ += static_cast<std::uint64_t>(life.changes) - 1;
  ++begun_;
  life.was_there = life.was_held = false;
  life.is_removed_open = life.is_removed_open && !life.is_here;  // it was the new one's removal
  life.seen = 0;
}

void WalLives::SettleLife(Life& life) {
  const Reading& now = life.reading;
  if (!life.is_settled) {
    if (life.was_there && !now.is_valid && !now.is_blank) return;  // what was there before is not known yet
    // What was there before is where the count begins.
    if (life.was_there) life.seen = now.index.commits;
    // It was closed already, yet it is in use: that may be another life in the same file.
    const bool is_left_behind = life.is_here && !now.is_held;
    if (!life.was_there && life.closes > (is_left_behind ? 1 : 0)) ++missed_;
  } else {
    // A file that no connection held was emptied before it was used again; otherwise it grew, and the event
    // of that may come later than the new size. After a close it may have been either: then the difference is a
    // lower bound.
    const bool had_commits = life.was_held || life.seen > 0 || life.is_unexplained;
    // Without commits a first change may be the growth of the life that was just begun.
    const bool is_emptied = (life.is_over && life.changes > (had_commits ? 0 : 1)) ||
                            now.size_bytes < life.settled_size_bytes || (now.is_blank && life.seen > 0);
    const bool is_lower =
        now.is_valid && now.index.commits < life.seen && !IsWrapped(life.seen, now.index.commits);
    if (is_emptied || is_lower) {
      BeginAgain(life);
    } else if (!life.is_over && life.is_changed_after_close) {
      ++missed_;
    }
  }
  life.is_settled = true;
  life.is_over = !now.is_held;
  life.was_held = life.was_held || now.is_held;
  life.settled_size_bytes = now.size_bytes;
  life.changes = life.closes = 0;
  life.is_change_closed = life.is_changed_after_close = false;
  if (!now.is_valid) return;
  // A file that nobody was seen to hold may have been copied here (cp, rsync), with commits that were made
  // elsewhere.
  life.is_unexplained =
      now.index.commits != life.seen && !(life.was_there || life.was_held || life.is_removed_open);
  if (life.is_unexplained) {
    // Nor may they be nobody's: a process that wrote and was gone before the first look leaves just this.
    if (life.is_over && !std::exchange(life.is_missed, true)) ++missed_;
    return;
  }
  // Modulo 2^32, so that a counter that wrapped adds the right difference.
  commits_ += now.index.commits - life.seen;
  life.seen = now.index.commits;
}

// Whether its last count was read.
bool WalLives::Forget(Life& life) {
  if (life.watch >= 0) end_watch_(life.watch);
  return life.reading.is_blank || (life.reading.is_valid && life.reading.index.commits == life.seen);
}

namespace {

// Whether a write since would show in its times. The kernel's clock for files moves every 10 ms at least, that of some file
// systems only every 2 s.
bool IsOld(const FileStatus& file) {
  constexpr std::uint64_t kKernelTickNs = 10'000'000;
  const std::uint64_t tick_ns = file.changed_ns % kKernelTickNs != 0 ? kKernelTickNs : kClockTickNs;
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  return file.modified_s + static_cast<double>(tick_ns) * 1e-9 < now.count();
}

// By the time of the last write, not of the last change: SQLite sets the owner of the log whenever root opens it.
bool IsSame(const std::optional<FileStatus>& before, const std::optional<FileStatus>& now) {
  return before && now && before->identity() == now->identity() && before->size_bytes == now->size_bytes &&
         before->modified_s == now->modified_s;
}

}  // namespace

WalLives::Files WalLives::FilesNow() const {
  Files files;
  if (const Measured<FileStatus> database = StatusOf(database_path_); database.ok())
    files.database = *database;
  if (const Measured<FileStatus> log = StatusOf(log_path_); log.ok() && log->size_bytes > 0) files.log = *log;
  files.are_old = (!files.database || IsOld(*files.database)) && (!files.log || IsOld(*files.log));
  return files;
}

// Each commit writes to the log, which is deleted or emptied once it is in the database.
bool WalLives::IsWritten(const Files& before, const Files& now) {
  return !before.are_old || !IsSame(before.database, now.database) ||
         (now.log && !IsSame(before.log, now.log));
}

void WalLives::Settle() {
  bool is_new = false;
  for (Life& life : lives_) {
    is_new = is_new || !life.is_settled;
    SettleLife(life);
  }
  std::erase_if(lives_, [this](Life& life) {
    // Removed and held by nobody: no commit can come any more.
    const bool is_done = !life.is_here && life.is_over;
    if (is_done && !Forget(life) && !life.is_missed) ++missed_;
    return is_done;
  });
  if (lives_.size() > kLivesMax) {
    Forget(lives_.front());
    lives_.erase(lives_.begin());
    ++missed_;
  }
  const bool is_quiet = begun_ == std::exchange(begun_at_settle_, begun_);
  is_long_lived_ = is_quiet && !is_new && !lives_.empty() && lives_.back().is_here && !lives_.back().is_over;
  // Beginnings that no file was opened for: the file was gone by then.
  if (unopened_ > 0) missed_ += static_cast<std::uint64_t>(std::exchange(unopened_, 0));
  // Connections that only read begin lives, too. Whoever wrote before the files were looked at did so after the events of his
  // life, which were all taken by then.
  if (!IsWritten(std::exchange(files_at_settle_, files_), files_)) missed_ = missed_at_settle_;
  // A file may be opened before the event of its creation comes; if that does not come soon, it was lost.
  const auto clock = std::chrono::steady_clock::now();
  if (unopened_ == 0) ahead_since_ = clock;
  if (clock - ahead_since_ > kEventDelayMax) unopened_ = 0;
  if (std::exchange(is_beginning_, false)) {
    missed_ = 0;
    unopened_ = 0;
  }
  missed_at_settle_ = missed_;
}

std::optional<WalIndexSeen> WalLives::newest() const {
  if (lives_.empty() || !lives_.back().is_here || !lives_.back().reading.is_valid) return std::nullopt;
  return WalIndexSeen{lives_.back().file, lives_.back().reading.index};
}

void WalLives::SetWatched(bool is_watched) {
  is_watched_ = is_watched;
  unopened_ = 0;
  for (Life& life : lives_) {
    if (life.watch >= 0) end_watch_(life.watch);
    life.watch = is_watched ? begin_watch_(life.file->descriptor()) : -1;
  }
}

void WalLives::EventsLost() {
  ++missed_;
  ++missed_at_settle_;  // who comes to write later may have begun before
  unopened_ = 0;
}

}  // namespace outgrown::exporter::sqlite
