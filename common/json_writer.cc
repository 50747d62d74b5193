// Writing JSON (json.h).
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "common/json.h"
#include "common/text.h"

namespace outgrown {
namespace {

// Bytes that need neither an escape nor a look at their UTF-8 sequence: most of what is written.
bool IsPlainAscii(char byte) { return (byte >= ' ') & (byte < '\x7F') & (byte != '"') & (byte != '\\'); }

// Appends it. RFC 8259, section 7: quotation mark, reverse solidus and U+0000 to U+001F must be escaped. Of the short
// forms only \n is used, the one that occurs.
void AppendJsonString(std::string& quoted, std::string_view text) {
  quoted += '"';
  // Without a branch for each byte, so that the compiler can take many at once.
  bool all_plain = true;
  for (const char byte : text) all_plain &= IsPlainAscii(byte);
  if (all_plain) {
    quoted += text;
    text = {};
  }
  while (!text.empty()) {
    const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, IsPlainAscii) - text.begin());
    quoted += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    // Not the library's dump(): it throws at invalid UTF-8 unless it is set to replace it, and leaves DEL and C1
    // as they are.
    const CodePoint next = NextCodePoint(text);
    const std::string_view bytes = text.substr(0, next.size_bytes);
    text.remove_prefix(next.size_bytes);
    if (!next.valid) {
      quoted += "\\ufffd";
    } else if (next.value == '"' || next.value == '\\') {
      quoted += '\\';
      quoted += bytes;
    } else if (next.value == '\n') {
      quoted += "\\n";
    } else if (IsControl(next.value)) {
      quoted += fmt::format("\\u{:04x}", static_cast<unsigned>(next.value));
    } else {
      quoted += bytes;
    }
  }
  quoted += '"';
}

}  // namespace

std::string JsonString(std::string_view text) {
  std::string quoted;
  AppendJsonString(quoted, text);
  return quoted;
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  Separate();
  AppendJsonString(text_, key);
  // As Grafana and jq write it, so that a dashboard that was exported gives no needless diff.
  text_ += indented_ ? ": " : ":";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::String(std::string_view value) {
  Separate();
  AppendJsonString(text_, value);
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Integer(std::int64_t value) {
  const fmt::format_int digits(value);
  return Value({digits.data(), digits.size()});
}

JsonWriter& JsonWriter::Number(double value) {
  if (!std::isfinite(value)) return String(ExactNumber(value));
  return Value(ExactNumber(value));
}

JsonWriter& JsonWriter::Start(char bracket) {
  Separate();
  text_ += bracket;
  comma_ = false;
  ++depth_;
  return *this;
}

JsonWriter& JsonWriter::End(char bracket) {
  --depth_;
  if (comma_) NextLine();  // but "{}" and "[]"
  text_ += bracket;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Value(std::string_view text) {
  Separate();
  text_ += text;
  comma_ = true;
  return *this;
}

void JsonWriter::Separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (comma_) text_ += ',';
  if (depth_ > 0) NextLine();
}

void JsonWriter::NextLine() {
  if (!indented_) return;
  text_ += '\n';
  text_.append(2 * depth_, ' ');
}

}  // namespace outgrown
