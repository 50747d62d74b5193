// Reading a counter block of another process: with pread, never with a mapping.
//
// A mapping dies of SIGBUS when the file is truncated under it; pread gives a short read, which is an error
// with a reason. The price is that a cell could be torn between two halves. All cells are aligned 64-bit
// words, and lie in the buffer at the same offset from an aligned address as in the file: docs/counterblock.md says
// where the kernel's copy is known not to tear those.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "counterblock/block_file.h"
#include "counterblock/buckets.h"
#include "counterblock/header.h"
#include "counterblock/layout.h"

namespace outgrown::block {

// --- What a counter block says at one moment: all slots summed, living or dead.

// Of the database files that a process has open the one that it opened first; none open: the one that it opened last.
struct OpenFile {
  std::uint64_t boot = 0;    // BootId() of the kernel that the numbers are of; 0: not known
  std::uint64_t device = 0;  // st_dev
  std::uint64_t inode = 0;   // 0: the file that is open is not at its path any more
  std::uint64_t open =
      0;  // how often the process has the store's database open now, this file or an earlier one
};

// A slot that a living process holds.
struct LivingSlot {
  std::uint32_t pid = 0;              // as the process sees itself: another number in another PID namespace
  std::optional<OpenFile> file = {};  // nothing: it has opened none, or doesn't say (a writer before minor 2)
  std::uint64_t wrote_ago_ns = UINT64_MAX;  // since its last write ended; UINT64_MAX: none in this boot
};

// Connections that are not counted, for one reason.
struct Refused {
  std::uint64_t connections = 0;   // open now, of living processes
  std::uint64_t count = 0;         // from the block's making on
  std::uint64_t last_unix_ns = 0;  // the last one's begin or end, to the millisecond; 0: none in this boot
  std::uint64_t ago_ns =
      UINT64_MAX;  // since then; 0 while there are connections, UINT64_MAX: none in this boot
  std::uint32_t last_pid = 0;
};

struct Snapshot {
  // Counters: monotonic for as long as the host is up.
  std::array<std::uint64_t, kOutcomeCount> writes = {};  // by Outcome
  std::uint64_t bytes = 0;
  std::uint64_t duration_sum_ns = 0;
  std::array<std::uint64_t, kBucketCount> buckets = {};  // not cumulative, UpperBoundNs(i)
  std::uint64_t lock_wait_ns = 0;                        // waiting for the store's write lock, also in vain
  std::uint64_t lock_held_ns = 0;                        // holding it, in holds that have ended
  std::uint64_t lock_holds = 0;                          // those of them in which something was committed
  std::uint64_t unchanged = 0;          // writes that had the lock and ended without a change
  std::uint64_t unchanged_refused = 0;  // writes without the lock, of connections whose last one was such
  std::uint64_t overflow_records = 0;   // records in the shared slot

  // Gauges.
  std::uint64_t last_write_ns = 0;        // CLOCK_MONOTONIC; 0: none was counted yet
  std::uint64_t last_write_unix_ns = 0;   // the same as Unix time, to the millisecond; 0: none yet
  std::uint32_t in_flight = 0;            // living writers that are inside a write
  std::uint64_t oldest_in_flight_ns = 0;  // how long the oldest of those lasts already, 0 if there is none
  std::uint64_t lock_held_now_ns = 0;     // how long the store's write lock has been held now, 0 if it is not
  std::uint32_t writers =
      0;  // slots that a living writer holds, without those whose process only has refused connections
  std::uint64_t traces_lost = 0;  // connections on which a living writer's counting has lost its place
  std::uint64_t last_trace_lost_unix_ns = 0;     // the last loss's begin or end, to the millisecond; 0: never
  std::uint64_t trace_lost_ago_ns = UINT64_MAX;  // since then; 0 while a trace is lost, UINT64_MAX: never

  std::vector<LivingSlot> living;                   // all of them, by slot
  std::array<Refused, kRefusalCount> refused = {};  // by Refusal
  std::uint64_t boot = 0;                           // the reader's own BootId(); 0: not known

  // From the header.
  std::uint16_t minor = 0;
  std::uint32_t slots = 0;
  std::uint32_t slots_used = 0;  // high-water mark
  std::uint64_t created_unix_ns = 0;
  std::string database;  // path of the SQLite file; empty if the application said none
};

// "ok", "busy", "busy_snapshot", "full", "io", "constraint", "corrupt", "other".
std::string_view OutcomeName(Outcome outcome);

// "name_taken", "other_sqlite".
inline constexpr std::array<std::string_view, 2> kRefusalNames = {"name_taken", "other_sqlite"};

std::uint64_t WritesOf(const Snapshot& snapshot, Outcome outcome);

// The histogram as Prometheus wants it. `count` is the sum of the buckets that were read, so that it always
// agrees with them, also while writers continue.
struct CumulativeHistogram {
  struct Bucket {
    double upper_bound_seconds;  // the double nearest to the decimal bound
    std::uint64_t count;         // of durations <= the bound
  };
  std::array<Bucket, kExposedBoundsNs.size()> buckets;  // without +Inf, whose count is `count`
  std::uint64_t count;
  double sum_seconds;
};
CumulativeHistogram DurationHistogram(const Snapshot& snapshot);

// --- Bytes of a counter block into a Snapshot. Pure, and safe for any bytes whatever: this is what the fuzzer feeds.

// The bytes that Decode needs, without the slots that were never claimed: the header, the first
// `header.slots_used` slots, the overflow slot.
constexpr std::size_t ImageBytes(const CheckedHeader& header) {
  return kHeaderBytes + (std::size_t{header.slots_used} + 1) * kSlotBytes;
}

// The moment at which a block is read.
struct Now {
  std::uint64_t monotonic_ns = 0;  // CLOCK_MONOTONIC
  std::uint64_t unix_ns = 0;       // the same as Unix time
  std::uint64_t boot = 0;          // BootId(); 0: not known
};

// `image` holds ImageBytes() of the header that it begins with. `is_living(i)` says whether somebody holds
// slot i's lock; asked only of slots that name an owner. A time of another boot, or after `now`, is as if
// there was none. Error::where is left empty.
Result<Snapshot> Decode(std::span<const std::byte> image, const std::function<bool(std::uint32_t)>& is_living,
                        const Now& now);

// Reads STORE.v1.counters in the folder. Needs read permission only, writes nothing, takes no lock, never waits
// for a writer. About 20 µs, and 0.3 µs more for each slot that names an owner.
//
// Errors, each with its reason and the path: no block; refused (OpenBlockFile lists why); unreadable;
// truncated or of the wrong size; a header that is damaged, or of a major that this reader doesn't know. A
// block that was removed or replaced while it was open reads as it was; the next call finds the new one.
Result<Snapshot> ReadBlock(const Folder& folder, const BlockName& name);
Result<Snapshot> ReadBlock(const std::string& directory, const BlockName& name);

}  // namespace outgrown::block
