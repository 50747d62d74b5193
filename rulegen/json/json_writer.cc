#include "rulegen/json/json_writer.h"

#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "common/number.h"
#include "common/text.h"
#include "common/utf8.h"

namespace outgrown {

std::string JsonString(std::string_view text) {
  std::string quoted = "\"";
  while (!text.empty()) {
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
