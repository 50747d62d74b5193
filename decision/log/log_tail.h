// The end of a decision log: where the chain stands, and what a crash left behind it.
#pragma once

#include <cstdint>
#include <filesystem>

#include "common/result.h"
#include "decision/log/chain.h"

namespace outgrown::decision_log {

struct LogTail {
  Link link;                       // of the last record; the chain's beginning if there is none
  std::int64_t end_bytes = 0;      // where the next record belongs
  std::int64_t dropped_bytes = 0;  // of an unfinished record after that
  bool ends_with_newline = true;   // false: the last record is whole but for its newline
};

// Reads from the file's end back to the last record's beginning. An error if that record is damaged or what follows it
// is nothing that a crash could have left. `path` is for errors only.
Result<LogTail> ReadLogTail(int fd, const std::filesystem::path& path);

}  // namespace outgrown::decision_log
