#include "common/json.h"

#include <simdjson.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/text.h"

namespace outgrown {
namespace {

// The library's interface to ours.
class Sax : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Sax(JsonEvents& events) : events_(events) {}
  bool null() override { return events_.Null(); }
  bool boolean(bool value) override { return events_.Boolean(value); }
  bool number_integer(std::int64_t value) override { return events_.Number(static_cast<double>(value)); }
  bool number_unsigned(std::uint64_t value) override { return events_.Number(static_cast<double>(value)); }
  bool number_float(double value, const std::string& /*text*/) override { return events_.Number(value); }
  bool string(std::string& value) override { return events_.String(value); }
  bool binary(nlohmann::json::binary_t& /*value*/) override { return false; }  // no JSON has one
  bool start_object(std::size_t /*size*/) override { return events_.StartObject(); }
  bool key(std::string& key) override { return events_.Key(key); }
  bool end_object() override { return events_.EndObject(); }
  bool start_array(std::size_t /*size*/) override { return events_.StartArray(); }
  bool end_array() override { return events_.EndArray(); }
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::json::exception& error) override {
    // RFC 8259 leaves the range of numbers to the reader; 1e999 is valid JSON. Without a message of its own
    // the operator would look for an error of syntax.
    constexpr int kNumberOverflow = 406;  // the library's out_of_range.406
    problem_ = (error.id == kNumberOverflow ? "a number too large for a double at byte "
                                            : "not valid JSON at byte ") +
               std::to_string(position);
    return false;
  }
  const std::string& problem() const { return problem_; }

 private:
  JsonEvents& events_;
  std::string problem_ = "not the JSON that was expected";
};

bool Tell(const simdjson::dom::element& value, JsonEvents& events) {
  using simdjson::dom::element_type;
  switch (value.type()) {
    case element_type::ARRAY:
      if (!events.StartArray()) return false;
      for (const simdjson::dom::element item : simdjson::dom::array(value)) {
        if (!Tell(item, events)) return false;
      }
      return events.EndArray();
    case element_type::OBJECT:
      if (!events.StartObject()) return false;
      for (const simdjson::dom::key_value_pair member : simdjson::dom::object(value)) {
        std::string key(member.key);
        if (!events.Key(key) || !Tell(member.value, events)) return false;
      }
      return events.EndObject();
    case element_type::STRING: {
      std::string text{std::string_view(value)};
      return events.String(text);
    }
    case element_type::INT64:
      return events.Number(static_cast<double>(std::int64_t(value)));
    case element_type::UINT64:
      return events.Number(static_cast<double>(std::uint64_t(value)));
    case element_type::DOUBLE:
      return events.Number(double(value));
    case element_type::BOOL:
      return events.Boolean(bool(value));
    case element_type::NULL_VALUE:
      break;
  }
  return events.Null();
}

}  // namespace

Result<void> ReadJson(std::string_view text, JsonEvents& events) {
  // The library takes a NUL for the end of its input and never looks at what follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Error{"not valid JSON at byte " + std::to_string(nul + 1), ""};
  }
  Sax sax(events);
  try {
    // The fast reader tells nothing of a document before all of it is right, and says little of one that is not: then, and
    // where it is too deep for it or has an integer beyond 64 bits, the other one reads it.
    simdjson::dom::parser parser;
    simdjson::dom::element root;
    if (parser.parse(text.data(), text.size()).get(root) == simdjson::SUCCESS) {
      return Tell(root, events) ? Result<void>() : Error{sax.problem(), ""};
    }
    // The library's SAX parser keeps its nesting in a vector, not on the stack, so deep input cannot overflow
    // it. A byte order mark is skipped by it, and anything but white space behind the document is an error.
    if (nlohmann::json::sax_parse(text.begin(), text.end(), &sax)) return {};
  } catch (const std::exception& error) {
    // Out of memory, or what an event threw; the library's own errors arrive at parse_error.
    return Error{std::string("cannot read JSON: ") + error.what(), ""};
  }
  return Error{sax.problem(), ""};
}

const Json* Json::Find(std::string_view key) const {
  for (const auto& [name, value] : object_) {
    if (name == key) return &value;
  }
  return nullptr;
}

// Keeps the open containers on a stack; a container is moved into the one around it when it ends. The library
// has checked the syntax before an event comes: starts and ends are paired, and a key precedes each member's
// value. So no event finds `open_` empty where it needs a container.
class TreeBuilder : public JsonEvents {
 public:
  bool Null() override { return Add(Json()); }
  bool Boolean(bool value) override {
    Json json = Of(Json::Kind::kBoolean);
    json.boolean_ = value;
    return Add(std::move(json));
  }
  bool Number(double value) override {
    Json json = Of(Json::Kind::kNumber);
    json.number_ = value;
    return Add(std::move(json));
  }
  bool String(std::string& value) override {
    Json json = Of(Json::Kind::kString);
    json.string_ = std::move(value);
    return Add(std::move(json));
  }
  bool StartObject() override { return Open(Of(Json::Kind::kObject)); }
  bool StartArray() override { return Open(Of(Json::Kind::kArray)); }
  bool EndObject() override { return Close(); }
  bool EndArray() override { return Close(); }
  bool Key(std::string& key) override {
    open_.back().key = std::move(key);
    return true;
  }

  Json&& root() { return std::move(root_); }
  const std::string& problem() const { return problem_; }

 private:
  struct Container {
    Json value;
    std::string key;  // of the member that comes next
  };

  static Json Of(Json::Kind kind) {
    Json json;
    json.kind_ = kind;
    return json;
  }

  bool Refuse(std::string problem) {
    problem_ = std::move(problem);
    return false;
  }

  bool Open(Json container) {
    // Building needs no stack, but destroying the tree does: a Json's destructor recurses into its members.
    if (open_.size() == kJsonDepthMax) {
      return Refuse("more than " + std::to_string(kJsonDepthMax) + " levels deep");
    }
    open_.push_back({std::move(container), {}});
    return true;
  }

  bool Close() {
    Json closed = std::move(open_.back().value);
    open_.pop_back();
    // RFC 8259 leaves two members of one name to the reader. A reader that takes the other one would see
    // another record, so neither is taken.
    std::vector<std::string_view> keys;
    keys.reserve(closed.object_.size());
    for (const auto& [key, value] : closed.object_) keys.push_back(key);
    std::ranges::sort(keys);
    const auto twice = std::ranges::adjacent_find(keys);
    if (twice != keys.end()) return Refuse(fmt::format("the key \"{}\" occurs twice", *twice));
    return Add(std::move(closed));
  }

  bool Add(Json value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Container& around = open_.back(); around.value.kind_ == Json::Kind::kArray) {
      around.value.array_.push_back(std::move(value));
    } else {
      around.value.object_.emplace_back(std::move(around.key), std::move(value));
    }
    return true;
  }

  Json root_;
  std::vector<Container> open_;
  std::string problem_;
};

Result<Json> ParseJson(std::string_view text) {
  TreeBuilder builder;
  if (const Result<void> read = ReadJson(text, builder); !read) {
    // Where the builder gave up, the library knows only that; the builder knows why.
    return builder.problem().empty() ? read.error() : Error{builder.problem(), ""};
  }
  return builder.root();
}

}  // namespace outgrown
