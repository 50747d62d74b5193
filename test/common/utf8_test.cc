#include "common/utf8.h"

#include <string>

#include <doctest/doctest.h>

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
