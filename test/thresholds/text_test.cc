#include "thresholds/diagnostic.h"

#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace std::string_view_literals;
using outgrown::spec::CharacterLength;
using outgrown::spec::FindControl;
using outgrown::spec::FirstCharacter;
using outgrown::spec::Printable;

TEST_CASE("UTF-8 is read as RFC 3629 says, and nothing else is") {
  CHECK(FirstCharacter("a") == U'a');
  CHECK(FirstCharacter("\x7f") == 0x7F);
  CHECK(FirstCharacter("\xc2\x80") == 0x80);
  CHECK(FirstCharacter("\xdf\xbf") == 0x7FF);
  CHECK(FirstCharacter("\xe0\xa0\x80") == 0x800);
  CHECK(FirstCharacter("\xef\xbf\xbf") == 0xFFFF);
  CHECK(FirstCharacter("\xf0\x90\x80\x80") == 0x10000);
  CHECK(FirstCharacter("\xf4\x8f\xbf\xbf") == 0x10FFFF);
  for (const std::string_view bad :
       {"\x80"sv, "\xbf"sv, "\xc0\x80"sv, "\xc1\xbf"sv, "\xe0\x9f\xbf"sv, "\xed\xa0\x80"sv,
        "\xf0\x8f\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf8\x88\x80\x80\x80"sv, "\xff"sv, "\xc2"sv,
        "\xe2\x82"sv, "\xe2\x28\xa1"sv, "\xf0\x9f\x98"sv}) {
    CAPTURE(bad);
    CHECK_FALSE(FirstCharacter(bad).has_value());
    CHECK(CharacterLength(bad) == 1);
  }
  CHECK(CharacterLength("\xe2\x82\xac") == 3);
}

TEST_CASE("control characters, separators and direction marks are found at their byte") {
  CHECK_FALSE(FindControl("").has_value());
  CHECK_FALSE(FindControl("plain, größer, 汉字, 😀").has_value());
  struct Row {
    std::string_view text;
    std::size_t at;
  };
  for (const Row& row : {Row{"a\nb", 1}, Row{"\t", 0}, Row{"ab\0"sv, 2}, Row{"\x7f", 0}, Row{"ä\xc2\x85", 2},
                         Row{"x\xe2\x80\xa8", 1}, Row{"x\xe2\x80\xaey", 1}, Row{"x\xe2\x81\xa6y", 1},
                         Row{"\xef\xbb\xbfx", 0}, Row{"x\xff", 1}}) {
    CAPTURE(row.text);
    CHECK(FindControl(row.text) == row.at);
  }
  CHECK(Printable("\x1b") == "\\x1b");
  CHECK(Printable("\xff") == "\\xff");
  CHECK(Printable("\xc2\x85") == "\\u0085");
  CHECK(Printable("\xe2\x80\xae") == "\\u202e");
  CHECK(Printable("\t") == "\t");
  CHECK(Printable("é") == "é");
}
