#include "rulegen/artefacts/node.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/json_writer.h"
#include "common/number.h"
#include "rulegen/artefacts/escape.h"

namespace outgrown::emit {
namespace {

bool IsScalar(const Node& node) { return node.kind == Node::Kind::kString || node.kind == Node::Kind::kRaw; }

std::string YamlScalar(const Node& node) {
  return node.kind == Node::Kind::kRaw ? node.text : YamlString(node.text);
}

void Indent(std::string& text, int level) { text.append(static_cast<std::size_t>(level) * 2, ' '); }

// What follows "key:" or "-" in the same line; empty if the node needs lines of its own.
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

void JsonValue(std::string& text, const Node& node, int level) {
  if (node.kind == Node::Kind::kRaw) {
    text += node.text;
    return;
  }
  if (node.kind == Node::Kind::kString) {
    text += JsonString(node.text);
    return;
  }
  const bool map = node.kind == Node::Kind::kMap;
  if (map ? node.entries.empty() : node.items.empty()) {
    text += map ? "{}" : "[]";
    return;
  }
  bool first = true;
  const auto start = [&] {
    text += first ? "\n" : ",\n";
    first = false;
    Indent(text, level + 1);
  };
  text += map ? "{" : "[";
  for (const auto& [key, value] : node.entries) {
    start();
    text += JsonString(key) + ": ";
    JsonValue(text, value, level + 1);
  }
  for (const Node& item : node.items) {
    start();
    JsonValue(text, item, level + 1);
  }
  text += "\n";
  Indent(text, level);
  text += map ? "}" : "]";
}

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
  OUTGROWN_CHECK(std::isfinite(value));
  return Raw(ExactNumber(value));
}

Node Node::Integer(long long value) { return Raw(std::to_string(value)); }

Node Node::Bool(bool value) { return Raw(value ? "true" : "false"); }

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
  std::string text;
  JsonValue(text, node, 0);
  return text + "\n";
}

}  // namespace outgrown::emit
