// The one line that says why writes are not counted, for whoever asked for it with OUTGROWN_LOG=stderr.
#pragma once

#include <string>

namespace outgrown::block {

// "outgrown: writes are not counted: WHY", without a newline; control characters in `why` (a path may have any) become
// '?', so that it stays one line.
std::string OffLine(const std::string& why);

// Writes the line to standard error if $OUTGROWN_LOG is "stderr"; nothing otherwise. Keeps errno.
void LogOff(const std::string& line) noexcept;

}  // namespace outgrown::block
