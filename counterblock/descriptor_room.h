// How many descriptors counting may take from the application, which must never lack one because of it.
//
// An open block holds one, for its slots' locks. So a process counts into few stores at once, and opens no block while
// it has many descriptors in use. A store beyond that is off, and says why.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.h"

namespace outgrown::block {

// Stores that one copy of the library counts into at once, unless $OUTGROWN_STORES_MAX says another number. It is also a bound for tmpfs: an application that keeps a
// database for each of its tenants would otherwise fill it, at 265 KiB each.
inline constexpr std::uint64_t kOpenBlocksMax = 64;

// An error if no block may be opened beside the `open_blocks` there are: kOpenBlocksMax of them or an eighth of the
// descriptors that the process may have (RLIMIT_NOFILE, soft), whichever is less, or as many as $OUTGROWN_STORES_MAX
// says; in any case while half of those descriptors are in use. `path` is the block's, for the error.
Result<void> CheckDescriptorRoom(std::uint64_t open_blocks, const std::string& path);

}  // namespace outgrown::block
