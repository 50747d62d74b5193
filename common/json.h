// JSON: reading it as a stream of events, so that a large answer never becomes a tree; small documents as a tree; and
// writing it, the one place that escapes for it. The JSON library is owned by json.cc; its exceptions end there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

namespace outgrown {

// What a document consists of, in its order. Each returns false to give up, after which no further event comes;
// the strings are handed over and may be moved from.
class JsonEvents {
 public:
  virtual ~JsonEvents() = default;
  virtual bool Null() = 0;
  virtual bool Boolean(bool value) = 0;
  virtual bool Number(double value) = 0;  // integers too, rounded to the nearest double
  virtual bool String(std::string& value) = 0;
  virtual bool StartObject() = 0;
  virtual bool Key(std::string& key) = 0;
  virtual bool EndObject() = 0;
  virtual bool StartArray() = 0;
  virtual bool EndArray() = 0;
};

// Reads the whole of `text` as one document (RFC 8259, valid UTF-8, numbers within a double's range). An error says
// at which byte; where an event gave up it says only that.
Result<void> ReadJson(std::string_view text, JsonEvents& events);

// Small JSON documents as a tree: the measurements file, log records. Large answers are read as events.

// One value; an object keeps its members' order. Of the plain members only the one of its kind has a meaning (a
// std::variant would be smaller, and makes g++ 12 warn of uninitialised values that are not).
class Json {
 public:
  using Array = std::vector<Json>;
  using Object = std::vector<std::pair<std::string, Json>>;

  bool is_null() const { return kind_ == Kind::kNull; }
  // The value as that type; a null pointer if it is another.
  const bool* boolean() const { return kind_ == Kind::kBoolean ? &boolean_ : nullptr; }
  const double* number() const { return kind_ == Kind::kNumber ? &number_ : nullptr; }
  const std::string* string() const { return kind_ == Kind::kString ? &string_ : nullptr; }
  const Array* array() const { return kind_ == Kind::kArray ? &array_ : nullptr; }
  const Object* object() const { return kind_ == Kind::kObject ? &object_ : nullptr; }

  // The member of that name; null if this is no object or has none. Lives as long as this.
  const Json* Find(std::string_view key) const;

 private:
  friend class TreeBuilder;
  enum class Kind : std::uint8_t { kNull, kBoolean, kNumber, kString, kArray, kObject };

  Kind kind_ = Kind::kNull;
  bool boolean_ = false;
  double number_ = 0;
  std::string string_;
  Array array_;
  Object object_;
};

// How deep arrays and objects may lie in each other.
inline constexpr std::size_t kJsonDepthMax = 32;

// An error also for two members of one name, and for a document deeper than kJsonDepthMax.
Result<Json> ParseJson(std::string_view text);

// Writing JSON text: the one place that escapes for it. Members in the order they are written.

// `text` as a JSON string with its quotes (RFC 8259). What is not valid UTF-8 becomes U+FFFD; DEL and the C1 control
// characters are escaped too, so that a terminal is safe from a document's strings.
std::string JsonString(std::string_view text);

// Builds one document. The caller opens and closes in pairs and gives a key before each member's value.
class JsonWriter {
 public:
  enum class Layout { kOneLine, kIndented };  // two spaces a level

  explicit JsonWriter(Layout layout = Layout::kOneLine) : indented_(layout == Layout::kIndented) {}

  // Makes room for a document of that size at once.
  void Reserve(std::size_t bytes) { text_.reserve(bytes); }

  JsonWriter& StartObject() { return Start('{'); }
  JsonWriter& EndObject() { return End('}'); }
  JsonWriter& StartArray() { return Start('['); }
  JsonWriter& EndArray() { return End(']'); }
  JsonWriter& Key(std::string_view key);
  JsonWriter& String(std::string_view value);
  JsonWriter& Boolean(bool value) { return Value(value ? "true" : "false"); }
  JsonWriter& Integer(std::int64_t value);
  // The exact double; NaN and infinities, which JSON lacks, as the strings "NaN", "+Inf" and "-Inf".
  JsonWriter& Number(double value);
  // Precondition: a JSON value.
  JsonWriter& Raw(std::string_view value) { return Value(value); }
  // Precondition: members of an object, at least one.
  JsonWriter& RawMembers(std::string_view members) { return Value(members); }
  JsonWriter& Null() { return Value("null"); }

  const std::string& text() const& { return text_; }
  std::string text() && { return std::move(text_); }

 private:
  JsonWriter& Start(char bracket);
  JsonWriter& End(char bracket);
  JsonWriter& Value(std::string_view text);
  // Writes what comes before a key, or before a value that has none: the comma, the line.
  void Separate();
  void NextLine();

  std::string text_;
  bool indented_;
  bool after_key_ = false;
  std::size_t depth_ = 0;
  bool comma_ = false;  // before the next value or key
};

}  // namespace outgrown
