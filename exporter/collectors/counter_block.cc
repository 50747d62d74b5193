// What the application counted: the store's counter blocks, of every major and every directory, summed.
//
// All or nothing: if one of a store's blocks can't be read, none of its counts is exposed, because a sum that
// misses one block for one scrape and has it again in the next reads as a counter reset, and rate() would
// count everything once more. A block of a major that this exporter doesn't know is left out and reported: it
// was never in the sum.
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include "common/time_text.h"
#include "counterblock/layout.h"
#include "counterblock/reader.h"
#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {
namespace {

using block::Outcome;
using block::Snapshot;

constexpr double kNsPerSecond = 1e9;
constexpr std::uint64_t kNsPerMs = 1'000'000;

// A loss is shown for a rule's window (5 minutes) plus the longest usable scrape interval (5 minutes, after
// which Prometheus treats a series as gone): until then the uncounted writes are missing in the rates.
constexpr std::uint64_t kTraceLostShownNs = 600'000'000'000;

// More than the usual interval of scrapes, so that at a write each second none is without its file.
constexpr std::uint64_t kJustWrittenNs = 60'000'000'000;

// The outcomes that are failures of the store; a constraint is the application's own doing.
constexpr std::array kErrors = {Outcome::kBusy, Outcome::kBusySnapshot, Outcome::kFull,
                                Outcome::kIo,   Outcome::kCorrupt,      Outcome::kOther};

// A reason as a label: numbers become N, so that a damaged block that changes all the time makes no new
// series.
std::string ReasonLabel(std::string_view what) {
  std::string label;
  bool in_number = false;
  for (const char c : what) {
    const bool is_digit = c >= '0' && c <= '9';
    if (is_digit && !in_number) label += 'N';
    if (!is_digit) label += c;
    in_number = is_digit;
  }
  return label;
}

struct BlockSum {
  std::array<std::uint64_t, block::kOutcomeCount> writes = {};
  std::uint64_t bytes = 0;
  std::uint64_t overflow_records = 0;
  // Of the oldest block, so that one which an upgraded application adds changes nothing.
  std::uint64_t created_unix_ns = UINT64_MAX;
  std::uint64_t last_write_unix_ns = 0;
  std::uint64_t in_flight = 0;
  std::uint64_t oldest_in_flight_ns = 0;
  std::uint64_t lock_wait_ns = 0;
  std::uint64_t lock_held_ns = 0;
  std::uint64_t lock_holds = 0;
  std::uint64_t unchanged = 0;
  std::uint64_t unchanged_refused = 0;
  std::uint64_t writers = 0;
  std::uint64_t slots = 0;
  bool is_trace_lost = false;
  std::array<bool, block::kRefusalCount> is_refused = {};
  HistogramValue durations;
  BlocksSay says;
};

void AddDurations(HistogramValue& sum, const Snapshot& snapshot) {
  const block::CumulativeHistogram histogram = block::DurationHistogram(snapshot);
  // The bounds are those of every block, since they are a part of the major's ABI.
  if (sum.buckets.empty()) {
    for (const auto& bucket : histogram.buckets) sum.buckets.push_back({bucket.upper_bound_seconds, 0});
    sum.buckets.push_back({std::numeric_limits<double>::infinity(), 0});
  }
  for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
    sum.buckets[i].cumulative_count += histogram.buckets[i].count;
  }
  sum.buckets.back().cumulative_count += histogram.count;
  sum.sum += histogram.sum_seconds;
}

