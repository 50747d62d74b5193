#include "common/text.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using outgrown::ExactNumber;
using outgrown::ParseNumber;
using outgrown::PlainText;
using outgrown::ValidUtf8;

TEST_CASE("what is not UTF-8 is replaced, and only that") {
  CHECK(ValidUtf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z") == "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");
  const std::string replaced = "\xEF\xBF\xBD";
  CHECK(ValidUtf8("\x80") == replaced);                                               // a tail alone
  CHECK(ValidUtf8("\xC3") == replaced);                                               // cut short
  CHECK(ValidUtf8("\xC0\xAF") == replaced + replaced);                                // overlong
  CHECK(ValidUtf8("\xED\xA0\x80") == replaced + replaced + replaced);                 // surrogate
  CHECK(ValidUtf8("\xF4\x90\x80\x80") == replaced + replaced + replaced + replaced);  // above U+10FFFF
}

TEST_CASE("text from outside can't move a terminal's cursor or reorder its line") {
  CHECK(PlainText("plain é 漢 \xF0\x9F\x98\x80") == "plain é 漢 \xF0\x9F\x98\x80");
  CHECK(PlainText("a\x1b[2Jb\x07\r\n\x7f") == "a�[2Jb����");
  CHECK(PlainText("\xC2\x9B"
                  "31m") == "�31m");  // C1 control sequence introducer
  CHECK(PlainText("a\xE2\x80\xAE"
                  "b") == "a�b");  // right-to-left override
  CHECK(PlainText("\xC0\x80\xED\xA0\x80\xF5\xFF") == "�������");
  CHECK(PlainText(std::string(10, 'x'), 4) == "xxxx…");
}

TEST_CASE("a number is written as Prometheus' canonical PromQL writes it") {
  CHECK(ExactNumber(0.01) == "0.01");
  CHECK(ExactNumber(1e-2) == "0.01");
  CHECK(ExactNumber(100) == "100");
  CHECK(ExactNumber(5368709120.0) == "5368709120");
  CHECK(ExactNumber(0.1 + 0.2) == "0.30000000000000004");
  CHECK(ExactNumber(-0.0) == "-0");
  CHECK(ExactNumber(1e21) == "1000000000000000000000");
  CHECK(ExactNumber(std::numeric_limits<double>::infinity()) == "+Inf");
  CHECK(ExactNumber(-std::numeric_limits<double>::infinity()) == "-Inf");
  CHECK(ExactNumber(std::numeric_limits<double>::quiet_NaN()) == "NaN");
}

TEST_CASE("every double reads back bit for bit") {
  const std::uint64_t seed = 20261123;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 100'000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (std::isnan(value)) continue;
    const std::optional<double> back = ParseNumber(ExactNumber(value));
    REQUIRE(back.has_value());
    REQUIRE(std::bit_cast<std::uint64_t>(*back) == std::bit_cast<std::uint64_t>(value));
  }
}

TEST_CASE("text that is not wholly a number is none") {
  for (const std::string_view text : {"", " 1", "1 ", "1x", "0x10", "--1", "+-1", "1,5", "one"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseNumber(text).has_value());
  }
  CHECK(ParseNumber("+Inf") == std::numeric_limits<double>::infinity());
  CHECK(std::isnan(ParseNumber("NaN").value()));
}
