#pragma once
// How often a test repeats itself: a few times in `./run test`, many in `./run soak`, which sets OUTGROWN_SOAK.

#include <cstdlib>

namespace outgrown::test {

inline bool Soaks() { return std::getenv("OUTGROWN_SOAK") != nullptr; }

// `quick` in `./run test`, `soak` in `./run soak`.
template <typename Count>
Count Rounds(Count quick, Count soak) {
  return Soaks() ? soak : quick;
}

}  // namespace outgrown::test
