// The store's own count of its commits, with which the counted writes are compared, and why one or the
// other is not evidence.
#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "common/file.h"
#include "exporter/collectors/collectors.h"
#include "exporter/collectors/commit_account.h"

namespace outgrown::exporter {
namespace {

using sqlite::CommitCounter;
using sqlite::Measured;
using sqlite::Problem;
using sqlite::WalWatch;

constexpr std::string_view kCommitsProblemMetric = "checkpoint_store_commits_problem_info";
// Every writer holds the write lock for a moment. One that has held it for so long makes others wait, and is looked for.
constexpr std::uint64_t kLongHoldNs = 1'000'000'000;
constexpr std::string_view kMeasurementMetric = "checkpoint_measurement_problem_info";

std::uint64_t NowUnixNs() {
  // The wall clock, in which counter blocks say when they were made.
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

// If a life of the wal-index began while the counter was read, a connection without a log is normal.
Measured<CommitCounter> Read(const std::string& path, const sqlite::StoreFiles& files, sqlite::SeenFiles seen,
                             WalWatch& watch, WalWatch::Seen& lives) {
  constexpr int kTries = 2;
  for (int tries = 1; true; ++tries) {
    const std::optional<WalWatch::Looked> looked = watch.Look(path, files.folder);
    // Another store's file system holds the watch's lock: this store's numbers are unknown for this scrape, not
    // wrong.
    if (!looked) return Problem::kStuck;
    lives = *looked;
    seen.wal_index = looked->wal_index;
    const Measured<CommitCounter> counter = sqlite::ReadCommitCounter(path, seen);
    if (counter.ok()) return counter;
    if (counter.problem() == Problem::kHeldWithoutLog) {
      const std::optional<WalWatch::Looked> after = watch.Look(path, files.folder);
      if (!after) return Problem::kStuck;
      const bool has_begun = after->begun != std::exchange(lives, *after).begun;
      if (!has_begun) return counter;
      if (tries == kTries) return Problem::kChanging;
      seen = {};  // of before
      continue;
    }
    // Encrypted and closed: the header can't be read, but a wal-index seen earlier shows that the mode is WAL.
    if (counter.problem() == Problem::kEncrypted && lives.begun > 0)
      return CommitCounter{CommitCounter::Source::kWalIndex};
    return counter;
  }
}

// How the file that a process has open relates to the one that is read here.
enum class Relation { kSame, kOther, kUnlinked, kNotComparable, kUnknown };

// Asked only where the file has no identity: it is gone, or the exporter may not look or doesn't know where.
bool IsGone(const Measured<std::string>& path) {
  if (!path.ok()) return path.problem() == Problem::kMissing;
  const Measured<sqlite::FileStatus> status = sqlite::StatusOf(*path);
  return !status.ok() && status.problem() == Problem::kMissing;
}

// Another inode in the same boot is another file. Equal inodes with different devices say nothing: overlay
// and NFS mounts give one file different device numbers.
Relation RelationOf(const block::OpenFile& open, const sqlite::FileIdentity& here, bool is_gone,
                    std::uint64_t boot) {
  if (open.inode == 0 || is_gone) return Relation::kUnlinked;
  if (here.inode == 0) return Relation::kUnknown;  // has a reason of its own (unreadable)
  if (open.boot == 0 || open.boot != boot) return Relation::kNotComparable;
  if (open.inode != here.inode) return Relation::kOther;
  return open.device == here.device ? Relation::kSame : Relation::kNotComparable;
}

// "process 1234 (python3)". The command's arguments may hold secrets, and are not read.
std::string ProcessText(pid_t process) {
  if (process == 0) return "a process in another PID namespace";
  if (process < 0) return "a process that the kernel does not name";
  const Result<std::string> command = ReadFile(fmt::format("/proc/{}/comm", process));
  if (!command) return fmt::format("process {}", process);
  return fmt::format("process {} ({})", process, command->substr(0, command->find('\n')));
}

}  // namespace

void ShowStoreCommitsStuck(const std::string& store, Samples& samples) {
  samples.Set(kCommitsProblemMetric, {store, sqlite::ProblemId(Problem::kStuck)}, 1);
  samples.Set(kMeasurementMetric, {store, "unreadable"}, 1);
}

Result<void> CollectStoreCommits(StoreScrape& store, Samples& samples) {
  const std::string& name = store.target.name;
  const sqlite::StoreFiles& files = FilesOf(store);
  // A database that isn't there yet is watched for in its folder.
  const Measured<std::string>& path =
      !files.path.ok() && files.path.problem() == Problem::kMissing ? files.place : files.path;
  const auto entry = store.settings.commits->Of(name, path.ok() ? *path : store.database);
  // Held while files are read: two scrapes at the same time would each add the same difference. A scrape that
  // gets stuck here is given up on, and its store not asked again (store_probes.h).
  const std::lock_guard<std::mutex> lock(entry->mutex);
  StoreLook look;
  look.now = std::chrono::steady_clock::now();
  look.now_unix_ns = NowUnixNs();
  look.blocks = store.blocks.counts;
  look.living_slots = store.blocks.living_slots;
  if (path.ok()) {
    sqlite::SeenFiles seen = {
        .is_database = files.database.ok(), .known_log = &entry->known_log, .now_unix_ns = look.now_unix_ns};
    if (files.wal.ok()) seen.log = *files.wal;
    if (look.living_slots == 0) look.log = seen.log;
    look.counter = Read(*path, files, seen, store.settings.commits->watch(), look.lives);
    if (look.counter.ok()) look.database = look.counter->database;
    if (look.database.inode == 0) look.database = sqlite::IdentityOf(*path);  // it could not be read
    look.is_held = look.living_slots == 0 && sqlite::IsHeldOpen(*path);       // asked of no other
    look.is_write_locked = look.is_held && sqlite::WriteLockHolder(*path).has_value();
    if (store.blocks.lock_held_now_ns >= kLongHoldNs) {
      if (const std::optional<pid_t> holder = sqlite::WriteLockHolder(*path))
        store.lock_holder = ProcessText(*holder);
    }
  } else {
    look.counter = path.problem();
  }
  const bool is_gone = look.database.inode == 0 && IsGone(path);
  const auto any_is = [&](Relation relation) {
    return std::ranges::any_of(store.blocks.open_files, [&](const block::OpenFile& open) {
      // A file that was closed may be moved away, as a backup.
      return (open.open > 0 || relation != Relation::kUnlinked) &&
             RelationOf(open, look.database, is_gone, store.blocks.boot) == relation;
    });
  };
  // The application's next connection makes a deleted database anew, empty, and no statement of it finds its table.
  const bool is_emptied =
      look.counter.ok() && look.counter->source == CommitCounter::Source::kHeader &&
      look.counter->page_bytes == 0 &&
      std::ranges::any_of(look.blocks, [](const BlockCount& block) { return block.successes > 0; });
  look.is_other_file = any_is(Relation::kOther) || any_is(Relation::kUnlinked);
  CommitAccount& account = entry->account;
  account.Add(look);

  const auto show = [&](std::string_view reason, bool is_so) {
    if (is_so) samples.Set(kMeasurementMetric, {name, reason}, 1);
  };
  show("other_file", any_is(Relation::kOther));
  show("unlinked_file", any_is(Relation::kUnlinked) || is_emptied);
  show("file_not_comparable", any_is(Relation::kNotComparable));
  show("held_without_log", account.is_held_without_log());
  show("not_counted", account.is_not_counted());
  show("counted_elsewhere", account.is_counted_elsewhere());
  show("not_watched", account.is_unwatched());
  const bool is_exclusive = account.lasting_problem() == Problem::kExclusive;
  show("locked_exclusively", is_exclusive);
  show("unreadable", account.lasting_problem() && !is_exclusive &&
                         account.lasting_problem() != Problem::kHeldWithoutLog);  // shown above
  if (!look.counter.ok()) return ReportProblem(store, kCommitsProblemMetric, look.counter.problem(), samples);
  const bool is_wal = look.counter->source == sqlite::CommitCounter::Source::kWalIndex;
  // A file without a page has no mode yet.
  if (is_wal || look.counter->page_bytes > 0)
    samples.Set("checkpoint_journal_mode_info", {name, is_wal ? "wal" : "rollback"}, 1);
  if (look.counter->page_bytes > 0) {
    const double page_bytes = look.counter->page_bytes;
    samples.Set("checkpoint_page_size_bytes", {name}, page_bytes);
    samples.Set("checkpoint_free_bytes", {name}, page_bytes * look.counter->free_pages);
  }
  samples.Set("checkpoint_wal_frames", {name}, look.counter->frames);
  samples.Set("checkpoint_wal_backfilled_frames", {name}, look.counter->frames_backfilled);
  samples.Set("checkpoint_wal_oldest_reader_seconds", {name}, account.oldest_reader_seconds());
  if (account.oldest_reader_seconds() > 0)
    store.oldest_reader = ProcessText(look.counter->oldest_reader->process);
  // Only with a current reading: a total that does not move while nothing can be read would look like an idle
  // store.
  samples.Set("checkpoint_store_commits_total", {name}, static_cast<double>(account.commits()));
  samples.Set("checkpoint_store_commits_missed_total", {name}, static_cast<double>(account.missed()));
  if (store.are_blocks_read)
    samples.Set("checkpoint_counted_commits_total", {name}, static_cast<double>(account.counted()));
  return {};
}

}  // namespace outgrown::exporter
