// docs/spec.md's tables of keys, as the tests read them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/file.h"
#include "thresholds/tables.h"

namespace outgrown::test {

inline std::string Reference() {
  return ReadFile(std::filesystem::path(OUTGROWN_SOURCE_ROOT) / "docs/spec.md").value();
}

// The reference's part about one table: from its heading "### [store]" to the next one; "" if there is none.
inline std::string SectionOf(const std::string& reference, const spec::TableKeys& table) {
  const std::string header = table.name.empty() ? "The root table" : "`" + std::string(table.header) + "`";
  const std::size_t begin = reference.find("\n### " + header);
  if (begin == std::string::npos) return "";
  const std::size_t end = reference.find("\n##", begin + 1);
  return reference.substr(begin, end - begin);
}

// The cells of the section's row that begins with this cell; none if there is no such row.
inline std::vector<std::string> RowOf(const std::string& section, std::string_view first_cell) {
  const std::size_t row = section.find("\n| " + std::string(first_cell) + " |");
  if (row == std::string::npos) return {};
  const std::string line = section.substr(row + 1, section.find('\n', row + 1) - row - 1);
  std::vector<std::string> cells;
  for (std::size_t at = 1; at < line.size();) {
    const std::size_t end = std::min(line.find('|', at), line.size());
    std::string cell = line.substr(at, end - at);
    cell.erase(0, cell.find_first_not_of(' '));
    cell.erase(cell.find_last_not_of(' ') + 1);
    cells.push_back(cell);
    at = end + 1;
  }
  return cells;
}

// The row of that key.
inline std::vector<std::string> RowOf(const std::string& section, const spec::Key& key) {
  return RowOf(section, "`" + std::string(key.name) + "`");
}

}  // namespace outgrown::test
