// "Did you mean": the candidate that a misspelt name was probably meant to be.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace outgrown::spec {

// The candidate that is fewest edits from `name` (insert, delete, replace, swap neighbours; upper and lower case are
// one edit in all), if that is at most a third of its length; the first of equals. Empty if none is near.
std::string_view Nearest(std::string_view name, std::span<const std::string_view> candidates);

// "; did you mean CANDIDATE?" or nothing, to follow what a diagnostic expected.
std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates);

}  // namespace outgrown::spec
