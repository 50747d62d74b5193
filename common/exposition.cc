#include "common/exposition.h"

#include <cmath>

#include <fmt/format.h>

#include "common/text.h"

namespace outgrown {
namespace {

void AppendEscaped(std::string& out, std::string_view text, bool escape_quote) {
  // Most of what is written; without an early end, so that the compiler looks at many bytes at once.
  bool plain = true;
  for (const char c : text) plain &= c >= ' ' && c < '\x7F' && c != '\\' && c != '"';
  if (plain) {
    out += text;
    return;
  }
  // Prometheus refuses a whole scrape for one label value that is not UTF-8, so such bytes are replaced.
  // Newline, backslash and (in labels) the double quote are all that the format escapes; other control
  // characters are allowed.
  for (const char c : ValidUtf8(text)) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (escape_quote && c == '"')) {
      out += {'\\', c};
    } else {
      out += c;
    }
  }
}

}  // namespace

void AppendLabel(std::string& out, bool first, std::string_view name, std::string_view value) {
  out += first ? '{' : ',';
  out += name;
  out += "=\"";
  AppendEscaped(out, value, true);
  out += '"';
}

void AppendHelp(std::string& out, std::string_view help) { AppendEscaped(out, help, false); }

void AppendValue(std::string& out, double value) {
  // Counts are most of a page, and their digits cost a fifth of a double's. Up to 2^53 every integer is a
  // double, so that the conversion loses nothing. NaN, infinities, zero (it may be -0) and negative numbers
  // fail the test and take the other way.
  constexpr double kExactIntegerMax = 9007199254740992;
  if (value > 0 && value < kExactIntegerMax && std::trunc(value) == value) {
    const fmt::format_int digits(static_cast<long long>(value));
    out.append(digits.data(), digits.size());
  } else {
    out += ExactNumber(value);
  }
}

}  // namespace outgrown
