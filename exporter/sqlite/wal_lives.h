// How many commits a store in WAL mode has made over all lives of its wal-index, as far as they were seen.
//
// A wal-index (-shm) counts its commits from 0 on. One begins when the file is made by the first connection, and when a
// process that ended without closing it has left the file and the next opener empties it: the same file, no deletion.
// It ends with the last connection, which deletes it. So a connection for each write is a life for each write, and a
// file that can no longer be opened. Each is opened when it begins and read from the descriptor until it is over:
//
// clang-format off
//
//      CREATED ──────► open, counts from 0 ──────► REMOVED: read once more ──────► forget
//                            │     ▲
//        CLOSED, and         │     │  emptied, or a lower count:
//        no process holds    │     │  another life in the same file
//        it: read once more  ▼     │
//                          left behind
//
// clang-format on
//
// Only differences that were seen are added. What was there before the first look is not, nor what a copied file
// brings along: a life's commits count once a process was seen to hold the wal-index (SQLite locks a byte of it), or
// if it was removed before it was closed, as SQLite does. A life that was not read to its end is a missed one; that
// is detected by comparing beginnings with lives read, never by inode numbers, which file systems reuse at once. So is a
// log that is deleted without a wal-index: that was in the memory of one connection (locking_mode=EXCLUSIVE).
//
// When is a reading a life's final count? Events come later than what they report, so Look reads, and Settle takes
// the reading only when no further event had come by then.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "exporter/sqlite/commit_counter.h"
#include "exporter/sqlite/headers.h"
#include "exporter/sqlite/probe_file.h"

namespace outgrown::exporter::sqlite {

class WalLives {
 public:
  enum class Event : std::uint8_t {
    kCreated,
    kAppeared,    // moved here: not begun by SQLite
    kRemoved,     // deleted or moved away
    kClosed,      // by a process that could write
    kChanged,     // written to or truncated; commits go through a mapping and do not show
    kLogRemoved,  // the log was deleted
  };
  struct Happened {
    Event event;
    int watch = -1;  // kChanged: of which open file, as `begin_watch` gave it; the others are of the name
  };

  // `begin_watch` has the changes of an open file reported and returns the watch, or -1.
  WalLives(std::string shm_path, std::function<int(int descriptor)> begin_watch,
           std::function<void(int watch)> end_watch)
      : path_(std::move(shm_path)),
        database_path_(path_.substr(0, path_.rfind("-shm"))),
        log_path_(database_path_ + "-wal"),
        begin_watch_(std::move(begin_watch)),
        end_watch_(std::move(end_watch)) {}
  ~WalLives();
  WalLives(const WalLives&) = delete;
  WalLives& operator=(const WalLives&) = delete;

  // What the next Settle finds was there before the watch: its commits so far do not count, and nothing is missed yet.
  void Begin() { is_beginning_ = true; }

  // Opens a file that is new, and reads every open one. To be called soon after an event: a life may last a third of a
  // millisecond.
  void Look(std::span<const Happened> events);

  // Takes what the last Look read. Precondition: every event up to after that Look was given to it.
  void Settle();

  // Whether events are given from now on. Where they are not, lives that come and go between two Looks are not seen.
  void SetWatched(bool is_watched);

  // Events were lost: open lives continue, and at least one life counts as missed.
  void EventsLost();

  // The wal-index at the path, if the last Look could read it.
  std::optional<WalIndexSeen> newest() const;

  const std::string& shm_path() const { return path_; }
  std::uint64_t commits() const { return commits_; }
  std::uint64_t missed() const { return missed_; }
  std::uint64_t begun() const { return begun_; }  // changes when a life begins
  // Every begin and end of the life that is open now is being watched.
  bool is_watched() const { return is_watched_ && (lives_.empty() || lives_.back().watch >= 0); }
  // A connection holds the newest wal-index, and did so at the last Settle but one without another life between.
  bool is_long_lived() const { return is_long_lived_; }

 private:
  struct Reading {
    bool is_valid = false;
    bool is_blank = false;  // too short, or nothing but zeros: it was just begun
    bool is_held = false;   // by a connection
    WalIndex index = {};
    std::uint64_t size_bytes = 0;
  };
  struct Life {
    std::shared_ptr<const ProbeFile> file;
    int watch = -1;
    Reading reading = {};          // of the last Look
    bool is_here = true;           // at the path
    bool is_settled = false;       // at least once
    bool was_there = false;        // begun before it was watched, or elsewhere
    bool was_held = false;         // by a connection, at any Look
    bool is_over = false;          // no connection held it at the last Settle
    bool is_removed_open = false;  // it was removed before it was closed
    int changes = 0;               // since the last Settle; those without a close between them are one
    bool is_change_closed = false;
    bool is_changed_after_close = false;  // since the last Settle
    int closes = 0;                       // since the last Settle, before its removal
    std::uint32_t seen = 0;               // iChange that is in commits_
    bool is_unexplained = false;  // there are more, of which it is not known whether SQLite made them here
    bool is_missed = false;       // and they are in missed_
    std::uint64_t settled_size_bytes = 0;
  };

  void Take(const Happened& happened);
  Measured<FileStatus> OpenNewest();  // what is at the path
  void SettleLife(Life& life);
  void BeginAgain(Life& life);
  bool Forget(Life& life);

  struct Files {
    std::optional<FileStatus> database;
    std::optional<FileStatus> log;  // none if it is empty, as one is that a reader makes
    bool are_old = false;           // a write since would show in their times
  };
  Files FilesNow() const;
  static bool IsWritten(const Files& before, const Files& now);

  const std::string path_;
  const std::string database_path_;
  const std::string log_path_;
  const std::function<int(int)> begin_watch_;
  const std::function<void(int)> end_watch_;
  std::vector<Life> lives_;  // open files, the newest last
  Files files_;              // of the last Look
  Files files_at_settle_;    // of the last Settle's
  std::uint64_t missed_at_settle_ = 0;
  std::uint64_t commits_ = 0;
  std::uint64_t missed_ = 0;
  std::uint64_t begun_ = 0;
  std::uint64_t begun_at_settle_ = 0;
  std::int64_t unopened_ = 0;  // beginnings less files opened; below 0: opened before the event came
  std::chrono::steady_clock::time_point ahead_since_;  // the last Settle at which unopened_ was 0
  bool is_watched_ = false;
  bool is_beginning_ = true;
  bool is_next_from_elsewhere_ = false;
  bool is_long_lived_ = false;
  bool is_index_removed_ = false;  // since a log was deleted
};

}  // namespace outgrown::exporter::sqlite
