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

// The moment at which a block is read.
struct Now {
  std::uint64_t monotonic_ns = 0;  // CLOCK_MONOTONIC
  std::uint64_t unix_ns = 0;       // the same as Unix time
  std::uint64_t boot = 0;          // BootId(); 0: not known
};

// `image` holds ImageBytes() of the header that it begins with. `is_living(i)` says whether somebody holds
// slot i's lock; asked only of slots that name an owner. A time after `now` counts as now if it is known to be of this
// boot (a caller's mistake), and otherwise as one of another boot, which is as if there was none. Error::where is left
// empty.
Result<Snapshot> Decode(std::span<const std::byte> image, const std::function<bool(std::uint32_t)>& is_living,
                        const Now& now);

}  // namespace outgrown::block
