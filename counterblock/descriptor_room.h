// How many descriptors counting may take from the application, which must never lack one because of it.
//
// An open block holds one, for its slots' locks. So a process counts into few stores at once, and opens no block while
// it has many descriptors in use. A store beyond that is off, and says why, until another one is closed.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.h"

namespace outgrown::block {

inline constexpr std::uint64_t kOpenBlocksMax = 64;

// Stores that one copy of the library counts into at once: kOpenBlocksMax, or an eighth of the descriptors that the
// process may have (RLIMIT_NOFILE, soft), whichever is less, or as many as $OUTGROWN_STORES_MAX says.
std::uint64_t StoresMax();

// An error if no block may be opened beside the `open_blocks` there are: StoresMax() of them, or half of the
// process's descriptors are in use. `path` is the block's, for the error.
Result<void> CheckDescriptorRoom(std::uint64_t open_blocks, const std::string& path);

}  // namespace outgrown::block
