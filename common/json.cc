#include "common/json.h"

#include <cstddef>
#include <cstdint>
#include <exception>

#include <nlohmann/json.hpp>

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

}  // namespace

Result<void> ReadJson(std::string_view text, JsonEvents& events) {
  // The library takes a NUL for the end of its input and never looks at what follows.
  if (const std::size_t nul = text.find('\0'); nul != std::string_view::npos) {
    return Error{"not valid JSON at byte " + std::to_string(nul + 1), ""};
  }
  Sax sax(events);
  try {
    if (nlohmann::json::sax_parse(text.begin(), text.end(), &sax)) return {};
  } catch (const std::exception& error) {
    return Error{std::string("cannot read JSON: ") + error.what(), ""};
  }
  return Error{sax.problem(), ""};
}

}  // namespace outgrown
