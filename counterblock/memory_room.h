// How much memory counting may take: a block is a file on tmpfs, which everybody on the machine shares, and whose
// pages are charged to the container of the process that makes it.
//
// A process that counts into few stores never meets a limit here. One that opens a database after the other, one for
// each user say, may make many blocks in its life, and nothing ever removes them. So the blocks that it makes beyond
// as many as it may have open at once are small ones, none of those is made where the file system is getting full,
// and there is an end to it.
#pragma once

#include <cstdint>
#include <string>

#include "common/result.h"
#include "counterblock/layout.h"

namespace outgrown::block {

// The blocks that this process has made, not those that it found.
struct MadeBlocks {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

// A small block's: 25 KiB. With more threads than that the overflow slot counts for the rest.
inline constexpr std::uint32_t kSlotCountSmall = 16;

// New blocks for each store that the process may have open at once (descriptor_room.h): 64 MiB as a rule.
inline constexpr std::uint64_t kMadeBytesPerStoreMax = std::uint64_t{1} << 20U;

// What stays free of the file system, if that is less than a quarter of it.
inline constexpr std::uint64_t kFreeBytesMin = std::uint64_t{64} << 20U;

// For a block whose creator doesn't say how many.
std::uint32_t SlotCountOfNext(const MadeBlocks& made);

// An error if no block of that size may be made in that directory. `path` is the block's, for the error.
Result<void> CheckMemoryRoom(const MadeBlocks& made, std::uint64_t file_bytes, const std::string& directory,
                             const std::string& path);

}  // namespace outgrown::block
