// The open-file-description locks by which slots are held (process_block.h says why these).
#pragma once

#include <cstdint>

namespace outgrown::block {

// True if this descriptor now holds the slot. False if another one does, or if the system refuses.
// Async-signal-safe, never waits.
bool LockSlot(int fd, std::uint32_t index);

void UnlockSlot(int fd, std::uint32_t index);

// True if any other descriptor holds the slot; `fd` may be read-only.
bool IsSlotLocked(int fd, std::uint32_t index);

}  // namespace outgrown::block
