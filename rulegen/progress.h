// How far long work has come, for who watches it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace outgrown::commands {

// A line of progress on standard error that replaces itself, and vanishes at the end; nothing without a terminal.
std::function<void(std::int64_t done, std::int64_t all)> ProgressOnTerminal(std::string what);

}  // namespace outgrown::commands
