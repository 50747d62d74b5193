#pragma once
// How often a test repeats itself: a few times in `./run test`, many in `./run soak`, which sets OUTGROWN_SOAK.

#include <cstdlib>

namespace outgrown::test {

// `quick` in `./run test`, `soak` in `./run soak`.
template <typename Count>
Count Rounds(Count quick, Count soak) {
  return std::getenv("OUTGROWN_SOAK") != nullptr ? soak : quick;
}

}  // namespace outgrown::test
