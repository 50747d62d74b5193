// Prints rows of C++ for cpp_literals_test.cc: what a literal must be, spelt without the emitter, and the literal.
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>

#include <fmt/format.h>

#include "test/rulegen/support/hostile.h"
#include "thresholds/table_source.h"

namespace {

constexpr std::uint64_t kSeed = 20261126;
constexpr int kDoubles = 100'000;
constexpr int kStrings = 100'000;

// Its bytes as numbers.
std::string Bytes(const std::string& text) {
  std::string bytes;
  for (const char c : text) bytes += fmt::format("{},", static_cast<unsigned>(static_cast<unsigned char>(c)));
  return bytes;
}

}  // namespace

int main() {
  using namespace outgrown;
  std::mt19937_64 random(kSeed);
  fmt::print("constexpr DoubleRow kDoubles[] = {{\n");
  for (int i = 0; i < kDoubles; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    fmt::print("{{{:#x}, {}}},\n", std::bit_cast<std::uint64_t>(value), spec::CppDouble(value));
  }
  fmt::print("}};\n");
  std::string rows;
  std::size_t begin = 0;
  fmt::print("constexpr unsigned char kBytes[] = {{\n");
  for (int i = 0; i < kStrings; ++i) {
    const std::string text = test::HostileString(random);
    const std::string literal = spec::CppString(text);
    fmt::print("{}\n", Bytes(text));
    rows += fmt::format("{{{}, {}, {literal}, sizeof({literal}) - 1}},\n", begin, text.size(),
                        fmt::arg("literal", literal));
    begin += text.size();
  }
  fmt::print("}};\nconstexpr StringRow kStrings[] = {{\n{}", rows);
  fmt::print("}};\n");
}
