#include "common/json_tree.h"

#include "common/json.h"

namespace outgrown {

const Json* Json::Find(std::string_view key) const {
  for (const auto& [name, value] : object_) {
    if (name == key) return &value;
  }
  return nullptr;
}

// Keeps the open containers on a stack; a container is moved into the one around it when it ends.
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
    if (open_.back().value.Find(key) != nullptr) return Refuse("the key \"" + key + "\" occurs twice");
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
    if (open_.size() == kJsonDepthMax) {
      return Refuse("more than " + std::to_string(kJsonDepthMax) + " levels deep");
    }
    open_.push_back({std::move(container), {}});
    return true;
  }

  bool Close() {
    Json closed = std::move(open_.back().value);
    open_.pop_back();
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
    return builder.problem().empty() ? read.error() : Error{builder.problem(), ""};
  }
  return builder.root();
}

}  // namespace outgrown
