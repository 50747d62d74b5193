#include "thresholds/units.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace outgrown {
namespace {

// Indexed by Unit.
constexpr std::array<std::string_view, 5> kNames = {"ratio", "per_second", "seconds", "bytes", "count"};
static_assert(static_cast<std::size_t>(Unit::kCount) + 1 == kNames.size());

}  // namespace

std::string_view UnitName(Unit unit) { return kNames.at(static_cast<std::size_t>(unit)); }

std::optional<Unit> ParseUnit(std::string_view name) {
  const auto* found = std::ranges::find(kNames, name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<Unit>(found - kNames.begin());
}

std::span<const std::string_view> UnitNames() { return kNames; }

}  // namespace outgrown
