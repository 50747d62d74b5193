// Bytes of a counter block into a Snapshot. Pure, and safe for any bytes whatever: this is what the fuzzer feeds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

#include "common/result.h"
#include "counterblock/header.h"
#include "counterblock/snapshot.h"

namespace outgrown::block {

// The bytes that Decode needs, without the slots that were never claimed: the header, the first
// `header.slots_used` slots, the overflow slot.
constexpr std::size_t ImageBytes(const CheckedHeader& header) {
  return kHeaderBytes + (std::size_t{header.slots_used} + 1) * kSlotBytes;
}

// `image` holds ImageBytes() of the header that it begins with. `is_living(i)` says whether somebody holds
// slot i's lock; asked only of slots that name an owner. `now_ns` is CLOCK_MONOTONIC, `now_unix_ns` the same
// moment as Unix time: a last write or an in-flight start after `now_ns` (a caller's mistake) counts as now.
// Error::where is left empty.
Result<Snapshot> Decode(std::span<const std::byte> image, const std::function<bool(std::uint32_t)>& is_living,
                        std::uint64_t now_ns, std::uint64_t now_unix_ns);

}  // namespace outgrown::block
