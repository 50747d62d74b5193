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
  Comma();
  text_ += JsonString(key);
  text_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::Number(double value) {
  if (!std::isfinite(value)) return String(ExactNumber(value));
  return Value(ExactNumber(value));
}

JsonWriter& JsonWriter::Start(char bracket) {
  Comma();
  text_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::End(char bracket) {
  text_ += bracket;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::Value(std::string_view text) {
  Comma();
  text_ += text;
  comma_ = true;
  return *this;
}

void JsonWriter::Comma() {
  if (comma_) text_ += ',';
}

}  // namespace outgrown
