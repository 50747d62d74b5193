// A decision log's lines and their chain, for the tests of writing one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "common/file.h"
#include "decision/log/decision_log.h"

namespace outgrown::test {

inline const std::vector<std::string> kOneRecord = {R"("kind":"decision")"};

inline std::vector<std::string> Lines(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  std::istringstream text(ReadFile(path).value());
  for (std::string line; std::getline(text, line);) lines.push_back(line);
  return lines;
}

// The sequence of the last record; -1 if the chain of the lines is broken.
inline std::int64_t VerifyChain(const std::vector<std::string>& lines) {
  decision_log::Link before;
  for (const std::string& line : lines) {
    const auto record = decision_log::OpenRecord(line);
    if (!record.ok() || record->previous != before.hash || record->link.sequence != before.sequence + 1)
      return -1;
    before = record->link;
  }
  return before.sequence;
}

}  // namespace outgrown::test
