#include "thresholds/test_series.h"

#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using outgrown::spec::NormaliseNotation;
using outgrown::spec::ReadNotation;

TEST_CASE("samples are counted as promtool counts them") {
  struct Row {
    std::string_view text;
    std::size_t samples;
  };
  for (const Row& row : {Row{"1", 1}, Row{"1x3", 4}, Row{"1x0", 1}, Row{"0+1x40", 41}, Row{"-1-1x2", 3},
                         Row{"+1 2", 2}, Row{"_", 1}, Row{"_x3 5", 4}, Row{"_ _ 3", 3}, Row{"1 stale 3", 3},
                         Row{" 1  2 ", 2}, Row{"1\t2\n3", 3}, Row{"1e3+1e2x2", 3}, Row{"2.5e-4x1", 2},
                         Row{".5", 1}, Row{"1.", 1}, Row{"NaN Inf +Inf -Inf", 4}, Row{"0x99999", 100'000}}) {
    CAPTURE(row.text);
    CHECK_FALSE(ReadNotation(row.text).problem.has_value());
    CHECK(ReadNotation(row.text).samples == row.samples);
  }
}

TEST_CASE("what promtool refuses is refused, at its place") {
  struct Row {
    std::string_view text;
    std::size_t offset;
  };
  for (const Row& row : {Row{"", 0},
                         Row{"  ", 0},
                         Row{"1,2", 0},
                         Row{"1 two", 2},
                         Row{"1x", 0},
                         Row{"1+-1x3", 0},
                         Row{"1+1X3", 0},
                         Row{"1_2", 0},
                         Row{"1.5.2", 0},
                         Row{"stalex2", 0},
                         Row{"NaNx3", 0},
                         Row{"infx2", 0},
                         Row{"1x-3", 0},
                         Row{"1x1.5", 0},
                         Row{"1e", 0},
                         Row{"1+1", 0},
                         Row{"0xax2", 0},
                         Row{"- 1", 0},
                         Row{"_x", 0},
                         Row{"_3", 0},
                         Row{"+", 0},
                         Row{"5 1x100000", 2},
                         Row{"1x99999999999999999999", 0}}) {
    CAPTURE(row.text);
    const auto notation = ReadNotation(row.text);
    REQUIRE(notation.problem.has_value());
    CHECK(notation.problem->offset == row.offset);
  }
}

TEST_CASE("white space between items means nothing") {
  CHECK(NormaliseNotation("  0+1x40\t\n 5 ") == "0+1x40 5");
  CHECK(NormaliseNotation("").empty());
}
