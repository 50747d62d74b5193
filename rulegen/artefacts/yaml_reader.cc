#include "rulegen/artefacts/yaml_reader.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace outgrown::emit {
namespace {

constexpr int kDepthMax = 64;
constexpr std::size_t kNodesMax = 100'000;

Error At(const YAML::Mark& mark, std::string what) {
  if (mark.is_null()) return {std::move(what), ""};
  return {std::move(what), std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1)};
}

// True for plain scalars that mean the same wherever they stand: words, numbers, durations, booleans.
bool IsToken(std::string_view text) {
  constexpr std::string_view kHarmless = "_.+-/:%";
  return !text.empty() && text.back() != ':' && text != "-" && !text.starts_with("---") && text != "..." &&
         std::ranges::all_of(text,
                             [&](char c) {
                               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                                      (c >= '0' && c <= '9') || kHarmless.find(c) != std::string_view::npos;
                             }) &&
         !text.starts_with(':') && !text.starts_with('%');
}

class Reader {
 public:
  Result<Node> Read(const YAML::Node& node, int depth) {
    if (depth > kDepthMax) return At(node.Mark(), "nested too deeply, or an alias of itself");
    if (++nodes_ > kNodesMax)
      return At(node.Mark(), "more nodes than a configuration has; aliases count each time");
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return Scalar(node);
      case YAML::NodeType::Sequence:
        return Sequence(node, depth);
      case YAML::NodeType::Map:
        return Map(node, depth);
      default:
        return Node::Raw("null");
    }
  }

 private:
  static Result<Node> Scalar(const YAML::Node& node) {
    const std::string& tag = node.Tag();
    if (tag == "?" || tag.empty()) {
      return IsToken(node.Scalar()) ? Node::Raw(node.Scalar()) : Node::String(node.Scalar());
    }
    if (tag == "!" || tag == "tag:yaml.org,2002:str") return Node::String(node.Scalar());
    return At(node.Mark(), "the tag " + tag + " is not supported here");
  }

  Result<Node> Sequence(const YAML::Node& node, int depth) {
    Node::List items;
    for (const YAML::Node& item : node) {
      Result<Node> read = Read(item, depth + 1);
      if (!read.ok()) return read;
      items.push_back(std::move(*read));
    }
    return Node::Of(std::move(items));
  }

  Result<Node> Map(const YAML::Node& node, int depth) {
    Node::Map entries;
    std::vector<Node> merged;
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return At(entry.first.Mark(), "a key that is no scalar");
      Result<Node> read = Read(entry.second, depth + 1);
      if (!read.ok()) return read;
      if (entry.first.Scalar() == "<<" && entry.first.Tag() == "?") {
        merged.push_back(std::move(*read));
      } else {
        entries.emplace_back(entry.first.Scalar(), std::move(*read));
      }
    }
    for (Node& source : merged) Merge(std::move(source), entries);
    return Node::Of(std::move(entries));
  }

  // "<<: *defaults", or a list of them: what is not there yet comes from there.
  static void Merge(Node source, Node::Map& entries) {
    if (source.kind == Node::Kind::kList) {
      for (Node& item : source.items) Merge(std::move(item), entries);
      return;
    }
    for (auto& entry : source.entries) {
      const bool there = std::ranges::any_of(entries, [&](const auto& own) { return own.key == entry.key; });
      if (!there) entries.push_back(std::move(entry));
    }
  }

  std::size_t nodes_ = 0;
};

}  // namespace

Result<Node> ReadYaml(const std::string& text) {
  try {
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() != 1) return Error{"expected one YAML document", "1:1"};
    return Reader().Read(documents.front(), 0);
  } catch (const YAML::Exception& error) {
    return At(error.mark, error.msg);
  }
}

}  // namespace outgrown::emit
