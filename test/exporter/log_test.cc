#include "exporter/log.h"

#include <string>

#include <doctest/doctest.h>

using outgrown::exporter::FormatLogLine;
using outgrown::exporter::LogFormat;
using outgrown::exporter::LogLevel;

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
