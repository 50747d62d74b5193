// The answer as text: per store the verdicts with their times, drawn as a timeline on a terminal; then what another
// spec would have changed. Pure: the caller says whether there is a terminal.
#pragma once

#include <span>
#include <string>

#include "common/text.h"
#include "decision/history/compare.h"

namespace outgrown::history {

// Ends with a newline.
std::string TextAnswer(std::span<const Answer> answers, const TextStyle& style);

// More of a store's intervals than this are only counted.
inline constexpr std::size_t kIntervalsShownMax = 40;

}  // namespace outgrown::history
