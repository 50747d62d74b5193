// clang-format off
// The counter block's ABI: one file for each store, fixed size, mapped by writers and read with pread by readers.
//
//   offset
//        0 ┌──────────────────────────────────────────────────────────────────┐
//          │ magic "OUTGROWN" │ byte order │ major minor │ sizes │ checksum … │  never changes once published
//       64 ├──────────────────────────────────────────────────────────────────┤
//          │ slots used (high-water mark)                                     │  only grows
//       72 │ last loss of a trace                                             │  only grows, within one boot
//       80 │ boot that the times here are of                                  │
//       88 │ refusals to count, 4 rows of count, last time, pid               │
//      184 │ reserved for minors                                              │
//     4096 ├──────────────────────────────────────────────────────────────────┤
//          │ the database's path, zero-padded                                 │  never changes once published
//     8192 ├──────────────────────────────────────────────────────────────────┤
//          │ slot 0              1024 bytes, one writing thread at a time     │  its lock: the byte there
//     9216 ├──────────────────────────────────────────────────────────────────┤
//          │ slot 1                                                           │
//          ├──────────────────────────────────────────────────────────────────┤
//          │ …  slot_count slots                                              │
//          ├──────────────────────────────────────────────────────────────────┤
//          │ overflow slot       shared, every cell by atomic add, no lock    │
//          └──────────────────────────────────────────────────────────────────┘ file_bytes
//
//   a slot
//        0 ┌────────┬──────────┬────────────┬───────┬──────────┬────────┬─────┐
//          │ owner  │ in flight│ last write │ bytes │ duration │ traces │ tag │  cache line 0
//       64 ├────────┴──────────┴────────────┴───────┴──────────┴────────┴─────┤
//          │ writes by outcome, 8 cells                                       │  cache line 1
//      128 ├──────────────────────────────────────────────────────────────────┤
//          │ durations, 83 buckets (buckets.h)                                │  cache lines 2 to 12
//      792 ├──────┬─────────────────────────────┬─────────────────────┬───────┤
//          │ boot │ open file: device inode use │ refused connections │ check │  what the holder's process says
//      864 ├──────┴─────────────────────────────┴─────────────────────┴───────┤
//          │ write lock: waited, held, holds, held since                      │
//      896 ├──────────────────────────────────────────────────────────────────┤
//          │ writes without a change, and of such those refused               │
//      912 ├──────────────────────────────────────────────────────────────────┤
//          │ reserved for minors                                              │
//     1024 └──────────────────────────────────────────────────────────────────┘
//
// Rules. Append-only: a minor gives meaning to reserved bytes (which are zero until then) and moves nothing; a
// reader ignores what it doesn't know. Anything else is a new major, with a new file name. Every cell is one
// aligned 64-bit word in the machine's byte order, so that a load, a store or a pread of it is not torn.
// Counters only grow: the next owner of a slot adds to what it finds.
// clang-format on
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

namespace outgrown::block {

inline constexpr char kMagic[8] = {'O', 'U', 'T', 'G', 'R', 'O', 'W', 'N'};
inline constexpr std::uint32_t kByteOrder = 0x01020304;  // reads 0x04030201 on a machine of the other order
inline constexpr std::uint16_t kMajor = 1;
// 1: Header::last_trace_lost_ns. 2: boots, refusals, and which file a slot's process has open. 3: the write lock's times.
// 4: writes without a change.
inline constexpr std::uint16_t kMinor = 4;
inline constexpr std::uint32_t kHeaderBytes = 8192;
inline constexpr std::uint32_t kSlotBytes = 1024;
inline constexpr std::uint32_t kSlotCountMax = 4096;
inline constexpr std::uint32_t kSlotCountDefault = 256;
inline constexpr std::uint32_t kOutcomeCount = 8;
inline constexpr std::uint32_t kBucketCount = 83;
inline constexpr std::uint32_t kDatabaseBytesMax = 4095;  // PATH_MAX without its terminator
inline constexpr std::uint32_t kRefusalCount = 4;         // two are in use

// How one outermost write transaction ended. The numbers are ABI: they index Slot::writes.
enum class Outcome : std::uint32_t {
  kOk = 0,
  kBusy = 1,          // another connection held the lock until the timeout
  kBusySnapshot = 2,  // SQLITE_BUSY_SNAPSHOT: read first, then another connection wrote
  kFull = 3,          // no space left
  kIo = 4,
  kConstraint = 5,  // the application's own doing, no sign of saturation
  kCorrupt = 6,
  kOther = 7,
};

// Why connections that have the store open are not counted, although their process reaches the block. The numbers are
// ABI: they index Header::refusals and Slot::refused.
enum class Refusal : std::uint32_t {
  kNameTaken = 0,    // the store's name belongs to the database at another path
  kOtherSqlite = 1,  // a copy of SQLite that can't be observed: a second one in the process, or too old a one
};

// The cells may be of different refusals.
struct RefusalRow {
  std::uint64_t count;    // connections, from the block's making on
  std::uint64_t last_ns;  // CLOCK_MONOTONIC of the last one's begin or end
  std::uint64_t pid;      // the last one's process, as that sees it
};

struct Header {
  char magic[8];
  std::uint32_t byte_order;
  std::uint16_t major;
  std::uint16_t minor;
  std::uint32_t header_bytes;
  std::uint32_t slot_bytes;
  std::uint32_t slot_count;  // without the overflow slot
  std::uint32_t outcome_count;
  std::uint32_t bucket_count;
  std::uint32_t database_bytes;  // length of `database`, 0 if it was not said
  std::uint64_t file_bytes;
  std::uint64_t created_unix_ns;
  std::uint64_t checksum;  // of everything above and `database`: header.h

