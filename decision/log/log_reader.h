// Reading a decision log line by line, its rotated segments included.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "common/result.h"

namespace outgrown::decision_log {

struct LogLine {
  const std::filesystem::path& file;
  std::int64_t number;       // from 1, within the file
  const std::string& bytes;  // without the newline
  bool ends_with_newline;    // false: the file's end
  bool last_of_file;
};

// Calls `take` for each line of `file`. An error if it can't be read; a log that grows meanwhile is read up to some
// moment's end.
Result<void> ForEachLine(const std::filesystem::path& file, const std::function<void(const LogLine&)>& take);

// The files that hold the chain of the log at `path`, oldest first: its segments and, if it exists, itself. An error
// if there is none.
Result<std::vector<std::filesystem::path>> LogFiles(const std::filesystem::path& path);

}  // namespace outgrown::decision_log
