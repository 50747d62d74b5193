#include "counterblock/thread_slots.h"

#include <pthread.h>

#include <atomic>
#include <new>
#include <optional>
#include <utility>

#include "counterblock/cells.h"
#include "counterblock/registry.h"

namespace outgrown::block {
namespace {

// Looking for a free slot costs 0.3 µs for each one that is held, so a thread without one doesn't look at
// every record.
constexpr std::uint32_t kRecordsUntilRetry = 4096;

// What threads point to that hold nothing yet, and those whose slots were given back at their end.
// Shared and never written to: their rows hold kNoBlock, which matches no block.
constinit ThreadSlots no_slots;
constinit ThreadSlots exited_thread;

// A slot of a block whose row another block has taken (more than kRows stores in one process).
struct ThreadState : ThreadSlots {
  struct Spilled {
    HeldSlot held;
    Spilled* next = nullptr;
  };
  Spilled* spilled = nullptr;
  ThreadState* next = nullptr;  // in spare_states
};

// What ended threads have left for the next ones: a new thread's first allocation of that size costs 1 µs. Guarded by the
// library lock.
constinit ThreadState* spare_states = nullptr;
constinit std::uint32_t spare_count = 0;

[[gnu::hot]] void GiveBack(const HeldSlot& held) {
  if (ProcessBlock* block = FindBlock(held.block_id)) ReturnSlot(*block, Claim{held.index, held.owner});
}

// At the thread's end its slots go to the next thread of the process. A pthread key and not a thread_local
// with a destructor: keys are run down after those, so that records made in such destructors still find their
// slot.
[[gnu::hot]] void ReleaseThread(void* argument) {
  auto* state = static_cast<ThreadState*>(argument);
  // First: a record made from here on by another key's destructor, or by a signal handler, must not use a
  // slot that is being given back. It goes to the overflow slot.
  thread_slots = &exited_thread;
  const LibraryLock lock;
  for (HeldSlot& held : state->rows) {
    if (held.block_id != HeldSlot::kNoBlock) GiveBack(std::exchange(held, HeldSlot{}));
  }
  while (state->spilled != nullptr) {
    GiveBack(state->spilled->held);
    delete std::exchange(state->spilled, state->spilled->next);
  }
  if (spare_count == kIdleSlotsMax) {
    delete state;
    return;
  }
  ++spare_count;
  state->next = std::exchange(spare_states, state);
}

// The calling thread's state, made if it is its first time; null without memory. With the library lock held.
[[gnu::hot]] ThreadState* OwnState() {
  if (thread_slots != &no_slots) return static_cast<ThreadState*>(thread_slots);
  static pthread_key_t key;
  // Under the library lock, so the static's guard never waits.
  static const bool has_key = ::pthread_key_create(&key, ReleaseThread) == 0;
  if (!has_key) return nullptr;
  ThreadState* state = spare_states;
  if (state != nullptr) {
    spare_states = state->next;
    --spare_count;
  } else {
    state = new (std::nothrow) ThreadState;
  }
  if (state == nullptr) return nullptr;
  // Without the key's destructor the slot would never be given back.
  if (::pthread_setspecific(key, state) != 0) {
    delete state;
    return nullptr;
  }
  thread_slots = state;
  return state;
}

// Not in one assignment: a signal handler that interrupts it and records must not find one block's number
// beside another's slot.
[[gnu::hot]] void Put(HeldSlot& row, const HeldSlot& held) {
  // The number goes first and comes last; the fences order these stores for a handler on the same thread,
  // which needs no fence of the processor.
  StoreCell(row.block_id, HeldSlot::kNoBlock);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  row.slot_block_id = held.slot_block_id;
  row.slot = held.slot;
  row.owner = held.owner;
  row.index = held.index;
  row.records_until_retry = held.records_until_retry;
  std::atomic_signal_fence(std::memory_order_seq_cst);
  StoreCell(row.block_id, held.block_id);
}

bool IsStillHeld(const HeldSlot& held) { return LoadCell(held.slot->owner) == held.owner; }

// Swaps a spilled slot of that block into its row. True if there was one.
bool SwapIn(ThreadState& state, std::uint64_t block_id) {
  for (auto* spilled = state.spilled; spilled != nullptr; spilled = spilled->next) {
    if (spilled->held.block_id != block_id) continue;
    HeldSlot& row = state.RowOf(block_id);
    const HeldSlot other = row;
    Put(row, spilled->held);
    spilled->held = other;
    return true;
  }
  return false;
}

// Drops the spilled slots of blocks that have been closed meanwhile.
void Prune(ThreadState& state) {
  for (ThreadState::Spilled** link = &state.spilled; *link != nullptr;) {
    if (FindBlock((*link)->held.block_id) != nullptr) {
      link = &(*link)->next;
    } else {
      delete std::exchange(*link, (*link)->next);
    }
  }
}

// Frees the row for another block: a slot of an open block is spilled.
bool Vacate(ThreadState& state, HeldSlot& row) {
  if (row.block_id == HeldSlot::kNoBlock) return true;
  // Here rather than at a close, which can't reach other threads' lists.
  Prune(state);
  if (FindBlock(row.block_id) != nullptr) {
    auto* spilled = new (std::nothrow) ThreadState::Spilled{row, state.spilled};
    if (spilled == nullptr) return false;
    state.spilled = spilled;
  }
  Put(row, HeldSlot{});
  return true;
}

}  // namespace

[[gnu::tls_model("initial-exec")]] constinit thread_local ThreadSlots* thread_slots = &no_slots;

HeldSlot* FindOrClaimSlot(ProcessBlock& block) {
  // Null sends the record to the overflow slot, where it counts as exactly. In a handler that interrupted
  // this thread inside the library, waiting for the lock would never end.
  if (thread_slots == &exited_thread || LibraryLock::InProgress()) return nullptr;
  const std::uint64_t block_id = block.id.load(std::memory_order_relaxed);
  if (block_id == 0) return nullptr;
  HeldSlot& noted = thread_slots->RowOf(block_id);
  // A signal handler inside of a record: the row is the interrupted one's.
  if (LoadCell(noted.block_id) == HeldSlot::kRecording) return nullptr;
  // A handler may give the row to another block in between; that one then tries again sooner, no more.
  const std::uint32_t until_retry = noted.records_until_retry;
  if (noted.block_id == block_id && until_retry > 0) {
    noted.records_until_retry = until_retry - 1;
    return nullptr;
  }
  const LibraryLock lock;
  ThreadState* state = OwnState();
  if (state == nullptr) return nullptr;
  HeldSlot& row = state->RowOf(block_id);
  if (row.block_id != block_id && !SwapIn(*state, block_id) && !Vacate(*state, row)) return nullptr;
  if (row.block_id == block_id && IsStillHeld(row)) return &row;

  if (const std::optional<Claim> claim = ClaimSlot(block)) {
    Put(row, HeldSlot{block_id, block_id, &block.slots[claim->index], claim->owner, claim->index, 0});
    return &row;
  }
  // Owner 1 never equals the overflow slot's 0, so the fast path fails here and the record takes the shared
  // one.
  Put(row, HeldSlot{block_id, block_id, &block.slots[block.slot_count], 1, 0, kRecordsUntilRetry});
  return nullptr;
}

}  // namespace outgrown::block
