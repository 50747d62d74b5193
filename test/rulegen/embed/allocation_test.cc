// The promise of decide.hpp: no allocation. This program's own operator new counts.
#include <array>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <string_view>

#include <doctest/doctest.h>

#include "rulegen/embed/decide.hpp"

namespace {

std::size_t allocations = 0;

}  // namespace

void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

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
  ::operator delete(::operator new(1));
  CHECK(allocations - before > 0);  // the counting works
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
  REQUIRE(outgrown::SignalCount() == 5);
  CHECK(outgrown::Signal(4).id == "write_p99_seconds");
  CHECK(outgrown::Signal(4).title == "P99 write latency");
  CHECK(outgrown::Signal(4).unit == "seconds");
  CHECK(outgrown::SpecDigest().size() == 64);
}
