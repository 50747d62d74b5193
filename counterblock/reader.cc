#include "counterblock/reader.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include "counterblock/block_file.h"
#include "counterblock/header.h"
#include "counterblock/process_block.h"

namespace outgrown::block {

namespace {

constexpr double kNsPerSecond = 1e9;

constexpr std::array<std::string_view, kOutcomeCount> kOutcomeNames = {
    "ok", "busy", "busy_snapshot", "full", "io", "constraint", "corrupt", "other"};

}  // namespace

std::string_view OutcomeName(Outcome outcome) { return kOutcomeNames.at(static_cast<std::size_t>(outcome)); }

std::uint64_t WritesOf(const Snapshot& snapshot, Outcome outcome) {
  return snapshot.writes.at(static_cast<std::size_t>(outcome));
}

CumulativeHistogram DurationHistogram(const Snapshot& snapshot) {
  CumulativeHistogram histogram{};
  std::uint64_t cumulative = 0;
  std::uint32_t fine = 0;
  for (std::size_t i = 0; i < kExposedBoundsNs.size(); ++i) {
    // Exposed bounds are bounds of buckets (static_assert in buckets.h), so no bucket is split.
    for (; UpperBoundNs(fine) <= kExposedBoundsNs[i]; ++fine) cumulative += snapshot.buckets[fine];
    histogram.buckets[i] = {static_cast<double>(kExposedBoundsNs[i]) / kNsPerSecond, cumulative};
  }
  for (; fine < kBucketCount; ++fine) cumulative += snapshot.buckets[fine];
  histogram.count = cumulative;
  histogram.sum_seconds = static_cast<double>(snapshot.duration_sum_ns) / kNsPerSecond;
  return histogram;
}

namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

// What a time in the block means at the moment of reading; 0 if it means nothing: there is none, or it is
// another boot's. `boot` is the boot that it is said to be of, 0 if that is not said. A time in the future is
// not of this boot, whatever is said (or a caller's mistake): a store must not look as if it had just been
// written to.
std::uint64_t TimeNow(std::uint64_t time_ns, std::uint64_t boot, const Now& now) {
  const bool is_other_boot = boot != 0 && now.boot != 0 && boot != now.boot;
  return is_other_boot || time_ns > now.monotonic_ns ? 0 : time_ns;
}

// How long ago that was; UINT64_MAX if never.
std::uint64_t AgoNs(std::uint64_t time_ns, const Now& now) {
  return time_ns == 0 ? UINT64_MAX : now.monotonic_ns - time_ns;
}

void AddCounters(const Slot& slot, Snapshot& into) {
  for (std::uint32_t i = 0; i < kOutcomeCount; ++i) into.writes[i] += slot.writes[i];
  for (std::uint32_t i = 0; i < kBucketCount; ++i) into.buckets[i] += slot.buckets[i];
  into.bytes += slot.bytes;
  into.duration_sum_ns += slot.duration_sum_ns;
  into.lock_wait_ns += slot.lock_wait_ns;
  into.lock_held_ns += slot.lock_held_ns;
  into.lock_holds += slot.lock_holds;
  into.unchanged += slot.unchanged;
  into.unchanged_refused += slot.unchanged_refused;
}

// What a slot's holder says beside its counts. True if that is only that its connections are not counted.
bool AddSays(const Slot& slot, const Now& now, Snapshot& into) {
  LivingSlot living = {.pid = static_cast<std::uint32_t>(slot.owner >> 32U),
                       .wrote_ago_ns = AgoNs(TimeNow(slot.last_write_ns, now.boot, now), now)};
  bool is_refused_only = false;
  // A wrong check: half a statement, or the words of an older writer's predecessor. The slot still counts as
  // living.
  if (slot.check == ProcessSaysCheck(slot)) {
    if (slot.file_device != 0 || slot.file_inode != 0)
      living.file = OpenFile{slot.boot, slot.file_device, slot.file_inode, slot.files_open};
    for (std::uint32_t i = 0; i < kRefusalCount; ++i) {
      into.refused[i].connections += slot.refused[i];
      is_refused_only =
          is_refused_only || (slot.refused[i] != 0 && !living.file && slot.in_flight_start_ns == 0);
    }
  }
  into.living.push_back(living);
  return is_refused_only;
}

// What a slot says about the one who holds it now.
void AddLiving(const Slot& slot, const Now& now, Snapshot& into) {
  if (!AddSays(slot, now, into)) ++into.writers;
  into.traces_lost += slot.traces_lost;
  // A mark may be younger than `now`, or a caller's mistake; a duration is never negative.
  const auto lasts_ns = [&now](std::uint64_t since_ns) {
    return now.monotonic_ns > since_ns ? now.monotonic_ns - since_ns : 0;
  };
  if (slot.lock_held_since_ns != 0)
    into.lock_held_now_ns = std::max(into.lock_held_now_ns, lasts_ns(slot.lock_held_since_ns));
  if (slot.in_flight_start_ns == 0) return;
  ++into.in_flight;
  into.oldest_in_flight_ns = std::max(into.oldest_in_flight_ns, lasts_ns(slot.in_flight_start_ns));
}

Slot SlotAt(std::span<const std::byte> slots, std::uint32_t index) {
  Slot slot;
  std::memcpy(&slot, slots.data() + std::size_t{index} * kSlotBytes, sizeof slot);
  return slot;
}

// To the millisecond, since the two clocks are not read in the same instant: an idle block shows a steady
// value.
std::uint64_t UnixTimeOf(std::uint64_t monotonic_ns, const Now& now) {
  if (monotonic_ns == 0) return 0;
  const std::uint64_t ago_ns = now.monotonic_ns - monotonic_ns;
  const std::uint64_t unix_ns = now.unix_ns > ago_ns ? now.unix_ns - ago_ns : 0;
  return (unix_ns + kNsPerMs / 2) / kNsPerMs * kNsPerMs;
}

// What the header says of the whole block, once the living slots are summed.
void AddHeader(const CheckedHeader& header, const Now& now, Snapshot& into) {
  const std::uint64_t lost_ns = TimeNow(header.last_trace_lost_ns, header.times_boot, now);
  into.last_trace_lost_unix_ns = UnixTimeOf(lost_ns, now);
  into.trace_lost_ago_ns = into.traces_lost != 0 ? 0 : AgoNs(lost_ns, now);
  for (std::uint32_t i = 0; i < kRefusalCount; ++i) {
    const RefusalRow& row = header.refusals[i];
    Refused& refused = into.refused[i];
    const std::uint64_t last_ns = TimeNow(row.last_ns, header.times_boot, now);
    refused.count = row.count;
    refused.last_pid = static_cast<std::uint32_t>(row.pid);
    refused.last_unix_ns = UnixTimeOf(last_ns, now);
    refused.ago_ns = refused.connections != 0 ? 0 : AgoNs(last_ns, now);
  }
}

// `slots` are the image's, behind its header.
Result<Snapshot> DecodeSlots(const CheckedHeader& header, std::span<const std::byte> slots,
                             const std::function<bool(std::uint32_t)>& is_living, const Now& now) {
  Snapshot snapshot;
  snapshot.boot = now.boot;
  snapshot.minor = header.minor;
  snapshot.slots = header.slot_count;
  snapshot.slots_used = header.slots_used;
  snapshot.created_unix_ns = header.created_unix_ns;
  snapshot.database = header.database;
  std::uint64_t last_write_ns = 0;
  for (std::uint32_t i = 0; i < header.slots_used; ++i) {
    const Slot slot = SlotAt(slots, i);
    // Zeros would read as a counter's reset, and rate() would take the rest for an increase from 0.
    if (slot.tag != SlotTag(i)) return Error{"slot " + std::to_string(i) + " is damaged (wrong tag)", ""};
    AddCounters(slot, snapshot);
    // A slot without an owner needs no system call.
    const bool lives = slot.owner != 0 && is_living(i);
    if (lives) AddLiving(slot, now, snapshot);
    // Who lives writes in this boot, be it a writer before minor 2 that leaves an earlier holder's boot in
    // the slot.
    last_write_ns = std::max(last_write_ns, TimeNow(slot.last_write_ns, lives ? now.boot : slot.boot, now));
  }
  const Slot overflow = SlotAt(slots, header.slots_used);
  if (overflow.tag != SlotTag(header.slot_count))
    return Error{"the overflow slot is damaged (wrong tag)", ""};
  AddCounters(overflow, snapshot);
  // Each record is in one bucket.
  for (const std::uint64_t count : overflow.buckets) snapshot.overflow_records += count;
  snapshot.traces_lost += overflow.traces_lost;  // this slot has no holder whose end would clear it
  AddHeader(header, now, snapshot);
  snapshot.last_write_ns = std::max(last_write_ns, TimeNow(overflow.last_write_ns, header.times_boot, now));
  snapshot.last_write_unix_ns = UnixTimeOf(snapshot.last_write_ns, now);
  return snapshot;
}

}  // namespace

