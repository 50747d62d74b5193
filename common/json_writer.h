// Writing JSON text: the one place that escapes for it. Members in the order they are written.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace outgrown {

// `text` as a JSON string with its quotes (RFC 8259). What is not valid UTF-8 becomes U+FFFD; DEL and the C1 control
// characters are escaped too, so that a terminal is safe from a document's strings.
std::string JsonString(std::string_view text);

// Builds one document. The caller opens and closes in pairs and gives a key before each member's value.
class JsonWriter {
 public:
  enum class Layout { kOneLine, kIndented };  // two spaces a level

  explicit JsonWriter(Layout layout = Layout::kOneLine) : indented_(layout == Layout::kIndented) {}

  JsonWriter& StartObject() { return Start('{'); }
  JsonWriter& EndObject() { return End('}'); }
  JsonWriter& StartArray() { return Start('['); }
  JsonWriter& EndArray() { return End(']'); }
  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view value) { return Value(JsonString(value)); }
  JsonWriter& Boolean(bool value) { return Value(value ? "true" : "false"); }
  JsonWriter& Integer(std::int64_t value) { return Value(std::to_string(value)); }
  // The exact double; NaN and infinities, which JSON lacks, as the strings "NaN", "+Inf" and "-Inf".
  JsonWriter& Number(double value);
  // Precondition: a JSON value.
  JsonWriter& Raw(std::string_view value) { return Value(value); }
  JsonWriter& Null() { return Value("null"); }

  const std::string& text() const { return text_; }

 private:
  JsonWriter& Start(char bracket);
  JsonWriter& End(char bracket);
  JsonWriter& Value(std::string_view text);
  // What stands before a key, or before a value that has none.
  void Separate();
  void NextLine();

  std::string text_;
  bool indented_;
  bool after_key_ = false;
  std::size_t depth_ = 0;
  bool comma_ = false;  // before the next value or key
};

}  // namespace outgrown
