// The block's header: made once by the creator, checked by everybody; pure: bytes in, bytes out. And the
// clock and the boot that times in the block are of.
#pragma once

#include <time.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/result.h"
#include "counterblock/layout.h"

namespace outgrown::block {

// The high-water mark and its complement in one word, so that one store publishes both.
constexpr std::uint64_t PackSlotsUsed(std::uint32_t used) { return (std::uint64_t{~used} << 32U) | used; }
// Nothing if the halves contradict each other.
constexpr std::optional<std::uint32_t> UnpackSlotsUsed(std::uint64_t packed) {
  const auto used = static_cast<std::uint32_t>(packed);
  if (PackSlotsUsed(used) != packed) return std::nullopt;
  return used;
}

// FNV-1a (64 bits) over the fields before the checksum and the database's path. It finds damage; it is no
// protection against a forger, who has the application's rights anyway.
std::uint64_t HeaderChecksum(const Header& header);

// Preconditions: 1 <= slot_count <= kSlotCountMax, database.size() <= kDatabaseBytesMax.
Header MakeHeader(std::uint32_t slot_count, std::string_view database, std::uint64_t created_unix_ns);

// What a header that passed every check says.
struct CheckedHeader {
  std::uint16_t minor;
  std::uint32_t slot_count;
  std::uint32_t slots_used;  // <= slot_count
  std::uint64_t file_bytes;
  std::uint64_t created_unix_ns;
  std::uint64_t last_trace_lost_ns;  // CLOCK_MONOTONIC; 0: never
  std::uint64_t times_boot;          // 0: not said
  std::array<RefusalRow, kRefusalCount> refusals;
  std::string database;  // may be empty
};

// `bytes` are the file's first kHeaderBytes (more are ignored). The error says which field is wrong, what was
// found and what would be right; Error::where is left to the caller.
Result<CheckedHeader> CheckHeader(std::span<const std::byte> bytes);

// --- The clock of every time in the block.

// CLOCK_MONOTONIC in nanoseconds, the clock of every time in the block (std::chrono::steady_clock and
// Python's time.monotonic_ns() are the same): it never steps, and all processes of a host share it. About 16 ns.
[[gnu::hot]] inline std::uint64_t NowNs() {
  struct timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

// The same to the last timer tick (1 to 10 ms), at a third of the cost.
inline std::uint64_t CoarseNowNs() {
  struct timespec now;
  ::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

// --- Which boot of the kernel this is: CLOCK_MONOTONIC, and a device's number, mean nothing in another one.

// Both halves of /proc/sys/kernel/random/boot_id, XORed; 0 if it can't be read. Async-signal-safe, allocates
// nothing, reads the file once in a process.
std::uint64_t BootId() noexcept;

}  // namespace outgrown::block
