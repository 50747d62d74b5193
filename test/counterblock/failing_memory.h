// Memory that runs out at a chosen allocation. Linking failing_memory.cc replaces operator new and delete for the whole
// program, shared libraries included.
#pragma once

#include <functional>

namespace outgrown::test {

// Runs `call` with the n-th of this thread's allocations by operator new failing, 1 being the next. True if there was an
// n-th. malloc's own, SQLite's for one, don't fail.
bool FailsAt(int n, const std::function<void()>& call);

}  // namespace outgrown::test
