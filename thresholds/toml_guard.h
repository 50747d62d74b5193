// What toml++ must not see. Debian 12's toml++ 3.3.0 overflows the stack on very deep dotted keys, has undefined
// behaviour on some bare keys that are not ASCII, and accepts NUL; a spec needs none of that, so the text is looked
// through first. This is no TOML parser: it knows strings, comments and brackets, and no more.
#pragma once

#include <cstddef>
#include <string_view>

#include "thresholds/diagnostic.h"

namespace outgrown::spec {

// A spec of 10,000 thresholds has about 3 MiB.
inline constexpr std::size_t kSpecBytesMax = 16U << 20U;
// The deepest place of a spec is signal.test[].series.NAME.
inline constexpr std::size_t kDottedKeyPartsMax = 16;
inline constexpr std::size_t kNestingMax = 16;

// Reports the first thing in each line that toml++ must not see; nothing reported means that it may parse `toml`.
void GuardToml(std::string_view toml, Report& report);

}  // namespace outgrown::spec
