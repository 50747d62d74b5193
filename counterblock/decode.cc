#include "counterblock/decode.h"

#include <algorithm>
#include <cstring>
#include <string>

namespace outgrown::block {
namespace {

constexpr std::uint64_t kNsPerMs = 1'000'000;

void AddCounters(const Slot& slot, Snapshot& into) {
  for (std::uint32_t i = 0; i < kOutcomeCount; ++i) into.writes[i] += slot.writes[i];
  for (std::uint32_t i = 0; i < kBucketCount; ++i) into.buckets[i] += slot.buckets[i];
  into.bytes += slot.bytes;
  into.duration_sum_ns += slot.duration_sum_ns;
  into.last_write_ns = std::max(into.last_write_ns, slot.last_write_ns);
}

// What a slot says about the one who holds it now.
void AddLiving(const Slot& slot, std::uint64_t now_ns, Snapshot& into) {
  ++into.writers;
  into.traces_lost += slot.traces_lost;
  if (slot.in_flight_start_ns == 0) return;
  ++into.in_flight;
  const std::uint64_t lasts_ns = now_ns > slot.in_flight_start_ns ? now_ns - slot.in_flight_start_ns : 0;
  into.oldest_in_flight_ns = std::max(into.oldest_in_flight_ns, lasts_ns);
}

Slot SlotAt(std::span<const std::byte> image, std::uint32_t index) {
  Slot slot;
  std::memcpy(&slot, image.data() + SlotOffset(index), sizeof slot);
  return slot;
}

// To the millisecond, since the two clocks are not read in the same instant: an idle block shows a steady value.
std::uint64_t UnixTimeOf(std::uint64_t monotonic_ns, std::uint64_t now_ns, std::uint64_t now_unix_ns) {
  if (monotonic_ns == 0) return 0;
  const std::uint64_t ago_ns = now_ns - monotonic_ns;
  const std::uint64_t unix_ns = now_unix_ns > ago_ns ? now_unix_ns - ago_ns : 0;
  return (unix_ns + kNsPerMs / 2) / kNsPerMs * kNsPerMs;
}

}  // namespace

Result<Snapshot> Decode(std::span<const std::byte> image, const std::function<bool(std::uint32_t)>& is_living,
                        std::uint64_t now_ns, std::uint64_t now_unix_ns) {
  Result<CheckedHeader> header = CheckHeader(image);
  if (!header) return header.error();
  if (image.size() != ImageBytes(*header)) {
    return Error{"truncated: " + std::to_string(image.size()) + " bytes of header and slots, expected " +
                     std::to_string(ImageBytes(*header)),
                 ""};
  }
  Snapshot snapshot;
  snapshot.minor = header->minor;
  snapshot.slots = header->slot_count;
  snapshot.slots_used = header->slots_used;
  snapshot.created_unix_ns = header->created_unix_ns;
  snapshot.database = header->database;
  for (std::uint32_t i = 0; i < header->slots_used; ++i) {
    const Slot slot = SlotAt(image, i);
    if (slot.tag != SlotTag(i)) return Error{"slot " + std::to_string(i) + " is damaged (wrong tag)", ""};
    AddCounters(slot, snapshot);
    if (slot.owner != 0 && is_living(i)) AddLiving(slot, now_ns, snapshot);
  }
  const Slot overflow = SlotAt(image, header->slots_used);
  if (overflow.tag != SlotTag(header->slot_count))
    return Error{"the overflow slot is damaged (wrong tag)", ""};
  AddCounters(overflow, snapshot);
  for (const std::uint64_t count : overflow.buckets) snapshot.overflow_records += count;
  snapshot.traces_lost += overflow.traces_lost;  // nobody holds this slot, so nobody's end takes it back
  const std::uint64_t last_trace_lost_ns = std::min(header->last_trace_lost_ns, now_ns);
  snapshot.last_trace_lost_unix_ns = UnixTimeOf(last_trace_lost_ns, now_ns, now_unix_ns);
  if (last_trace_lost_ns != 0) snapshot.trace_lost_ago_ns = now_ns - last_trace_lost_ns;
  if (snapshot.traces_lost != 0) snapshot.trace_lost_ago_ns = 0;

  snapshot.last_write_ns = std::min(snapshot.last_write_ns, now_ns);
  snapshot.last_write_unix_ns = UnixTimeOf(snapshot.last_write_ns, now_ns, now_unix_ns);
  return snapshot;
}

}  // namespace outgrown::block
