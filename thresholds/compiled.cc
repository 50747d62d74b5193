// The shipped specs' tables, compiled in, and that each is whole: what a table promises is checked by the compiler.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

#include "thresholds/table.h"

namespace outgrown {
namespace {

// The index of the row with that id. Does not compile if there is none, so that no row can refer to nothing.
template <typename Row, std::size_t kCount>
consteval std::uint16_t IndexOf(const std::array<Row, kCount>& rows, std::string_view id) {
  // Rows refer by 16 bits (ThresholdRow::signal, verdict).
  static_assert(kCount <= std::numeric_limits<std::uint16_t>::max());
  for (std::size_t i = 0; i < kCount; ++i) {
    if (rows[i].id == id) return static_cast<std::uint16_t>(i);
  }
  throw "the row refers to an id that no row has";  // NOLINT: never thrown, it ends the compilation
}

// The rows, and kTable around them: generated from the spec by thresholds/tablegen.cc.
#include "thresholds.inc"

template <typename Row, std::size_t kCount>
consteval bool IdsAreUnique(const std::array<Row, kCount>& rows) {
  for (std::size_t i = 0; i < kCount; ++i) {
    for (std::size_t j = i + 1; j < kCount; ++j) {
      if (rows[i].id == rows[j].id) return false;
    }
  }
  return true;
}

// The generator has checked all of this. It is checked again here because the rows are a file, which somebody
// could edit or mix with another version of the structures; then the build fails and no decision is made by
// half a table.
static_assert(!kIdentity.empty() && !kVerdicts.empty() && !kSignals.empty() && !kThresholds.empty());
static_assert(kSignals.size() <= kCompiledRowsMax && kThresholds.size() <= kCompiledRowsMax);
static_assert(IdsAreUnique(kVerdicts) && IdsAreUnique(kSignals) && IdsAreUnique(kThresholds));
static_assert(std::ranges::all_of(kThresholds, [](const ThresholdRow& row) {
  return row.signal < kSignals.size() && row.verdict < kVerdicts.size() && row.hold_ms >= 0;
}));
// A SHA-256 in hexadecimal digits; a walk from one evaluation to the next would never end with an interval of
// 0.
static_assert(kTable.digest.size() == 64 && kTable.interval_ms > 0 && kTable.scrape_interval_ms > 0);

}  // namespace

const Table& CompiledTable() { return kTable; }

}  // namespace outgrown
