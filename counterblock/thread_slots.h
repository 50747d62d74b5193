// The slots that the calling thread holds, one for each block it has written to.
//
// The fast path is one load of a thread-local pointer and one row of a small table, indexed by the block's
// id. Rows of threads that hold nothing yet are a shared empty table, so no branch asks whether there is one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>

#include "counterblock/process_block.h"

namespace outgrown::block {

// A slot that this thread holds, or the note that none was free.
struct HeldSlot {
  static constexpr std::uint64_t kNoBlock =
      UINT64_MAX;  // no block's id, and not that of a closed one, which is 0

  // kRecording while this thread is inside a record: a signal handler that interrupts it and records too must
  // not use the slot (its additions would be overwritten by the interrupted store), so it must not find it.
  static constexpr std::uint64_t kRecording = UINT64_MAX - 1;

  std::uint64_t block_id = kNoBlock;  // by LoadCell and StoreCell
  // The block that `slot` is of, also while block_id is kRecording. A handler that ran just before that was stored may
  // have given the row to another block.
  std::uint64_t slot_block_id = kNoBlock;
  Slot* slot = nullptr;  // the overflow slot if none was free
  std::uint64_t owner =
      0;  // what Slot::owner must still be; never equal for the overflow slot, which has no owner
  std::uint32_t index = 0;
  std::uint32_t records_until_retry = 0;  // before this thread looks for a free slot again
};

struct ThreadSlots {
  static constexpr std::uint64_t kRows = 8;

  std::array<HeldSlot, kRows> rows;

  HeldSlot& RowOf(std::uint64_t block_id) { return rows[block_id % kRows]; }
};

// initial-exec: one instruction, and safe in a signal handler. 8 bytes of the static TLS that glibc keeps for
// libraries loaded late.
[[gnu::tls_model("initial-exec")]] extern constinit thread_local ThreadSlots* thread_slots;

// The calling thread's slot of the block, claimed if it has none; null if the overflow slot is to be used:
// none is free (it looks again every 4096 records), the thread is exiting, or this is a signal handler inside
// the library. Marks nothing as recording.
[[gnu::hot]] HeldSlot* FindOrClaimSlot(ProcessBlock& block);

}  // namespace outgrown::block
