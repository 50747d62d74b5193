// The answer for machines; docs/backtest.md describes the format.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "decision/history/compare.h"

namespace outgrown::history {

// One JSON document with a newline. `version`: rulegen's.
std::string JsonAnswer(std::span<const Answer> answers, int exit_status, std::string_view version);

}  // namespace outgrown::history
