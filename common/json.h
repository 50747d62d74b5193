// Reading JSON as a stream of events, so that a large answer never becomes a tree. The JSON library is owned by
// json.cc; its exceptions end there.
#pragma once

#include <string>
#include <string_view>

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

}  // namespace outgrown
