#include "common/check.h"

#include <cstdio>
#include <cstdlib>

namespace outgrown {

void CheckFailed(const char* file, int line, const char* expression) {
  std::fprintf(stderr, "%s:%d: check failed: %s\n", file, line, expression);
  // Not exit(): a bug leaves a core dump with the stack, and no destructor runs over a broken state. stderr
  // is unbuffered, so the line above is out.
  std::abort();
}

}  // namespace outgrown
