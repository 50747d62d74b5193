#include "exporter/log.h"

#include <string>

#include <doctest/doctest.h>

#include "exporter/utf8.h"

using outgrown::exporter::FormatLogLine;
using outgrown::exporter::LogFormat;
using outgrown::exporter::LogLevel;
using outgrown::exporter::ValidUtf8;

TEST_CASE("a log line is one line of logfmt or JSON, whatever its values hold") {
  struct Case {
    std::string value;
    std::string logfmt;
    std::string json;
  };
  const Case cases[] = {
      {"/srv/a.db", "/srv/a.db", R"("/srv/a.db")"},
      {"", R"("")", R"("")"},
      {"two words", R"("two words")", R"("two words")"},
      {"a=b", R"("a=b")", R"("a=b")"},
      {"quote \" and \\", R"("quote \" and \\")", R"("quote \" and \\")"},
      {"line\nbreak\x01", R"("line\nbreak\u0001")", R"("line\nbreak\u0001")"},
      {"\xFF", R"("\ufffd")", R"("\ufffd")"},
      {"caf\xC3\xA9", "\"caf\xC3\xA9\"", "\"caf\xC3\xA9\""},
  };
  for (const Case& c : cases) {
    CHECK(FormatLogLine(LogFormat::kLogfmt, "T", LogLevel::kWarn, "Failed", {{"k", c.value}}) ==
          "ts=T level=warn msg=Failed k=" + c.logfmt);
    CHECK(FormatLogLine(LogFormat::kJson, "T", LogLevel::kError, "Failed", {{"k", c.value}}) ==
          R"({"ts":"T","level":"error","msg":"Failed","k":)" + c.json + "}");
  }
}

TEST_CASE("what is not UTF-8 is replaced, and only that") {
  CHECK(ValidUtf8("a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z") == "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z");
  const std::string replaced = "\xEF\xBF\xBD";
  CHECK(ValidUtf8("\x80") == replaced);                                               // a tail alone
  CHECK(ValidUtf8("\xC3") == replaced);                                               // cut short
  CHECK(ValidUtf8("\xC0\xAF") == replaced + replaced);                                // overlong
  CHECK(ValidUtf8("\xED\xA0\x80") == replaced + replaced + replaced);                 // surrogate
  CHECK(ValidUtf8("\xF4\x90\x80\x80") == replaced + replaced + replaced + replaced);  // above U+10FFFF
}
