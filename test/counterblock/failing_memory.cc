#include "test/counterblock/failing_memory.h"

#include <stdlib.h>

#include <cstddef>
#include <new>

namespace {

// Which of this thread's allocations fails: 1 is the next, 0 none.
thread_local int allocations_until_failure = 0;
thread_local bool failed = false;

void* Allocate(std::size_t size) {
  if (allocations_until_failure > 0 && --allocations_until_failure == 0) {
    failed = true;
    return nullptr;
  }
  return ::malloc(size == 0 ? 1 : size);
}

}  // namespace

namespace outgrown::test {

bool FailsAt(int n, const std::function<void()>& call) {
  failed = false;
  allocations_until_failure = n;
  call();
  allocations_until_failure = 0;
  return failed;
}

}  // namespace outgrown::test

void* operator new(std::size_t size) {
  void* const memory = Allocate(size);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void* operator new(std::size_t size, const std::nothrow_t& /*unused*/) noexcept { return Allocate(size); }
void operator delete(void* memory) noexcept { ::free(memory); }
void operator delete(void* memory, std::size_t /*size*/) noexcept { ::free(memory); }
void operator delete(void* memory, const std::nothrow_t& /*unused*/) noexcept { ::free(memory); }
