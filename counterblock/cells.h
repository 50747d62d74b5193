// The only ways to touch a cell of a mapped block. All relaxed: no cell orders another, each is exact by
// itself.
#pragma once

#include <atomic>
#include <cstdint>

namespace outgrown::block {

static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);

inline std::uint64_t LoadCell(const std::uint64_t& cell) {
  return std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(cell)).load(std::memory_order_relaxed);
}
inline void StoreCell(std::uint64_t& cell, std::uint64_t value) {
  std::atomic_ref<std::uint64_t>(cell).store(value, std::memory_order_relaxed);
}

// For the slot's owner alone. A load and a store instead of a locked add: an eighth of its cost.
inline void AddOwned(std::uint64_t& cell, std::uint64_t value) { StoreCell(cell, LoadCell(cell) + value); }

// For the overflow slot, which everybody shares.
inline void AddShared(std::uint64_t& cell, std::uint64_t value) {
  std::atomic_ref<std::uint64_t>(cell).fetch_add(value, std::memory_order_relaxed);
}
inline void RaiseShared(std::uint64_t& cell, std::uint64_t value) {
  std::atomic_ref<std::uint64_t> shared(cell);
  std::uint64_t old = shared.load(std::memory_order_relaxed);
  while (old < value && !shared.compare_exchange_weak(old, value, std::memory_order_relaxed)) {
  }
}

// Stores `value` if the cell still holds `expected`.
inline bool ReplaceCell(std::uint64_t& cell, std::uint64_t expected, std::uint64_t value) {
  return std::atomic_ref<std::uint64_t>(cell).compare_exchange_strong(expected, value,
                                                                      std::memory_order_relaxed);
}

}  // namespace outgrown::block
