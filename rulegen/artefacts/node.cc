#include "rulegen/artefacts/node.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <yaml-cpp/yaml.h>

#include "common/check.h"
#include "common/json.h"
#include "common/text.h"
#include "rulegen/artefacts/escape.h"

namespace outgrown::artefacts {

namespace {

bool IsScalar(const Node& node) { return node.kind == Node::Kind::kString || node.kind == Node::Kind::kRaw; }

std::string YamlScalar(const Node& node) {
  return node.kind == Node::Kind::kRaw ? node.text : YamlString(node.text);
}

void Indent(std::string& text, int level) { text.append(static_cast<std::size_t>(level) * 2, ' '); }

// What follows "key:" or "-" in the same line; empty if the node starts on the next line.
// Lists of scalars are written as [a, b]: labels and receivers stay on one line, as they are in hand-written
// files.
std::string YamlInline(const Node& node) {
  if (IsScalar(node)) return YamlScalar(node);
  if (node.kind == Node::Kind::kMap) return node.entries.empty() ? "{}" : "";
  if (!std::ranges::all_of(node.items, IsScalar)) return "";
  std::string list = "[";
  for (const Node& item : node.items) {
    if (list.size() > 1) list += ", ";
    list += YamlScalar(item);
  }
  return list + "]";
}

void YamlBlock(std::string& text, const Node& node, int level);

// One entry's or item's value behind what introduces it.
void YamlValue(std::string& text, const Node& node, int level) {
  const std::string in_line = YamlInline(node);
  if (!in_line.empty()) {
    text += " " + in_line + "\n";
    return;
  }
  text += "\n";
  YamlBlock(text, node, level);
}

void YamlBlock(std::string& text, const Node& node, int level) {
  if (node.kind == Node::Kind::kMap) {
    for (const auto& [key, value] : node.entries) {
      Indent(text, level);
      text += YamlString(key) + ":";
      YamlValue(text, value, level + 1);
    }
    return;
  }
  for (const Node& item : node.items) {
    Indent(text, level);
    text += "-";
    if (item.kind != Node::Kind::kMap || item.entries.empty()) {
      YamlValue(text, item, level + 1);
      continue;
    }
    // "- key: value": the map starts in the item's own line.
    std::string block;
    YamlBlock(block, item, level + 1);
    text += " " + block.substr(static_cast<std::size_t>(level + 1) * 2);
  }
}

// Recursion is bounded: a tree is either planned here, a few levels deep, or was read with kDepthMax.
void WriteJson(JsonWriter& json, const Node& node) {
  switch (node.kind) {
    case Node::Kind::kString:
      json.String(node.text);
      break;
    case Node::Kind::kRaw:
      json.Raw(node.text);
      break;
    case Node::Kind::kMap:
      json.StartObject();
      for (const auto& [key, value] : node.entries) WriteJson(json.Key(key), value);
      json.EndObject();
      break;
    case Node::Kind::kList:
      json.StartArray();
      for (const Node& item : node.items) WriteJson(json, item);
      json.EndArray();
      break;
  }
}

// Bounds for aliases: a small file can describe an enormous tree, or one that contains itself.
constexpr int kDepthMax = 64;
constexpr std::size_t kNodesMax = 100'000;

Error At(const YAML::Mark& mark, std::string what) {
  if (mark.is_null()) return {std::move(what), ""};
  return {std::move(what), std::to_string(mark.line + 1) + ":" + std::to_string(mark.column + 1)};
}

// True for plain scalars that mean the same in every context: words, numbers, durations, booleans.
// They are written as they were read, so that "5m" and true stay what they are for Alertmanager; anything
// else becomes a quoted string, which is what a plain scalar with other characters is anyway.
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

// Copies yaml-cpp's tree into ours. yaml-cpp shares the nodes of an alias, here each use is a copy of its
// own; that is why the nodes are counted.
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
    // yaml-cpp gives plain scalars the tag "?", quoted and block scalars "!".
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
      if (!entry.first.IsScalar()) return At(entry.first.Mark(), "a key that is not a scalar");
      Result<Node> read = Read(entry.second, depth + 1);
      if (!read.ok()) return read;
      if (entry.first.Scalar() == "<<" && entry.first.Tag() == "?") {
        // Merged behind the loop, since the map's own keys have precedence wherever "<<" is among them
        // (yaml.org/type/merge).
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

Node Node::String(std::string_view text) {
  Node node;
  node.kind = Kind::kString;
  node.text = text;
  return node;
}

Node Node::Raw(std::string_view token) {
  Node node;
  node.kind = Kind::kRaw;
  node.text = token;
  return node;
}

Node Node::Number(double value) {
  // JSON has no infinity, and no plan has one: limits are finite.
  OUTGROWN_CHECK(std::isfinite(value));
  return Raw(ExactNumber(value));
}

Node Node::Integer(long long value) { return Raw(std::to_string(value)); }

Node Node::Bool(bool value) { return Raw(value ? "true" : "false"); }

Node Node::Duration(Milliseconds value) { return Raw(FormatDuration(value)); }

Node Node::Of(Map entries) {
  Node node;
  node.entries = std::move(entries);
  return node;
}

Node Node::Of(List items) {
  Node node;
  node.kind = Kind::kList;
  node.items = std::move(items);
  return node;
}

Node Node::Strings(const std::vector<std::string>& items) {
  List list;
  for (const std::string& item : items) list.push_back(String(item));
  return Of(std::move(list));
}

std::string ToYaml(const Node& node) {
  const std::string in_line = YamlInline(node);
  if (!in_line.empty()) return in_line + "\n";
  std::string text;
  YamlBlock(text, node, 0);
  return text;
}

std::string ToJson(const Node& node) {
  JsonWriter json(JsonWriter::Layout::kIndented);
  WriteJson(json, node);
  return json.text() + "\n";
}

Result<Node> ReadYaml(const std::string& text) {
  try {
    // Load() would read the first document and pass over the others.
    const std::vector<YAML::Node> documents = YAML::LoadAll(text);
    if (documents.size() != 1) return Error{"expected one YAML document", "1:1"};
    return Reader().Read(documents.front(), 0);
  } catch (const YAML::Exception& error) {
    return At(error.mark, error.msg);
  }
}

}  // namespace outgrown::artefacts
