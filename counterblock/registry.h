// Every counter block that this copy of the library has open in this process, the one lock that guards what
// is not on the fast path, and what happens at fork.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "counterblock/process_block.h"

namespace outgrown::block {

// Holds the library's lock while it lives. Only slow paths take it: open, close, a thread's first and last record.
//
// InProgress() is true in a thread that is about to take it or holds it. A signal handler that interrupted
// such a thread must not wait for the lock, which its own thread would have to give back; it uses the
// overflow slot.
class LibraryLock {
 public:
  LibraryLock();
  LibraryLock(const LibraryLock&) = delete;
  LibraryLock& operator=(const LibraryLock&) = delete;
  ~LibraryLock();
  static bool InProgress();
};

// The block of that file, opened or created, checked (CheckFile) and mapped, with one more user. Two opens of one
// file share one block. An error, and nothing created, where descriptor_room.h or memory_room.h leaves no room.
Result<ProcessBlock*> AcquireBlock(const std::string& directory, const std::string& file_name,
                                   std::optional<std::uint32_t> slot_count_if_created,
                                   std::string_view database_if_created);

// True if nothing but the room for one more block would be an error: descriptor_room.h leaves some.
bool HasDescriptorRoom();

// One user less. The last one's leaving gives every slot back. The mapping stays until kClosedBlocksMax others have
// been closed after it.
void DropBlock(ProcessBlock& block);

// A record that wrongly races with the last close meets memory as a rule; and a process that opens one store after the other for
// years doesn't run out of mappings (vm.max_map_count).
inline constexpr std::uint32_t kClosedBlocksMax = 64;

// The block of that id; null if it was closed or is a parent's. With the library lock held.
ProcessBlock* FindBlock(std::uint64_t id);

}  // namespace outgrown::block
