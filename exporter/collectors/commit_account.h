// Both sides of a store's coverage since this exporter first saw it: the commits that the store made and the successful
// writes that its counter blocks counted. Both begin at 0 with the same scrape, and only differences that were seen are
// added, so that an exporter's restart resets both alike and no rate ever contains what was there before.
//
//   WAL mode        what WalWatch adds up over the lives of the wal-index
//   rollback modes  differences of the header's change counter
//   counted         differences of each block's successes; a block that was made since counts from its beginning
//
// This, and which log was read last (sqlite::KnownLog), is the only state that the exporter keeps from one scrape to the
// next; it is in memory only.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "exporter/sqlite/commit_counter.h"
#include "exporter/sqlite/probe_file.h"
#include "exporter/sqlite/wal_watch.h"

namespace outgrown::exporter {

// A counter block as it was read for one scrape.
struct BlockCount {
  std::string file;
  std::uint64_t created_unix_ns = 0;
  std::uint64_t successes = 0;
};

// What one scrape found of a store.
struct StoreLook {
  std::chrono::steady_clock::time_point now;
  std::uint64_t now_unix_ns = 0;
  sqlite::Measured<sqlite::CommitCounter> counter = sqlite::Problem::kNoPath;
  sqlite::FileIdentity database;
  sqlite::WalWatch::Seen lives;
  bool is_held = false;  // a connection has the database open
  // Asked while no slot lives:
  bool is_write_locked = false;           // a connection holds the store's one write lock
  std::optional<sqlite::FileStatus> log;  // the write-ahead log, as it was before `counter` was read
  bool is_other_file = false;             // a process has another file open than the one that is read
  std::vector<BlockCount> blocks;         // all that there are
  std::uint64_t living_slots = 0;
};

class CommitAccount {
 public:
  void Add(const StoreLook& look);

  std::uint64_t commits() const { return commits_; }
  std::uint64_t counted() const { return counted_; }
  // How often commits went unseen, so that commits() is a lower bound: lives of the wal-index that were not read to
  // their end, and changes of the file or of the journal mode between two looks.
  std::uint64_t missed() const { return missed_; }

  // The store can't be watched, and no connection was open all the time since the last look.
  bool is_unwatched() const { return is_unwatched_; }
  // Its writes are not counted: it is open, was written to within ten minutes, or somebody tries in vain.
  bool is_not_counted() const { return is_not_counted_; }
  // More writes were counted than were committed here, by more than the allowance of any length of time. Only the
  // exporter's restart and what may have hidden commits begin that anew.
  bool is_counted_elsewhere() const { return is_counted_elsewhere_; }
  // A connection has the database open whose write-ahead log is not here, by three looks in a row: while a slow disk makes or
  // removes the log, one look may find that.
  bool is_held_without_log() const { return looks_without_log_ == kLooksWithoutLog; }
  // For how long each look has found the same reader on the same old snapshot; 0 if there is none, or a new one.
  double oldest_reader_seconds() const { return oldest_reader_seconds_; }
  // Why its commits can't be read, where the cause does not pass by itself.
  std::optional<sqlite::Problem> lasting_problem() const { return lasting_problem_; }

 private:
  void AddCounter(const sqlite::CommitCounter& counter, const StoreLook& look, std::uint64_t newly_counted,
                  std::uint64_t newly_in_wal);
  void FindCommitsOutsideWal(const sqlite::CommitCounter& counter, const sqlite::FileIdentity& database);
  std::uint64_t AddBlocks(const StoreLook& look);
  void JudgeCounting(const StoreLook& look, std::uint64_t newly_committed, std::uint64_t newly_counted);
  void JudgeReading(const StoreLook& look);
  void JudgeExcess(const StoreLook& look, std::uint64_t commits_before, bool is_continuous);
  void TimeReader(const StoreLook& look);

  struct Block {
    std::size_t file = 0;  // a hash of its path, which would take more room; a store has a few
    std::uint64_t created_unix_ns = 0;
    std::uint64_t successes = 0;
  };
  // Commits since a write was last counted, or a living writer was last seen.
  struct Uncounted {
    std::chrono::steady_clock::time_point first;
    std::chrono::steady_clock::time_point last;
    std::uint64_t commits = 0;
  };
  // Looks that found an attempt to write, since the last commit.
  struct Attempts {
    std::chrono::steady_clock::time_point first;
    std::chrono::steady_clock::time_point last;
  };
  // Of a store in which no slot lives.
  struct Unattended {
    bool IsWritten(const StoreLook& look, std::uint64_t newly_committed, std::uint64_t newly_counted);
    bool IsTriedInVain(const StoreLook& look, std::uint64_t newly_committed);

    std::optional<Uncounted> uncounted;
    std::optional<Attempts> attempts;
    std::optional<sqlite::FileStatus> log;  // at the last look
  };
  struct Header {
    std::uint32_t change_counter = 0;
    sqlite::FileIdentity database;
  };
  struct HeaderInWal {
    std::uint32_t change_counter = 0;
    sqlite::FileIdentity database;
    std::uint64_t seen = 0;        // commits_ and missed_ by then
    bool is_checkpointed = false;  // the whole log is in the file, so no earlier commit will move the counter
  };

  std::uint64_t commits_ = 0;
  std::uint64_t counted_ = 0;
  std::uint64_t missed_ = 0;
  bool is_unwatched_ = false;
  bool is_not_counted_ = false;
  std::optional<sqlite::Problem> lasting_problem_;
  bool is_counted_elsewhere_ = false;
  static constexpr int kLooksWithoutLog = 3;
  int looks_without_log_ = 0;  // in a row
  double oldest_reader_seconds_ = 0;

  std::optional<std::uint64_t> first_look_unix_ns_;
  std::optional<sqlite::CommitCounter::Source> source_;  // at the last look that gave a value
  std::optional<Header> header_;                         // in a rollback mode
  std::optional<HeaderInWal> start_in_wal_;  // from where on the header is compared with the commits
  std::optional<HeaderInWal> last_in_wal_;   // at the last look
  sqlite::WalWatch::Seen lives_;
  std::vector<Block> blocks_;
  std::optional<std::chrono::steady_clock::time_point> counted_at_;  // when a counted write was last seen
  std::unique_ptr<Unattended> unattended_;
  std::optional<std::chrono::steady_clock::time_point> unread_since_;
  std::optional<double>
      most_spare_;  // by which commits have exceeded what was counted, at most; see JudgeExcess
  sqlite::FileIdentity database_;  // at the last look
  std::optional<sqlite::OldReader> oldest_reader_;
  std::chrono::steady_clock::time_point oldest_reader_since_;
};

// The accounts of all stores, by name. One that isn't asked for during ten minutes is forgotten; at another path it
// begins anew. Thread-safe.
class CommitAccounts {
 public:
  struct Entry {
    std::mutex mutex;  // of the two below: scrapes at the same time take turns
    CommitAccount account;
    sqlite::KnownLog known_log;
    std::size_t path = 0;  // a hash of it
    std::chrono::steady_clock::time_point asked;
  };
  std::shared_ptr<Entry> Of(const std::string& store, const std::string& path);

  sqlite::WalWatch& watch() { return watch_; }

 private:
  std::mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Entry>> entries_;
  std::chrono::steady_clock::time_point swept_;
  sqlite::WalWatch watch_;
};

}  // namespace outgrown::exporter
