#include "decision/log/log_tail.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "decision/log/read_at.h"

namespace outgrown::decision_log {
namespace {

constexpr std::int64_t kBlockBytes = 64 << 10;
// Far above what a record with every sample of a long `for` takes.
constexpr std::int64_t kRecordBytesMax = 64 << 20;

Result<std::string> ReadRange(int fd, std::int64_t from, std::int64_t to, const std::filesystem::path& path) {
  std::string bytes(static_cast<std::size_t>(to - from), '\0');
  if (const Result<void> read = ReadAt(fd, from, bytes, path); !read) return read.error();
  return bytes;
}

Error Damaged(const std::string& what, const std::filesystem::path& path) {
  return Error{
      fmt::format(
          "its end is damaged ({}); rulegen --audit tells more. Once this log and its rotated segments are "
          "moved away, the next run begins a new one",
          what),
      path.string()};
}

// The tail, from the file's bytes from `start` (a line's beginning) to its end.
Result<LogTail> Judge(std::string_view bytes, std::int64_t start, const std::filesystem::path& path) {
  LogTail tail;
  std::size_t records_end = 0;
  std::size_t newline = bytes.rfind('\n');
  while (newline != std::string_view::npos) {
    const std::size_t before = newline == 0 ? std::string_view::npos : bytes.rfind('\n', newline - 1);
    const std::size_t line_start = before == std::string_view::npos ? 0 : before + 1;
    const std::string_view line = bytes.substr(line_start, newline - line_start);
    const Result<SealedRecord> last = OpenRecord(line);
    if (last.ok()) {
      tail.link = last->link;
      records_end = newline + 1;
      break;
    }
    // A power cut may have kept a record's newline and lost its middle: then the line before is the last one.
    if (ClassifyRemainder(line, true) != Remainder::kUnfinished) return Damaged(last.error().what, path);
    newline = before;
  }
  if (records_end == 0 && start > 0) return Damaged("no record in its last part", path);
  tail.end_bytes = start + static_cast<std::int64_t>(records_end);
  const std::string_view after = bytes.substr(records_end);
  if (const Result<SealedRecord> whole = OpenRecord(after); whole.ok()) {
    tail.link = whole->link;
    tail.end_bytes = start + static_cast<std::int64_t>(bytes.size());
    tail.ends_with_newline = false;
    return tail;
  }
  if (ClassifyRemainder(after, false) == Remainder::kDamaged)
    return Damaged("bytes that are no record", path);
  tail.dropped_bytes = static_cast<std::int64_t>(after.size());
  return tail;
}

}  // namespace

Result<LogTail> ReadLogTail(int fd, const std::filesystem::path& path) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0)
    return Error{"cannot stat: " + std::generic_category().message(errno), path.string()};
  const std::int64_t size = status.st_size;
  // Back by growing steps, until two whole lines are in reach or the file's beginning is.
  for (std::int64_t reach = kBlockBytes;; reach *= 4) {
    const std::int64_t from = std::max<std::int64_t>(0, size - reach);
    const Result<std::string> bytes = ReadRange(fd, from, size, path);
    if (!bytes) return bytes.error();
    if (from == 0) return Judge(*bytes, 0, path);
    if (std::ranges::count(*bytes, '\n') >= 3) {
      const std::size_t skip = bytes->find('\n') + 1;
      return Judge(std::string_view(*bytes).substr(skip), from + static_cast<std::int64_t>(skip), path);
    }
    if (reach > 4 * kRecordBytesMax) return Damaged("no record ends within its last part", path);
  }
}

}  // namespace outgrown::decision_log
