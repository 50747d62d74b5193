// Reads one table of a spec into typed values, and reports what is wrong with it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/time_text.h"
#include "thresholds/diagnostic.h"
#include "thresholds/tables.h"
#include "thresholds/toml.h"

namespace outgrown::spec {

// The node as a diagnostic's "found" says it: `"abc"`, `3`, `nan`, `a table`.
std::string Describe(const TomlNode& node);

class TableReader {
 public:
  // Reports the keys of `table` that `keys` doesn't have, and the required ones that it lacks. Both arguments and the
  // report outlive the reader; `positions` is filled with the places of the keys that are read.
  TableReader(const TomlNode& table, const TableKeys& keys, Report& report, Positions& positions);

  // Each leaves `value` alone and returns false if the key is absent or its value is not right. A key that isn't in
  // the list of keys is a bug.
  bool Text(std::string_view key, std::string& value);
  bool Text(std::string_view key, std::optional<std::string>& value);
  bool Integer(std::string_view key, int& value);
  bool Number(std::string_view key, double& value);  // finite; an integer that a double holds exactly will do
  bool Duration(std::string_view key, Milliseconds& value);
  bool Duration(std::string_view key, std::optional<Milliseconds>& value);
  bool TextList(std::string_view key, std::vector<std::string>& value);
  bool Boolean(std::string_view key, bool& value);
  // `of`: what each entry of the table belongs to, as a diagnostic says it: "series".
  bool TextTable(std::string_view key, std::string_view of,
                 std::vector<std::pair<std::string, std::string>>& value);
  bool NumberTable(std::string_view key, std::string_view of,
                   std::vector<std::pair<std::string, double>>& value);

  // The table of that key; null if there is none.
  const TomlNode* Table(std::string_view key);
  // The tables of that key, [[key]]; empty if there is none.
  std::vector<const TomlNode*> Tables(std::string_view key);

  // The entry of that key, whatever it holds; null if it is absent.
  const TomlEntry* Find(std::string_view key) const;

  // Where the table is in the file; lacks are reported here.
  Position position() const { return table_.position; }

 private:
  std::string Path(std::string_view key) const;
  // Reports the entry's value, or one place in it, and marks the key unusable.
  void Wrong(const TomlEntry& entry, std::string found);
  void Wrong(const TomlEntry& entry, Position position, std::string found, std::string_view expected);
  void Keep(const TomlEntry& entry);
  // The double that the value is; nothing, and reported, if it is none.
  std::optional<double> NumberOf(const TomlEntry& entry, const TomlNode& value, std::string_view expected);

  const TomlNode& table_;
  const TableKeys& keys_;
  Report& report_;
  Positions& positions_;
};

}  // namespace outgrown::spec