  // The high-water mark, as the number in the lower half and its complement in the upper one (header.h), so
  // that damage shows. Slots from here on were never claimed and are all zero.
  std::uint64_t slots_used;
  // CLOCK_MONOTONIC at which a connection's trace was last replaced or regained; 0: never. It stays when the
  // connection is closed, so that a loss shorter than a scrape shows too. The greatest value written wins. Minor 1;
  // to be read in a block of any minor, as a newer writer may have opened an older one's.
  std::uint64_t last_trace_lost_ns;
  // BootId() (header.h) that last_trace_lost_ns, the refusals' times and the overflow slot's last write are of. 0: not
  // said, by writers before minor 2 only.
  std::uint64_t times_boot;
  RefusalRow refusals[kRefusalCount];
  std::uint64_t reserved[489];

  char database[4096];
};

struct Slot {
  // The slot's holder, for diagnosis and to detect a lost lock: pid in the upper half, a number that differs
  // from claim to claim in the lower. 0 when it was given back. Only the lock shows whether the owner lives.
  std::uint64_t owner;
  // CLOCK_MONOTONIC; 0: not inside a write. Valid only while the lock is held.
  std::uint64_t in_flight_start_ns;
  // CLOCK_MONOTONIC of the last record's end; 0: none yet.
  std::uint64_t last_write_ns;
  std::uint64_t bytes;
  std::uint64_t duration_sum_ns;
  // Connections whose trace was replaced, so that they are not counted completely. Valid only while the lock is held.
  std::uint64_t traces_lost;
  // SlotTag(index) from the first claim on, in the overflow slot from the start: a slot that was lost with a
  // truncated and regrown end of the file differs from one that has counted nothing.
  std::uint64_t tag;
  std::uint64_t reserved0;
  std::uint64_t writes[kOutcomeCount];
  std::uint64_t buckets[kBucketCount];
  // From here on what the holder's process says, since minor 2: only with the right `check` (ProcessSaysCheck), so that
  // an older writer in a newer one's slot is not taken to say it. `boot` counts without, for last_write_ns.
  std::uint64_t boot;         // BootId(); 0: not known
  std::uint64_t file_device;  // the database file that this process has open, the first of several, by stat
  std::uint64_t file_inode;   // 0 beside a device of 0: none yet; 0 beside another: not at its path any more
  std::uint64_t files_open;   // how often it has the store's database open, that file or an earlier one
  std::uint64_t
      refused[kRefusalCount];  // open connections that are not counted; one slot of each process says it
  std::uint64_t check;
  // The store's write lock, since minor 3. A slot of older writers has none: lock_holds stays 0 beside writes that succeed.
  std::uint64_t lock_wait_ns;        // waited for it, also in vain
  std::uint64_t lock_held_ns;        // held it, in holds that have ended
  std::uint64_t lock_holds;          // of those, holds in which something was committed
  std::uint64_t lock_held_since_ns;  // CLOCK_MONOTONIC; 0: not held. Valid only while the slot's lock is held
  // Writes that had the lock and ended without a change, since minor 4: neither successes nor failures.
  std::uint64_t unchanged;
  // Of connections whose last write was such a one: writes that did not get the lock, since minor 4.
  std::uint64_t unchanged_refused;
  std::uint64_t reserved1[14];
};

static_assert(offsetof(Header, magic) == 0);
static_assert(offsetof(Header, byte_order) == 8);
static_assert(offsetof(Header, major) == 12);
static_assert(offsetof(Header, minor) == 14);
static_assert(offsetof(Header, header_bytes) == 16);
static_assert(offsetof(Header, slot_bytes) == 20);
static_assert(offsetof(Header, slot_count) == 24);
static_assert(offsetof(Header, outcome_count) == 28);
static_assert(offsetof(Header, bucket_count) == 32);
static_assert(offsetof(Header, database_bytes) == 36);
static_assert(offsetof(Header, file_bytes) == 40);
static_assert(offsetof(Header, created_unix_ns) == 48);
static_assert(offsetof(Header, checksum) == 56);
static_assert(offsetof(Header, slots_used) == 64);
static_assert(offsetof(Header, last_trace_lost_ns) == 72);
static_assert(offsetof(Header, times_boot) == 80);
static_assert(offsetof(Header, refusals) == 88);
static_assert(sizeof(RefusalRow) == 24);
static_assert(offsetof(Header, reserved) == 184);
static_assert(offsetof(Header, database) == 4096);
static_assert(sizeof(Header) == kHeaderBytes);

static_assert(offsetof(Slot, owner) == 0);
static_assert(offsetof(Slot, in_flight_start_ns) == 8);
static_assert(offsetof(Slot, last_write_ns) == 16);
static_assert(offsetof(Slot, bytes) == 24);
static_assert(offsetof(Slot, duration_sum_ns) == 32);
static_assert(offsetof(Slot, traces_lost) == 40);
static_assert(offsetof(Slot, tag) == 48);
static_assert(offsetof(Slot, reserved0) == 56);
static_assert(offsetof(Slot, writes) == 64);
static_assert(offsetof(Slot, buckets) == 128);
static_assert(offsetof(Slot, boot) == 792);
static_assert(offsetof(Slot, file_device) == 800);
static_assert(offsetof(Slot, file_inode) == 808);
static_assert(offsetof(Slot, files_open) == 816);
static_assert(offsetof(Slot, refused) == 824);
static_assert(offsetof(Slot, check) == 856);
static_assert(offsetof(Slot, lock_wait_ns) == 864);
static_assert(offsetof(Slot, lock_held_ns) == 872);
static_assert(offsetof(Slot, lock_holds) == 880);
static_assert(offsetof(Slot, lock_held_since_ns) == 888);
static_assert(offsetof(Slot, unchanged) == 896);
static_assert(offsetof(Slot, unchanged_refused) == 904);
static_assert(offsetof(Slot, reserved1) == 912);
static_assert(sizeof(Slot) == kSlotBytes);
static_assert(kHeaderBytes % 64 == 0 && kSlotBytes % 64 == 0, "slots start on their own cache lines");

// Where slot `index` begins; also the byte of the file whose lock is the slot's. `slot_count` is the overflow slot.
constexpr std::uint64_t SlotOffset(std::uint32_t index) {
  return kHeaderBytes + std::uint64_t{index} * kSlotBytes;
}
constexpr std::uint64_t SlotTag(std::uint32_t index) { return 0x4f55544752534c54U + index; }
// Binds what a slot's holder says to that holder, and shows a half-written statement. Never 0.
constexpr std::uint64_t ProcessSaysCheck(const Slot& slot) {
  std::uint64_t hash = 0xcbf29ce484222325U;  // FNV-1a, a word at a time
  const auto mix = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 0x100000001b3U;
    hash ^= hash >> 32U;
  };
  for (const std::uint64_t word : {slot.owner, slot.boot, slot.file_device, slot.file_inode, slot.files_open})
    mix(word);
  for (const std::uint64_t word : slot.refused) mix(word);
  return hash | 1U;
}
constexpr std::uint64_t FileBytes(std::uint32_t slot_count) { return SlotOffset(slot_count + 1); }

}  // namespace outgrown::block
