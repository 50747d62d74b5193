// Small JSON documents as a tree: the measurements file, log records. Large answers are read as events (json.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"

namespace outgrown {

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

}  // namespace outgrown
