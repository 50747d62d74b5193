// A TOML document as plain nodes that keep the file's order and places. toml.cc is the one file that knows
// toml++, and no exception leaves it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "thresholds/diagnostic.h"

namespace outgrown::spec {

struct TomlEntry;

struct TomlNode {
  enum class Kind { kString, kInteger, kFloat, kBoolean, kTime, kArray, kTable };

  Kind kind = Kind::kTable;
  Position position;               // of the value; of a table its header line, of the root 1:1
  std::string string;              // kString
  std::optional<Position> text;    // kString: as Place::text
  std::int64_t integer = 0;        // kInteger
  double real = 0;                 // kFloat
  bool boolean = false;            // kBoolean
  std::vector<TomlNode> items;     // kArray
  std::vector<TomlEntry> entries;  // kTable: in the order of the file, no key twice
};

struct TomlEntry {
  std::string key;
  Position position;
  TomlNode value;
};

// The document's root table, or nothing and one or more reported diagnostics: what GuardToml refuses, or the first
// error of syntax.
std::optional<TomlNode> ParseToml(std::string_view toml, Report& report);

}  // namespace outgrown::spec