void Add(BlockSum& sum, const Snapshot& snapshot) {
  for (std::size_t i = 0; i < sum.writes.size(); ++i) sum.writes[i] += snapshot.writes[i];
  sum.bytes += snapshot.bytes;
  sum.overflow_records += snapshot.overflow_records;
  sum.created_unix_ns = std::min(sum.created_unix_ns, snapshot.created_unix_ns);
  sum.last_write_unix_ns = std::max(sum.last_write_unix_ns, snapshot.last_write_unix_ns);
  sum.in_flight += snapshot.in_flight;
  sum.oldest_in_flight_ns = std::max(sum.oldest_in_flight_ns, snapshot.oldest_in_flight_ns);
  sum.lock_wait_ns += snapshot.lock_wait_ns;
  sum.lock_held_ns += snapshot.lock_held_ns;
  sum.lock_holds += snapshot.lock_holds;
  sum.unchanged += snapshot.unchanged;
  sum.unchanged_refused += snapshot.unchanged_refused;
  sum.writers += snapshot.writers;
  sum.slots += snapshot.slots;
  sum.is_trace_lost = sum.is_trace_lost || snapshot.trace_lost_ago_ns <= kTraceLostShownNs;
  for (std::size_t i = 0; i < sum.is_refused.size(); ++i) {
    sum.is_refused[i] = sum.is_refused[i] || snapshot.refused[i].ago_ns <= kTraceLostShownNs;
  }
  AddDurations(sum.durations, snapshot);
}

bool IsKnownMajor(const BlockPlace& place) { return place.name.major == block::kMajor; }

// Reads all blocks of the store and finds its database: --store's path wins, else the blocks have to agree.
Result<BlockSum> ReadBlocks(StoreScrape& store) {
  if (store.target.blocks.empty()) return Error{"there is no counter block", ""};
  BlockSum sum;
  std::string database;
  bool disagree = false;
  for (const BlockPlace& place : store.target.blocks) {
    if (!IsKnownMajor(place) && std::ranges::any_of(store.target.blocks, IsKnownMajor)) continue;
    const Result<Snapshot> snapshot = block::ReadBlock(*place.folder, place.name);
    if (!snapshot) return snapshot.error();
    disagree =
        disagree || (!database.empty() && !snapshot->database.empty() && snapshot->database != database);
    if (!snapshot->database.empty()) database = snapshot->database;
    Add(sum, *snapshot);
    sum.says.counts.push_back({place.folder->path() + '/' + block::FileNameOf(place.name),
                               snapshot->created_unix_ns, block::WritesOf(*snapshot, Outcome::kOk)});
    sum.says.living_slots += snapshot->writers;
    sum.says.last_write_unix_ns = std::max(
        sum.says.last_write_unix_ns, snapshot->in_flight > 0 ? static_cast<std::uint64_t>(NowMs()) * kNsPerMs
                                                             : snapshot->last_write_unix_ns);
    sum.says.boot = snapshot->boot;
    sum.says.lock_held_now_ns = std::max(sum.says.lock_held_now_ns, snapshot->lock_held_now_ns);
    for (const block::LivingSlot& slot : snapshot->living) {
      // A process that has closed the database holds its slot, but writes nothing any more; or it opens it for each
      // write, and no look finds it open.
      if (slot.file && (slot.file->open > 0 || slot.wrote_ago_ns <= kJustWrittenNs))
        sum.says.open_files.push_back(*slot.file);
    }
  }
  // With --store the operator has said which file is meant.
  if (store.database.empty() && disagree) {
    return Error{"counter blocks of the same name belong to different databases",
                 store.target.blocks.back().folder->path()};
  }
  if (store.database.empty()) store.database = database;
  return sum;
}

double Seconds(std::uint64_t ns) { return static_cast<double>(ns) / kNsPerSecond; }

