// Which boot of the kernel this is: CLOCK_MONOTONIC, and a device's number, mean nothing in another one.
#pragma once

#include <cstdint>

namespace outgrown::block {

// Both halves of /proc/sys/kernel/random/boot_id, XORed; 0 if it can't be read. Async-signal-safe, allocates nothing, reads
// the file once in a process.
std::uint64_t BootId() noexcept;

}  // namespace outgrown::block
