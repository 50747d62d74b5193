// OUTGROWN_CHECK: an assert for what cannot happen unless there is a bug. It stays on in every build,
// and is never for input: input errors are Result's (result.h).
#pragma once

namespace outgrown {

// Prints "FILE:LINE: check failed: EXPRESSION" to stderr and aborts.
[[noreturn]] void CheckFailed(const char* file, int line, const char* expression);

}  // namespace outgrown

#define OUTGROWN_CHECK(expression) \
  ((expression) ? static_cast<void>(0) : ::outgrown::CheckFailed(__FILE__, __LINE__, #expression))
