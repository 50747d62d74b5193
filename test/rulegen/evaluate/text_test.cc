#include "rulegen/evaluate/text.h"

#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "rulegen/evaluate/json_tree.h"
#include "rulegen/evaluate/json_writer.h"
#include "rulegen/evaluate/quantity.h"
#include "rulegen/evaluate/time_text.h"

using namespace outgrown::evaluate;  // NOLINT(google-build-using-namespace): a test
using outgrown::Unit;

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

TEST_CASE("what JsonString writes, the parser reads back") {
  for (const std::string text :
       {"", "plain", "\"\\/\b\f\n\r\t", "é漢\xF0\x9F\x98\x80", "\x01\x1f\x7f", "</script>"}) {
    CAPTURE(text);
    const auto read = ParseJson(JsonString(text));
    REQUIRE(read.ok());
    CHECK(*read->string() == text);
  }
  CHECK(JsonString("a\xFF") == "\"a\\ufffd\"");
  CHECK(JsonString("\x7f") == "\"\\u007f\"");
}

TEST_CASE("a written document is one line and reads back") {
  JsonWriter json;
  json.StartObject().Key("a").Number(0.1).Key("b").StartArray().Integer(1).Null().Boolean(true).StartObject();
  json.EndObject().EndArray().Key("c").Number(1.0 / 0.0).EndObject();
  CHECK(json.text() == R"({"a":0.1,"b":[1,null,true,{}],"c":"+Inf"})");
  CHECK(ParseJson(json.text()).ok());
}

TEST_CASE("a document with a key twice, or too deep, is refused") {
  CHECK(ParseJson(R"({"a":1,"a":2})").error().what == "the key \"a\" stands twice");
  CHECK(ParseJson(std::string(32, '[') + std::string(32, ']')).ok());
  CHECK_FALSE(ParseJson(std::string(33, '[') + std::string(33, ']')).ok());
}

TEST_CASE("instants are written and read in UTC") {
  CHECK(Rfc3339(1'795'442'400'250) == "2026-11-23T14:00:00.250Z");
  CHECK(UtcText(1'795'442'400'999) == "2026-11-23 14:00:00 UTC");
  struct Case {
    std::string_view text;
    std::int64_t time_ms;
  };
  const std::vector<Case> good = {
      {"2026-11-23T14:00:00Z", 1'795'442'400'000},
      {"2026-11-23t14:00:00.25z", 1'795'442'400'250},
      {"2026-11-23 15:00:00+01:00", 1'795'442'400'000},
      {"2026-11-23T10:30:00-03:30", 1'795'442'400'000},
      {"1795442400", 1'795'442'400'000},
      {"1795442400.25", 1'795'442'400'250},
      {"1970-01-01T00:00:00Z", 0},
      {"2026-11-23T14:00:00.123456789Z", 1'795'442'400'123},
  };
  for (const Case& example : good) {
    CAPTURE(example.text);
    CHECK(ParseTime(example.text) == example.time_ms);
  }
  for (const std::string_view text :
       {"", "now", "2026-11-23", "2026-11-23T14:00:00", "2026-02-30T00:00:00Z", "-1", "nan", "inf", "1e300",
        "2026-11-23T24:00:00Z", "2026-11-23T14:00:00.Z", "12h"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseTime(text).has_value());
  }
  CHECK(LengthText(0) == "0 s");
  CHECK(LengthText(119'999) == "119 s");
  CHECK(LengthText(720'000) == "12 min");
  CHECK(LengthText(10'800'000) == "3 h");
  CHECK(LengthText(41 * 86'400'000LL) == "41 days");
}

TEST_CASE("values are shown in their unit") {
  struct Case {
    double value;
    Unit unit;
    std::string_view text;
  };
  const std::vector<Case> cases = {
      {0.0231, Unit::kRatio, "2.31 %"},
      {0.01, Unit::kRatio, "1 %"},
      {0, Unit::kRatio, "0 %"},
      {84.2, Unit::kPerSecond, "84.2"},
      {100, Unit::kPerSecond, "100"},
      {1234567, Unit::kCount, "1234567"},
      {0.038, Unit::kSeconds, "38 ms"},
      {0.1, Unit::kSeconds, "100 ms"},
      {2.5, Unit::kSeconds, "2.5 s"},
      {0.0000421, Unit::kSeconds, "42.1 µs"},
      {0, Unit::kSeconds, "0 ms"},
      {5368709120, Unit::kBytes, "5 GB"},
      {1932735283.2, Unit::kBytes, "1.8 GB"},
      {512, Unit::kBytes, "512 B"},
      {2, Unit::kCount, "2"},
      {1e-9, Unit::kRatio, "1e-07 %"},
  };
  for (const Case& example : cases) CHECK(QuantityText(example.value, example.unit) == example.text);
}
