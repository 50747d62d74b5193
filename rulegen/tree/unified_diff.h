// The unified diff of two texts, as `diff -u` and `patch` know it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace outgrown::tree {

// From what is on disk to what is generated, three lines of context; a side that does not exist is /dev/null. Empty if
// both are equal. Time is linear in the texts and quadratic in the number of changed lines up to a bound, beyond
// which the changed middle is shown as replaced.
std::string UnifiedDiff(std::string_view path, const std::optional<std::string>& on_disk,
                        const std::optional<std::string>& generated);

}  // namespace outgrown::tree
