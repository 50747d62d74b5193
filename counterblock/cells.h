// The only ways to touch a cell of a mapped block. Relaxed, where nothing else is said: no cell orders another, each is exact by
// itself.
#pragma once

#include <atomic>
#include <cstdint>

#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#if defined(__has_feature)
#if !__has_feature(thread_sanitizer)
#define OUTGROWN_ADD_IN_PLACE
#endif
#else
#define OUTGROWN_ADD_IN_PLACE
#endif
#endif

namespace outgrown::block {

static_assert(std::atomic_ref<std::uint64_t>::is_always_lock_free);

inline std::uint64_t LoadCell(const std::uint64_t& cell) {
  return std::atomic_ref<std::uint64_t>(const_cast<std::uint64_t&>(cell)).load(std::memory_order_relaxed);
}
inline void StoreCell(std::uint64_t& cell, std::uint64_t value) {
  std::atomic_ref<std::uint64_t>(cell).store(value, std::memory_order_relaxed);
}

// For the slot's owner alone. No locked add, which would cost eight times as much. On x86-64 one unlocked
// instruction on memory, for which the compilers have no atomic of their own; it stores the aligned word
// whole, as a load and a store do. Elsewhere, and where ThreadSanitizer is to see it, a load and a store.
inline void AddOwned(std::uint64_t& cell, std::uint64_t value) {
#if defined(OUTGROWN_ADD_IN_PLACE)
  asm("addq %1, %0" : "+m"(cell) : "er"(value) : "cc");
#else
  StoreCell(cell, LoadCell(cell) + value);
#endif
}

// For the overflow slot, which everybody shares.
inline void AddShared(std::uint64_t& cell, std::uint64_t value) {
  std::atomic_ref<std::uint64_t>(cell).fetch_add(value, std::memory_order_relaxed);
}
// For times. Release, so that who meets this boot's time also meets the boot that was stored before it (AdoptBoot).
inline void RaiseShared(std::uint64_t& cell, std::uint64_t value) {
  std::atomic_ref<std::uint64_t> shared(cell);
  std::uint64_t old = shared.load(std::memory_order_relaxed);
  while (old < value &&
         !shared.compare_exchange_weak(old, value, std::memory_order_release, std::memory_order_relaxed)) {
  }
}

// Stores `value` if the cell still holds `expected`.
inline bool ReplaceCell(std::uint64_t& cell, std::uint64_t expected, std::uint64_t value) {
  return std::atomic_ref<std::uint64_t>(cell).compare_exchange_strong(expected, value,
                                                                      std::memory_order_relaxed);
}

}  // namespace outgrown::block
