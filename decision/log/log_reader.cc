#include "decision/log/log_reader.h"

#include <fstream>
#include <system_error>
#include <utility>

#include "decision/log/decision_log.h"

namespace outgrown::decision_log {

Result<void> ForEachLine(const std::filesystem::path& file, const std::function<void(const LogLine&)>& take) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) {
    return Error{failed ? "cannot open: " + failed.message() : "not a regular file", file.string()};
  }
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return Error{"cannot open", file.string()};
  // One line ahead, so that the last one is known for what it is.
  std::string line;
  if (!std::getline(stream, line)) return {};
  for (std::int64_t number = 1;; ++number) {
    const bool newline = !stream.eof();
    std::string next;
    const bool more = newline && static_cast<bool>(std::getline(stream, next));
    take(
        {.file = file, .number = number, .bytes = line, .ends_with_newline = newline, .last_of_file = !more});
    if (!more) break;
    line = std::move(next);
  }
  if (stream.bad()) return Error{"cannot read", file.string()};
  return {};
}

Result<std::vector<std::filesystem::path>> LogFiles(const std::filesystem::path& path) {
  Result<std::vector<std::filesystem::path>> files = LogSegments(path);
  if (!files) return files;
  std::error_code failed;
  if (std::filesystem::exists(path, failed)) files->push_back(path);
  if (files->empty()) return Error{"there is no decision log", path.string()};
  return files;
}

}  // namespace outgrown::decision_log
