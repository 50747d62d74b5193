#include "exporter/collectors/commit_account.h"

#include <algorithm>
#include <functional>
#include <ratio>
#include <utility>

#include "common/horizons.h"

namespace outgrown::exporter {
namespace {

using sqlite::CommitCounter;
using sqlite::Problem;

// A larger difference of two change counters, which wrap at 2^32, is one that went back.
constexpr std::uint32_t kForward = 1U << 31U;

constexpr std::chrono::minutes kForgottenAfter(10);
constexpr std::chrono::minutes kSweepEvery(1);

// A rule's window (5 minutes) plus the longest usable scrape interval (Prometheus' lookback of 5 minutes):
// for that long the uncounted commits are part of the rates.
constexpr std::chrono::minutes kUncountedShown(10);

// A program that replicates or maintains the store commits occasionally, Litestream once a minute.
constexpr double kOthersPerMinute = 2;

// Some programs record transactions that wrote nothing. The coverage's own bounds, for a stretch of any length.
constexpr double kEmptyRatio = 0.05;
constexpr double kExcessAllowed = 7;

// A daily job's day, and two hours in which it may be late: how long a silent store is remembered, too.
constexpr std::chrono::milliseconds kCountedLately(kLookbackMs);

// A VACUUM of some gigabytes takes less than this: it holds the write lock, and writes to the log, until it commits.
constexpr std::chrono::minutes kTriedFor(5);

// A commit, a checkpoint or a recovery takes less than this, so a problem that lasts longer is not one of
// these.
constexpr std::chrono::seconds kPasses(30);

bool IsLasting(Problem problem) {
  switch (problem) {
    case Problem::kNoPath:
    case Problem::kNoPermission:
    case Problem::kNotRegular:
    case Problem::kUnreadable:
    case Problem::kStuck:
      return true;
    default:
      return false;
  }
}

}  // namespace

std::uint64_t CommitAccount::AddBlocks(const StoreLook& look) {
  std::uint64_t newly = 0;
  for (const BlockCount& now : look.blocks) {
    const std::size_t file = std::hash<std::string>()(now.file);
    auto block = std::ranges::find(blocks_, file, &Block::file);
    const bool is_new = block == blocks_.end();
    if (is_new) block = blocks_.insert(block, Block{file});
    // Writes from before the first look may be of just before it.
    if (is_new && now.successes > 0) counted_at_ = look.now;
    const bool is_same = !is_new && block->created_unix_ns == now.created_unix_ns;
    // Fewer successes in the same block would be a damaged one: nothing is added, and the next look goes on
    // from there.
    if (is_same && now.successes >= block->successes) {
      newly += now.successes - block->successes;
    } else if (!is_same && first_look_unix_ns_ && now.created_unix_ns >= *first_look_unix_ns_) {
      newly += now.successes;
    }
    *block = {file, now.created_unix_ns, now.successes};
  }
  counted_ += newly;
  if (newly > 0) counted_at_ = look.now;
  return newly;
}

// A journal mode that was changed and changed back between two looks shows in the header alone. In WAL mode a commit adds
// one to its counter or nothing, and a checkpoint brings that into the file. So a larger difference is commits outside of
// the log. The header is read after the lives: what it says at one look was committed before the lives of the next.
void CommitAccount::FindCommitsOutsideWal(const CommitCounter& counter,
                                          const sqlite::FileIdentity& database) {
  if (last_in_wal_ && last_in_wal_->database != database) start_in_wal_ = last_in_wal_ = std::nullopt;
  if (start_in_wal_) {
    const std::uint32_t moved = last_in_wal_->change_counter - start_in_wal_->change_counter;
    const std::uint64_t seen = commits_ + missed_ - start_in_wal_->seen;
    const bool is_forward = moved < kForward;
    const std::uint64_t unseen = is_forward && moved > seen ? moved - seen : 0;
    missed_ += unseen;
    if (last_in_wal_->is_checkpointed || !is_forward) {
      start_in_wal_ = last_in_wal_;
      start_in_wal_->seen += unseen;
    }
  }
  last_in_wal_ = {counter.change_counter, database, commits_ + missed_,
                  counter.frames == counter.frames_backfilled};
  if (!start_in_wal_ && last_in_wal_->is_checkpointed) start_in_wal_ = last_in_wal_;
}

void CommitAccount::AddCounter(const CommitCounter& counter, const StoreLook& look,
                               std::uint64_t newly_counted, std::uint64_t newly_in_wal) {
  const bool is_first = !first_look_unix_ns_;
  const bool was_wal = source_ == CommitCounter::Source::kWalIndex;
  source_ = counter.source;
  if (counter.source == CommitCounter::Source::kWalIndex) {
    // The change to WAL mode itself adds one to the header's counter. A larger difference are commits that
    // were not seen.
    if (header_ && header_->change_counter > 0 && counter.change_counter != header_->change_counter + 1)
      ++missed_;
    // In WAL mode the header's counter moves by none, some or all of the commits, so it is no start for a
    // later rollback mode.
    header_.reset();
    FindCommitsOutsideWal(counter, look.database);
    return;
  }
  start_in_wal_ = last_in_wal_ = std::nullopt;
  const std::uint32_t now = counter.change_counter;
  const bool is_same_file = header_ && header_->database == look.database;
  // Unsigned, so that the difference is right when the counter wraps at 2^32.
  std::uint32_t newly = is_same_file ? now - header_->change_counter : now;
  // A counter that went back (a restored backup at the same inode) is a huge step forward modulo 2^32.
  const bool is_forward = newly < kForward;
  // Another file brings its own count along. Only if it has no more commits than were counted meanwhile is it
  // a new, empty one.
  const bool is_explained = is_same_file || (!was_wal && newly <= newly_counted);
  header_ = {now, look.database};
  // What was committed before the exporter looked for the first time is no part of either side.
  if (is_first) return;
  if (is_forward && is_explained) {
    // The mode was WAL in between, and some of that are commits that the lives have shown.
    if (newly_in_wal > 0) {
      newly -= static_cast<std::uint32_t>(std::min<std::uint64_t>(newly, newly_in_wal));
      ++missed_;
    }
    commits_ += newly;
  } else {
    ++missed_;
  }
}

// A program that only reads, or one that replicates, takes no write lock for long, and writes no frames that it doesn't
// commit. A failing one does: it waits for the lock that another holds, or its frames meet a full disk. A new log, and one
// that a checkpoint has cut or emptied, were written by nobody's transaction.
bool CommitAccount::Unattended::IsTriedInVain(const StoreLook& look, std::uint64_t newly_committed) {
  const bool is_log_written = log && look.log && log->is_same_file(*look.log) &&
                              look.log->modified_s > log->modified_s &&
                              look.log->size_bytes >= std::max<std::uint64_t>(log->size_bytes, 1);
  log = look.log;
  if (newly_committed > 0) attempts.reset();
  if (newly_committed == 0 && look.counter.ok() && (is_log_written || look.is_write_locked)) {
    if (!attempts) attempts = Attempts{look.now, look.now};
    attempts->last = look.now;
  }
  if (attempts && look.now - attempts->last > kUncountedShown) attempts.reset();
  return attempts && attempts->last - attempts->first >= kTriedFor;
}

bool CommitAccount::Unattended::IsWritten(const StoreLook& look, std::uint64_t newly_committed,
                                          std::uint64_t newly_counted) {
  if (newly_counted > 0) uncounted.reset();
  if (newly_counted == 0 && newly_committed > 0) {
    if (!uncounted) uncounted = Uncounted{look.now, look.now, 0};
    uncounted->last = look.now;
    uncounted->commits += newly_committed;
  }
  if (!uncounted) return false;
  const std::chrono::duration<double, std::ratio<60>> minutes = uncounted->last - uncounted->first;
  // At least one minute is counted, so that a single commit of a maintenance program is below the limit.
  return static_cast<double>(uncounted->commits) > kOthersPerMinute * std::max(1.0, minutes.count()) &&
         look.now - uncounted->last <= kUncountedShown;
}

void CommitAccount::JudgeCounting(const StoreLook& look, std::uint64_t newly_committed,
                                  std::uint64_t newly_counted) {
  is_not_counted_ = false;
  if (look.living_slots > 0) {
    unattended_.reset();
    return;
  }
  if (unattended_ == nullptr) unattended_ = std::make_unique<Unattended>();
  // If the store was counted lately, that it is open without a writer is fine: it may be a program that only reads or
  // replicates it while the application, a daily job, is not running. Later it may be the application itself, deployed
  // without the observer, whose writes all fail and leave no trace.
  const bool was_counted = counted_at_ && look.now - *counted_at_ <= kCountedLately;
  const bool is_written = unattended_->IsWritten(look, newly_committed, newly_counted);
  const bool is_tried = unattended_->IsTriedInVain(look, newly_committed);
  is_not_counted_ = is_written || is_tried || (look.is_held && !was_counted);
}

void CommitAccount::JudgeReading(const StoreLook& look) {
  lasting_problem_.reset();
  if (look.counter.ok()) {
    unread_since_.reset();
    return;
  }
  if (!unread_since_) unread_since_ = look.now;
  const Problem problem = look.counter.problem();
  if (IsLasting(problem) || look.now - *unread_since_ >= kPasses) lasting_problem_ = problem;
}

// A rate can't show a few writes an hour that are counted and don't arrive, but their sum can. From each earlier look on
// at most as many writes may have been counted as were committed; the look with the most to spare shows the most.
//
// The blocks are read before the commits, so what was committed up to the look before was committed before this look's
// blocks were read: with that as the start, and this look's commits as the end, no write is counted without its commit.
void CommitAccount::JudgeExcess(const StoreLook& look, std::uint64_t commits_before, bool is_continuous) {
  const auto spare = [this](std::uint64_t commits) {
    return (1 + kEmptyRatio) * static_cast<double>(commits) - static_cast<double>(counted_);
  };
  if (!is_continuous) {
    most_spare_.reset();
    is_counted_elsewhere_ = false;
    return;
  }
  most_spare_ = std::max(most_spare_.value_or(spare(commits_before)), spare(commits_before));
  // Without a reading the commits are old ones.
  if (look.counter.ok()) is_counted_elsewhere_ = *most_spare_ - spare(commits_) > kExcessAllowed;
}

// A look between two readers on the same mark takes them for one. That takes two transactions that begin at the same
// snapshot while others commit, since a new reader takes the newest snapshot.
void CommitAccount::TimeReader(const StoreLook& look) {
  const std::optional<sqlite::OldReader> reader =
      look.counter.ok() ? look.counter->oldest_reader : std::nullopt;
  if (reader != oldest_reader_) oldest_reader_since_ = look.now;
  oldest_reader_ = reader;
  oldest_reader_seconds_ =
      reader ? std::chrono::duration<double>(look.now - oldest_reader_since_).count() : 0;
}

void CommitAccount::Add(const StoreLook& look) {
  const std::uint64_t newly_counted = AddBlocks(look);
  const std::uint64_t commits_before = commits_;
  const std::uint64_t missed_before = missed_;
  const auto source_before = source_;
  const bool is_without_log = !look.counter.ok() && look.counter.problem() == Problem::kHeldWithoutLog;
  looks_without_log_ = is_without_log ? std::min(looks_without_log_ + 1, kLooksWithoutLog) : 0;
  if (lives_.since == look.lives.since) {
    commits_ += look.lives.commits - lives_.commits;
    missed_ += look.lives.missed - lives_.missed;
  } else if (lives_.since != 0 && look.lives.since != 0) {
    ++missed_;  // the watch started again, so commits in between are unknown
  }
  // 0: the store was not looked at by the watch (a path that can't be resolved), so the last numbers stay the
  // start of the next difference.
  if (look.lives.since != 0) lives_ = look.lives;
  if (look.counter.ok()) AddCounter(*look.counter, look, newly_counted, commits_ - commits_before);
  is_unwatched_ = look.counter.ok() && source_ == CommitCounter::Source::kWalIndex &&
                  !look.lives.is_watched && !look.lives.is_long_lived;
  JudgeCounting(look, commits_ - commits_before, newly_counted);
  JudgeReading(look);
  JudgeExcess(look, commits_before,
              first_look_unix_ns_ && missed_ == missed_before && source_ == source_before &&
                  !lasting_problem_ && !is_unwatched_ && !look.is_other_file && look.database == database_);
  database_ = look.database;
  TimeReader(look);
  // At the end, since everything above asks whether this is the first look.
  if (!first_look_unix_ns_) first_look_unix_ns_ = look.now_unix_ns;
}

std::shared_ptr<CommitAccounts::Entry> CommitAccounts::Of(const std::string& store, const std::string& path) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const auto now = std::chrono::steady_clock::now();
  // A store's name may come from a folder that others fill, so the accounts of names that vanish must not
  // stay.
  if (now - swept_ >= kSweepEvery) {
    swept_ = now;
    std::erase_if(entries_, [&](const auto& entry) { return now - entry.second->asked > kForgottenAfter; });
  }
  std::shared_ptr<Entry>& entry = entries_[store];
  const std::size_t hash = std::hash<std::string>()(path);
  // The old one may be in use by a thread that is stuck in it, which keeps it alive.
  if (entry == nullptr || entry->path != hash) {
    entry = std::make_shared<Entry>();
    entry->path = hash;
  }
  entry->asked = now;
  return entry;
}

}  // namespace outgrown::exporter
