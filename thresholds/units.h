// The units a signal may have, as the spec spells them.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "thresholds/table.h"

namespace outgrown {

// "per_second"
std::string_view UnitName(Unit unit);

// The unit of that name; nothing if there is none.
std::optional<Unit> ParseUnit(std::string_view name);

// All names, in the order of the enumeration.
std::span<const std::string_view> UnitNames();

}  // namespace outgrown
