// A document as a tree, with the order of its keys: written as YAML or JSON, and read from YAML that users wrote.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "common/time_text.h"

namespace outgrown::artefacts {

// A string, a raw token (a number, true, a duration: printed as it is), a map or a list.
class Node {
 public:
  // A pair would ask, while Node is incomplete, whether Node can be constructed; clang refuses that.
  struct Entry;
  using Map = std::vector<Entry>;
  using List = std::vector<Node>;

  static Node String(std::string_view text);
  // Precondition: a token of the target language that needs no quoting.
  static Node Raw(std::string_view token);
  static Node Number(double value);  // precondition: finite; bit-equal when read back
  static Node Integer(long long value);
  static Node Bool(bool value);
  static Node Duration(Milliseconds value);
  static Node Of(Map entries);
  static Node Of(List items);
  static Node Strings(const std::vector<std::string>& items);

  enum class Kind { kString, kRaw, kMap, kList };
  Kind kind = Kind::kMap;
  std::string text;
  Map entries;
  List items;
};

struct Node::Entry {
  Entry(std::string key, Node value) : key(std::move(key)), value(std::move(value)) {}

  std::string key;
  Node value;
};

// Block style, two spaces a level, ends with a newline. Lists of scalars stay in one line.
std::string ToYaml(const Node& node);

// Two spaces a level, ends with a newline. Precondition: raw tokens are JSON's.
std::string ToJson(const Node& node);

// One document. Comments and anchors are gone, aliases and merge keys resolved; every scalar means what it meant.
// An error's `where` is "LINE:COLUMN". Bounded: nesting and repeated aliases beyond reason are errors.
Result<Node> ReadYaml(const std::string& text);

}  // namespace outgrown::artefacts
