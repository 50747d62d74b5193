// A TOML document as plain nodes that keep the file's order and places. toml.cc is the one file that knows
// toml++, and no exception leaves it.
//
// Debian 12's toml++ 3.3.0 overflows the stack on very deep dotted keys, has undefined behaviour on some bare
// keys that are not ASCII, and accepts NUL; a spec needs none of that, so the text is looked through first
// (GuardToml). That is no TOML parser: it knows strings, comments and brackets, and no more.
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

// A spec of 10,000 thresholds has about 3 MiB.
inline constexpr std::size_t kSpecBytesMax = 16U << 20U;
// The deepest place of a spec is signal.test[].series.NAME.
inline constexpr std::size_t kDottedKeyPartsMax = 16;
inline constexpr std::size_t kNestingMax = 16;

// Reports the first thing in each line that toml++ must not see; nothing reported means that it may parse `toml`.
void GuardToml(std::string_view toml, Report& report);

}  // namespace outgrown::spec
