// The promise of decide.hpp: no allocation. This program's own malloc and its kin count, for the shared library too; operator
// new rests on them. What maps memory by itself makes a system call (no_io_test.cc).
#include <string.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdlib>
#include <string_view>

#include <doctest/doctest.h>

#include "decision/library/decide.hpp"

namespace {

// Atomic, or a compiler that knows malloc takes it for unchanged.
std::atomic<std::size_t> allocations = 0;

}  // namespace

// glibc's own, which its free takes back. NOLINTBEGIN(bugprone-reserved-identifier): its names
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
// NOLINTEND(bugprone-reserved-identifier)

void* malloc(std::size_t size) {
  ++allocations;
  return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size) {
  ++allocations;
  return __libc_calloc(count, size);
}

void* realloc(void* memory, std::size_t size) {
  ++allocations;
  return __libc_realloc(memory, size);
}

void* memalign(std::size_t alignment, std::size_t size) {
  ++allocations;
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) { return memalign(alignment, size); }

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
  *memory = memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}
}

TEST_CASE("a decision and its line allocate nothing") {
  std::array<char, 200> line;
  const std::size_t before = allocations;
  const outgrown::Verdict breached = outgrown::Decide({{"write_error_ratio", 0.02}});
  const outgrown::Verdict unknown = outgrown::Decide({{"no_such_signal", 1}});
  outgrown::FormatVerdict(breached, line.data(), line.size());
  const std::size_t during = allocations - before;
  CHECK(during == 0);
  CHECK(std::string_view(line.data()) == "MIGRATE NOW - Write errors >1% (SQLite saturated)");
  CHECK(breached.id == "migrate_now");
  CHECK(unknown.kind == outgrown::VerdictKind::kUndetermined);
  CHECK(unknown.measurements_refused == 1);
  // The counting works: for operator new, and for what the C library allocates by itself.
  const std::size_t before_new = allocations;
  ::operator delete(::operator new(1));
  CHECK(allocations > before_new);
  const std::size_t before_strdup = allocations;
  char* const copy = ::strdup("servers");
  CHECK(std::string_view(copy) == "servers");
  std::free(copy);
  CHECK(allocations > before_strdup);
}

TEST_CASE("a line that does not fit is cut, ends with a NUL and tells its length") {
  std::array<char, 8> line;
  line.fill('x');
  const outgrown::Verdict verdict = outgrown::Decide({{"servers", 2}});
  CHECK(outgrown::FormatVerdict(verdict, line.data(), 6) ==
        std::string_view("MIGRATE NOW - Multi-server requires network DB").size());
  CHECK(std::string_view(line.data()) == "MIGRA");
  CHECK(line[6] == 'x');
  CHECK(outgrown::FormatVerdict(verdict, line.data(), 0) > 0);
  CHECK(line[0] == 'M');
  CHECK(outgrown::FormatVerdict(verdict, nullptr, 0) > 0);
}

TEST_CASE("the signals and the digest are the spec's") {
  REQUIRE(outgrown::SignalCount() == 9);
  CHECK(outgrown::Signal(4).id == "write_p99_seconds");
  CHECK(outgrown::Signal(4).title == "P99 write latency");
  CHECK(outgrown::Signal(4).unit == "seconds");
  CHECK(outgrown::SpecDigest().size() == 64);
}