Result<Snapshot> Decode(std::span<const std::byte> image, const std::function<bool(std::uint32_t)>& is_living,
                        const Now& now) {
  Result<CheckedHeader> header = CheckHeader(image);
  if (!header) return header.error();
  if (image.size() != ImageBytes(*header)) {
    return Error{"truncated: " + std::to_string(image.size()) + " bytes of header and slots, expected " +
                     std::to_string(ImageBytes(*header)),
                 ""};
  }
  return DecodeSlots(*header, image.subspan(kHeaderBytes), is_living, now);
}

namespace {

std::uint64_t ClockNs(clockid_t clock) {
  struct timespec now = {};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

// Fills `bytes` from `offset` on; an end of file before that is an error.
Result<void> ReadExactly(int fd, std::uint64_t offset, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{"cannot read: " + std::generic_category().message(errno), ""};
    // A file that shrank while it was read; a mapping would have raised SIGBUS.
    if (count == 0) {
      return Error{"truncated: ends at byte " + std::to_string(offset) + ", " + std::to_string(bytes.size()) +
                       " more expected",
                   ""};
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<Snapshot> ReadOpened(const OpenedFile& file) {
  const int fd = file.fd.get();
  // The first bytes show whether a short file is a counter block at all, so they are checked first.
  alignas(Header) std::array<std::byte, kHeaderBytes> first;
  if (Result<void> read = ReadExactly(fd, 0, first); !read) return read.error();
  Result<CheckedHeader> header = CheckHeader(first);
  if (!header) return header.error();
  // One that is cut off later reads short.
  if (file.size_bytes != header->file_bytes) {
    return Error{"the file has " + std::to_string(file.size_bytes) + " bytes, its header says " +
                     std::to_string(header->file_bytes),
                 ""};
  }
  // Pairs with the release that raises the high-water mark: the slots below it are read after it, and so with their tags. The
  // kernel reads for this thread, on whose processor the fence is; x86-64 needs none.
  std::atomic_thread_fence(std::memory_order_acquire);
  // Slots above the high-water mark were never claimed and are not read: of 256 slots most blocks use a few.
  const std::size_t used_bytes = std::size_t{header->slots_used} * kSlotBytes;
  std::vector<std::byte> slots(used_bytes + kSlotBytes);
  Result<void> read = ReadExactly(fd, SlotOffset(0), std::span(slots).first(used_bytes));
  if (read.ok()) read = ReadExactly(fd, SlotOffset(header->slot_count), std::span(slots).subspan(used_bytes));
  if (!read) return read.error();
  // After the bytes were read, so that no time in them is later than `now` and taken for another boot's.
  const Now now = {ClockNs(CLOCK_MONOTONIC), ClockNs(CLOCK_REALTIME), BootId()};
  return DecodeSlots(
      *header, slots, [fd](std::uint32_t index) { return IsSlotLocked(fd, index); }, now);
}

}  // namespace

Result<Snapshot> ReadBlock(const Folder& folder, const BlockName& name) {
  const std::string file_name = FileNameOf(name);
  const std::string path = folder.path() + "/" + file_name;
  if (name.major != kMajor) {
    return Error{"counter block version " + std::to_string(name.major) + " is not known, expected " +
                     std::to_string(kMajor),
                 path};
  }
  const Result<std::optional<OpenedFile>> file = OpenBlockFile(folder, file_name, Access::kRead);
  if (!file) return file.error();
  if (!file->has_value()) return Error{"there is no counter block (has the application written yet?)", path};
  Result<Snapshot> snapshot = ReadOpened(**file);
  if (!snapshot) return Error{snapshot.error().what, path};
  return snapshot;
}

Result<Snapshot> ReadBlock(const std::string& directory, const BlockName& name) {
  const Result<Folder> folder = Folder::Open(directory);
  if (!folder) return folder.error();
  return ReadBlock(*folder, name);
}

}  // namespace outgrown::block
