#include "counterblock/decode.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace outgrown::block {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

// What a time in the block means at the moment of reading; 0 if it means nothing: there is none, or it is another boot's.
// `boot` is the boot that it is said to be of, 0 if nobody says.
std::uint64_t TimeNow(std::uint64_t time_ns, std::uint64_t boot, const Now& now) {
  const bool is_known = boot != 0 && now.boot != 0;
  if (is_known && boot != now.boot) return 0;
  if (time_ns <= now.monotonic_ns) return time_ns;
  return is_known ? now.monotonic_ns : 0;
}

void AddCounters(const Slot& slot, Snapshot& into) {
  for (std::uint32_t i = 0; i < kOutcomeCount; ++i) into.writes[i] += slot.writes[i];
  for (std::uint32_t i = 0; i < kBucketCount; ++i) into.buckets[i] += slot.buckets[i];
  into.bytes += slot.bytes;
  into.duration_sum_ns += slot.duration_sum_ns;
}

// What a slot's holder says beside its counts. True if that is only that its connections are not counted.
bool AddSays(const Slot& slot, Snapshot& into) {
  LivingSlot living = {.pid = static_cast<std::uint32_t>(slot.owner >> 32U)};
  bool is_refused_only = false;
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
  if (!AddSays(slot, into)) ++into.writers;
  into.traces_lost += slot.traces_lost;
  if (slot.in_flight_start_ns == 0) return;
  ++into.in_flight;
  const std::uint64_t lasts_ns =
      now.monotonic_ns > slot.in_flight_start_ns ? now.monotonic_ns - slot.in_flight_start_ns : 0;
  into.oldest_in_flight_ns = std::max(into.oldest_in_flight_ns, lasts_ns);
}

Slot SlotAt(std::span<const std::byte> image, std::uint32_t index) {
  Slot slot;
  std::memcpy(&slot, image.data() + SlotOffset(index), sizeof slot);
  return slot;
}

// To the millisecond, since the two clocks are not read in the same instant: an idle block shows a steady value.
std::uint64_t UnixTimeOf(std::uint64_t monotonic_ns, const Now& now) {
  if (monotonic_ns == 0) return 0;
  const std::uint64_t ago_ns = now.monotonic_ns - monotonic_ns;
  const std::uint64_t unix_ns = now.unix_ns > ago_ns ? now.unix_ns - ago_ns : 0;
  return (unix_ns + kNsPerMs / 2) / kNsPerMs * kNsPerMs;
}

// How long ago that was; UINT64_MAX if never.
std::uint64_t AgoNs(std::uint64_t time_ns, const Now& now) {
  return time_ns == 0 ? UINT64_MAX : now.monotonic_ns - time_ns;
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
  Snapshot snapshot;
  snapshot.boot = now.boot;
  snapshot.minor = header->minor;
  snapshot.slots = header->slot_count;
  snapshot.slots_used = header->slots_used;
  snapshot.created_unix_ns = header->created_unix_ns;
  snapshot.database = header->database;
  std::uint64_t last_write_ns = 0;
  for (std::uint32_t i = 0; i < header->slots_used; ++i) {
    const Slot slot = SlotAt(image, i);
    if (slot.tag != SlotTag(i)) return Error{"slot " + std::to_string(i) + " is damaged (wrong tag)", ""};
    AddCounters(slot, snapshot);
    const bool lives = slot.owner != 0 && is_living(i);
    if (lives) AddLiving(slot, now, snapshot);
    // Who lives writes in this boot, be it a writer before minor 2 that leaves an earlier holder's boot in the slot.
    last_write_ns = std::max(last_write_ns, TimeNow(slot.last_write_ns, lives ? now.boot : slot.boot, now));
  }
  const Slot overflow = SlotAt(image, header->slots_used);
  if (overflow.tag != SlotTag(header->slot_count))
    return Error{"the overflow slot is damaged (wrong tag)", ""};
  AddCounters(overflow, snapshot);
  for (const std::uint64_t count : overflow.buckets) snapshot.overflow_records += count;
  snapshot.traces_lost += overflow.traces_lost;  // nobody holds this slot, so nobody's end takes it back
  AddHeader(*header, now, snapshot);
  snapshot.last_write_ns = std::max(last_write_ns, TimeNow(overflow.last_write_ns, header->times_boot, now));
  snapshot.last_write_unix_ns = UnixTimeOf(snapshot.last_write_ns, now);
  return snapshot;
}

}  // namespace outgrown::block
