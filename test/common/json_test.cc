#include "common/json.h"

#include <ctime>
#include <string>

#include <doctest/doctest.h>

using namespace outgrown;  // NOLINT(google-build-using-namespace): a test

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
  CHECK(ParseJson(R"({"a":1,"a":2})").error().what == "the key \"a\" occurs twice");
  CHECK(ParseJson(std::string(32, '[') + std::string(32, ']')).ok());
  CHECK_FALSE(ParseJson(std::string(33, '[') + std::string(33, ']')).ok());
}

TEST_CASE("an object with many keys takes no time that grows with their square") {
  // In processor time, and compared with a tenth of the keys: neither depends on what else the machine does.
  const auto work = [](int keys) {
    std::string text = "{";
    for (int key = 0; key < keys; ++key) text += "\"key" + std::to_string(key) + "\":0,";
    const std::clock_t begun = std::clock();
    CHECK(ParseJson(text + "\"z\":[{\"key1\":0}]}").ok());
    CHECK(ParseJson(text + "\"key7\":1}").error().what == "the key \"key7\" occurs twice");
    return static_cast<double>(std::clock() - begun);
  };
  const double tenth = work(3'000);
  CHECK(work(30'000) < 40 * tenth);  // with their square it would be 100
}
