#include "rulegen/artefacts/promtool/test_stores.h"

#include <string>
#include <string_view>

#include <doctest/doctest.h>

using outgrown::artefacts::ExpandSeries;
using outgrown::artefacts::SeriesValues;
using outgrown::artefacts::WithReset;
using outgrown::artefacts::WriteSeries;

TEST_CASE("promtool's notation expands as its documentation says") {
  CHECK(ExpandSeries("1+2x3").value() == SeriesValues{1, 3, 5, 7});
  CHECK(ExpandSeries("1-2x2").value() == SeriesValues{1, -1, -3});
  CHECK(ExpandSeries("-2+4x3").value() == SeriesValues{-2, 2, 6, 10});
  CHECK(ExpandSeries("7x2 _ 8").value() == SeriesValues{7, 7, 7, {}, 8});
  CHECK(ExpandSeries("_x3 1e-2 stale").value() == SeriesValues{{}, {}, {}, 0.01, {}});
  CHECK(ExpandSeries("1e+2+1e-1x1").value() == SeriesValues{100, 100.1});
  CHECK(ExpandSeries("").value().empty());
}

TEST_CASE("what is no notation, or without end, is refused") {
  for (const std::string_view text :
       {"x", "1+2", "1x", "1xx2", "1x2.5", "1x-1", "a", "1+ax3", "1x99999999999", "_y"}) {
    CAPTURE(text);
    CHECK_FALSE(ExpandSeries(text).has_value());
  }
}

TEST_CASE("writing is the inverse of expanding") {
  for (const std::string_view text :
       {"0+1x80", "7x80", "1 2 4", "_x3", "0+1x2 _x4 9-3x2", "0.1+0.1x9", "5"}) {
    CAPTURE(text);
    const SeriesValues values = ExpandSeries(text).value();
    CHECK(ExpandSeries(WriteSeries(values)).value() == values);
  }
  CHECK(WriteSeries(ExpandSeries("0+1x80").value()) == "0+1x80");
  CHECK(WriteSeries(ExpandSeries("7x80").value()) == "7x80");
}

TEST_CASE("a counter that is reset goes on with the same increases") {
  CHECK(WriteSeries(WithReset(ExpandSeries("5+10x6").value(), 3)) == "5+10x2 10+10x3");
  CHECK(WriteSeries(WithReset(ExpandSeries("900x5").value(), 2)) == "900x1 0x3");
}