void Expose(const std::string& name, const BlockSum& sum, Samples& samples) {
  const auto count_of = [&](Outcome outcome) { return sum.writes[static_cast<std::size_t>(outcome)]; };
  std::uint64_t errors = 0;
  for (const Outcome outcome : kErrors) {
    // Every reason, also at 0: a series that begins with its first error has no increase by then, and rate()
    // would miss it.
    samples.Set("checkpoint_write_errors_total", {name, block::OutcomeName(outcome)},
                static_cast<double>(count_of(outcome)));
    errors += count_of(outcome);
  }
  samples.Set("checkpoint_writes_total", {name, "success"}, static_cast<double>(count_of(Outcome::kOk)));
  samples.Set("checkpoint_writes_total", {name, "error"}, static_cast<double>(errors));
  samples.Set("checkpoint_writes_total", {name, "rejected"},
              static_cast<double>(count_of(Outcome::kConstraint)));
  samples.Set("checkpoint_write_errors_total", {name, "busy_unchanged"},
              static_cast<double>(sum.unchanged_refused));
  samples.Set("checkpoint_writes_unchanged_total", {name}, static_cast<double>(sum.unchanged));
  samples.Set("checkpoint_written_bytes_total", {name}, static_cast<double>(sum.bytes));
  samples.SetHistogram("checkpoint_write_duration_seconds", {name}, sum.durations);
  samples.Set("checkpoint_block_created_timestamp_seconds", {name}, Seconds(sum.created_unix_ns));
  samples.Set("checkpoint_last_write_timestamp_seconds", {name}, Seconds(sum.last_write_unix_ns));
  samples.Set("checkpoint_writes_in_flight", {name}, static_cast<double>(sum.in_flight));
  samples.Set("checkpoint_oldest_write_in_flight_seconds", {name}, Seconds(sum.oldest_in_flight_ns));
  samples.Set("checkpoint_write_lock_wait_seconds_total", {name}, Seconds(sum.lock_wait_ns));
  samples.Set("checkpoint_write_lock_held_seconds_total", {name}, Seconds(sum.lock_held_ns));
  samples.Set("checkpoint_write_lock_holds_total", {name}, static_cast<double>(sum.lock_holds));
  samples.Set("checkpoint_write_lock_held_now_seconds", {name}, Seconds(sum.says.lock_held_now_ns));
  samples.Set("checkpoint_block_writers", {name}, static_cast<double>(sum.writers));
  samples.Set("checkpoint_block_slots", {name}, static_cast<double>(sum.slots));
  samples.Set("checkpoint_block_overflow_records_total", {name}, static_cast<double>(sum.overflow_records));
  samples.Set("checkpoint_block_trace_lost", {name}, sum.is_trace_lost ? 1 : 0);
  if (sum.is_trace_lost) samples.Set("checkpoint_measurement_problem_info", {name, "trace_lost"}, 1);
  for (std::size_t i = 0; i < block::kRefusalNames.size(); ++i) {
    const std::string reason = "refused_" + std::string(block::kRefusalNames[i]);
    if (sum.is_refused[i]) samples.Set("checkpoint_measurement_problem_info", {name, reason}, 1);
  }
}

}  // namespace

void ShowCounterBlockStuck(const std::string& store, Samples& samples) {
  samples.Set("checkpoint_block_up", {store}, 0);
  samples.Set("checkpoint_block_problem_info", {store, "its file system does not answer"}, 1);
}

Result<void> CollectCounterBlock(StoreScrape& store, Samples& samples) {
  const std::string& name = store.target.name;
  Result<BlockSum> sum = ReadBlocks(store);
  samples.Set("checkpoint_block_up", {name}, sum.ok() ? 1 : 0);
  if (!sum) {
    // Otherwise counted commits would be shown without this block's, which reads as incomplete coverage.
    store.are_blocks_read = store.target.blocks.empty();
    samples.Set("checkpoint_block_problem_info", {name, ReasonLabel(sum.error().what)}, 1);
    // A store given by --store alone has no block to read, which is no failure; an unreadable block is one.
    if (store.target.blocks.empty()) return {};
    return sum.error();
  }
  store.blocks = std::move(sum->says);
  Expose(name, *sum, samples);
  for (const BlockPlace& place : store.target.blocks) {
    if (IsKnownMajor(place)) continue;
    const Error unknown = block::ReadBlock(*place.folder, place.name).error();
    samples.Set("checkpoint_block_problem_info", {name, ReasonLabel(unknown.what)}, 1);
    // Commits that are counted there show in the coverage, errors in nothing.
    samples.Set("checkpoint_measurement_problem_info", {name, "block_unreadable"}, 1);
    return unknown;
  }
  return {};
}

}  // namespace outgrown::exporter
