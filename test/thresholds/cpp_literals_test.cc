// What the emitter writes for C++, read by the compiler itself: the rows come from write_cpp_literals.cc, which runs at
// build time.
#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <span>
#include <string_view>

#include <doctest/doctest.h>

namespace {

struct DoubleRow {
  std::uint64_t bits;
  double literal;
};

struct StringRow {
  std::size_t begin;  // in kBytes
  std::size_t size;
  const char* literal;
  std::size_t literal_size;
};

#include "cpp_literals.inc"

TEST_CASE("the compiler reads every double bit for bit") {
  CHECK(std::size(kDoubles) > 99'000);
  for (const DoubleRow& row : kDoubles) REQUIRE(std::bit_cast<std::uint64_t>(row.literal) == row.bits);
}

TEST_CASE("the compiler reads every hostile string as it was") {
  CHECK(std::size(kStrings) == 100'000);
  for (const StringRow& row : kStrings) {
    const std::string_view text(row.literal, row.literal_size);
    REQUIRE(std::ranges::equal(text, std::span(kBytes).subspan(row.begin, row.size), {},
                               [](char c) { return static_cast<unsigned char>(c); }));
  }
}

}  // namespace
