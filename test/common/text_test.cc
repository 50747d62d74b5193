#include "common/text.h"

#include <string>

#include <doctest/doctest.h>

using outgrown::PlainText;

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
