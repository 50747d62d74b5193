// Strings that try to leave their place: made of pieces that mean something to YAML, JSON, C++, PromQL, Go
// templates and Markdown. Always valid UTF-8, as a spec's strings are.
#pragma once

#include <array>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace outgrown::test {

inline std::string HostileString(std::mt19937_64& random) {
  using namespace std::string_view_literals;
  static constexpr std::array kPieces = {"\""sv,          "'"sv,          "`"sv,          "\\"sv,
                                         "\n"sv,          "\r"sv,         "\t"sv,         "\0"sv,
                                         "\x01"sv,        "\x7f"sv,       ": "sv,         " #"sv,
                                         "#"sv,           "- "sv,         "{{"sv,         "}}"sv,
                                         "{"sv,           "}"sv,          "%"sv,          "$"sv,
                                         "$x"sv,          "?\?/"sv,       "?"sv,          "*/"sv,
                                         "//"sv,          "<"sv,          ">"sv,          "&"sv,
                                         "*"sv,           "!"sv,          "|"sv,          "["sv,
                                         "]"sv,           ","sv,          "@"sv,          "="sv,
                                         "~"sv,           " "sv,          "  "sv,         "---"sv,
                                         "..."sv,         "yes"sv,        "null"sv,       "~"sv,
                                         "1e3"sv,         "0x10"sv,       "07"sv,         "1:30"sv,
                                         ".inf"sv,        "true"sv,       "u0041"sv,      "x41"sv,
                                         "n"sv,           "a"sv,          "Z"sv,          "9"sv,
                                         "\u0080"sv,      "\u0085"sv,     "\u00a0"sv,     "\u00e9"sv,
                                         "\u2028"sv,      "\u2029"sv,     "\ufeff"sv,     "\uffff"sv,
                                         "\u202e"sv,      "\U0001f600"sv, "\U0010ffff"sv, "{{ $labels.x }}"sv,
                                         "%s%n"sv,        "R\"("sv,       ")\""sv,        "<!--"sv,
                                         "](http://x)"sv, "__"sv,         "&amp;"sv,      "\\u0022"sv,
                                         "www."sv,        "@b.c"sv,       "!!str"sv,      "<<"sv};
  std::string text;
  const std::uint64_t count = random() % 8;
  for (std::uint64_t i = 0; i < count; ++i) text += kPieces[random() % kPieces.size()];
  return text;
}

}  // namespace outgrown::test
