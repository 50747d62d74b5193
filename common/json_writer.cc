#include "common/json_writer.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "common/number.h"
#include "common/text.h"
#include "common/utf8.h"

namespace outgrown {
namespace {

// Most of what is written; the rest is looked at more closely.
bool StandsAsItIs(char byte) { return byte >= ' ' && byte < '\x7F' && byte != '"' && byte != '\\'; }

}  // namespace

std::string JsonString(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
    const auto plain = static_cast<std::size_t>(std::ranges::find_if_not(text, StandsAsItIs) - text.begin());
    quoted += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
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
  return quoted + '"';
}

JsonWriter& JsonWriter::Key(std::string_view key) {
  Separate();
  text_ += JsonString(key);
  text_ += indented_ ? ": " : ":";
  after_key_ = true;
  return *this;
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
