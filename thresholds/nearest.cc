#include "thresholds/nearest.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "thresholds/diagnostic.h"

namespace outgrown::spec {
namespace {

// Longer names are no typing errors of ours; this also bounds the work for one name.
constexpr std::size_t kNameBytesMax = 64;

// Optimal string alignment distance, in three rows.
std::size_t Distance(std::string_view a, std::string_view b) {
  std::array<std::array<std::size_t, kNameBytesMax + 1>, 3> rows{};
  for (std::size_t j = 0; j <= b.size(); ++j) rows[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    auto& row = rows[i % 3];
    const auto& above = rows[(i + 2) % 3];
    const auto& above_that = rows[(i + 1) % 3];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, replaced});
      const bool is_swap = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (is_swap) row[j] = std::min(row[j], above_that[j - 2] + 1);
    }
  }
  return rows[a.size() % 3][b.size()];
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (c == '-') c = '_';
  }
  return lower;
}

}  // namespace

std::string_view Nearest(std::string_view name, std::span<const std::string_view> candidates) {
  if (name.empty() || name.size() > kNameBytesMax) return {};
  const std::string lower = Lower(name);
  std::string_view nearest;
  std::size_t least = kNameBytesMax;
  for (const std::string_view candidate : candidates) {
    if (candidate.size() > kNameBytesMax || candidate == name) continue;
    const std::size_t longer = std::max(name.size(), candidate.size());
    if (longer - std::min(name.size(), candidate.size()) > longer / 3) continue;
    const std::string lower_candidate = Lower(candidate);
    const std::size_t distance = lower == lower_candidate ? 1 : Distance(lower, lower_candidate);
    if (distance <= std::max<std::size_t>(1, longer / 3) && distance < least) {
      least = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

std::string DidYouMean(std::string_view name, std::span<const std::string_view> candidates) {
  const std::string_view nearest = Nearest(name, candidates);
  return nearest.empty() ? "" : "; did you mean " + Quoted(nearest) + "?";
}

}  // namespace outgrown::spec
