// Every counter block that this copy of the library has open in this process, the one lock that guards what
// is not on the fast path, and what happens at fork.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "counterblock/layout.h"
#include "counterblock/process_block.h"

namespace outgrown::block {

// Holds the library's lock while it lives. Only slow paths take it: open, close, a thread's first and last record.
//
// InProgress() is true in a thread that is about to take it or holds it. A signal handler that interrupted
// such a thread must not wait for the lock, which its own thread would have to give back; it uses the
// overflow slot.
class LibraryLock {
 public:
  [[gnu::hot]] LibraryLock();
  LibraryLock(const LibraryLock&) = delete;
  LibraryLock& operator=(const LibraryLock&) = delete;
  [[gnu::hot]] ~LibraryLock();
  [[gnu::hot]] static bool InProgress();
};

// The block of that file, opened or created, checked (CheckFile) and mapped, with one more user. Two opens of one
// file share one block. An error, and nothing created, where the rules below leave no room.
Result<ProcessBlock*> AcquireBlock(const std::string& directory, const std::string& file_name,
                                   std::optional<std::uint32_t> slot_count_if_created,
                                   std::string_view database_if_created);

// True if nothing but the room for one more block would be an error: StoresMax() leaves some.
bool HasDescriptorRoom();

// One user less. The last one's leaving gives every slot back. The mapping stays until kClosedBlocksMax others have
// been closed after it.
void DropBlock(ProcessBlock& block);

// A record that wrongly races with the last close usually meets mapped memory; and a process that opens one
// store after the other for years doesn't run out of mappings (vm.max_map_count).
inline constexpr std::uint32_t kClosedBlocksMax = 64;

// The block of that id; null if it was closed or is a parent's. With the library lock held.
[[gnu::hot]] ProcessBlock* FindBlock(std::uint64_t id);

// --- How many descriptors counting may take from the application, which must never lack one because of it.
//
// An open block holds one, for its slots' locks. So a process counts into few stores at once, and opens no block while
// it has many descriptors in use. A store beyond that is off, and says why, until another one is closed.

inline constexpr std::uint64_t kOpenBlocksMax = 64;

// Stores that one copy of the library counts into at once: kOpenBlocksMax, or an eighth of the descriptors that the
// process may have (RLIMIT_NOFILE, soft), whichever is less, or as many as $OUTGROWN_STORES_MAX says.
std::uint64_t StoresMax();

// An error if no block may be opened beside the `open_blocks` there are: StoresMax() of them, or half of the
// process's descriptors are in use. `path` is the block's, for the error.
Result<void> CheckDescriptorRoom(std::uint64_t open_blocks, const std::string& path);

// --- How much memory counting may take: a block is a file on tmpfs, which everybody on the machine shares, and whose
// pages are charged to the container of the process that makes it.
//
// A process that counts into few stores never meets a limit here. One that opens a database after the other, one for
// each user say, may make many blocks in its life, and nothing ever removes them. So the blocks that it makes beyond
// as many as it may have open at once are small ones, none of those is made where the file system is getting full,
// and there is an end to it.

// The blocks that this process has made, not those that it found.
struct MadeBlocks {
  std::uint64_t count = 0;
  std::uint64_t bytes = 0;
};

// A small block's: 25 KiB. With more threads than that the overflow slot counts for the rest.
inline constexpr std::uint32_t kSlotCountSmall = 16;

// New blocks for each store that the process may have open at once: 64 MiB as a rule.
inline constexpr std::uint64_t kMadeBytesPerStoreMax = std::uint64_t{1} << 20U;

// What stays free of the file system, if that is less than a quarter of it.
inline constexpr std::uint64_t kFreeBytesMin = std::uint64_t{64} << 20U;

// For a block whose creator doesn't say how many.
std::uint32_t SlotCountOfNext(const MadeBlocks& made);

// An error if no block of that size may be made in that directory. `path` is the block's, for the error.
Result<void> CheckMemoryRoom(const MadeBlocks& made, std::uint64_t file_bytes, const std::string& directory,
                             const std::string& path);

}  // namespace outgrown::block
