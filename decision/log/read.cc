// Reading a decision log: its files, its lines, and its end.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <fstream>
#include <system_error>

#include <fmt/format.h>

#include "common/file.h"
#include "decision/log/decision_log.h"

namespace outgrown::decision_log {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kSequenceDigits = 12;
constexpr int kLinksMax = 40;  // as many as the kernel follows
constexpr std::int64_t kBlockBytes = 64 << 10;
// Far above what a record with every sample of a long `for` takes.
constexpr std::int64_t kRecordBytesMax = 64 << 20;

Result<std::string> ReadRange(int fd, std::int64_t from, std::int64_t to, const fs::path& path) {
  std::string bytes(static_cast<std::size_t>(to - from), '\0');
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count =
        ::pread(fd, bytes.data() + done, bytes.size() - done, from + static_cast<std::int64_t>(done));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return SystemError("cannot read", path, errno);
    // Under the lock only another program can do that.
    if (count == 0) return Error{"became shorter while it was read", path.string()};
    done += static_cast<std::size_t>(count);
  }
  return bytes;
}

Error Damaged(const std::string& what, const fs::path& path) {
  return Error{
      fmt::format("no record can follow its end ({}); rulegen --audit gives details. After this log is "
                  "moved away, the next run continues in a new one",
                  what),
      path.string()};
}

// The tail, from the file's bytes from `start` (a line's beginning) to its end.
Result<LogTail> Judge(std::string_view bytes, std::int64_t start, const fs::path& path) {
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
    // After a power cut a record may have its newline and zeros in its middle; then the line before is the
    // last record.
    if (ClassifyRemainder(line, true) != Remainder::kUnfinished) return Damaged(last.error().what, path);
    newline = before;
  }
  if (records_end == 0 && start > 0) return Damaged("no record in its last part", path);
  tail.end_bytes = start + static_cast<std::int64_t>(records_end);
  const std::string_view after = bytes.substr(records_end);
  if (const Result<SealedRecord> whole = OpenRecord(after); whole.ok()) {
    tail.link = whole->link;
    tail.end_bytes = start + static_cast<std::int64_t>(bytes.size());
    // Whole and sealed, so it may have been acknowledged: kept, and given its newline by the next append.
    tail.ends_with_newline = false;
    return tail;
  }
  if (ClassifyRemainder(after, false) == Remainder::kDamaged)
    return Damaged("bytes that are not a record", path);
  tail.dropped_bytes = static_cast<std::int64_t>(after.size());
  return tail;
}

}  // namespace

Result<void> ForEachLine(const fs::path& file, const std::function<void(const LogLine&)>& take) {
  std::error_code failed;
  if (!fs::is_regular_file(file, failed)) {
    return Error{failed ? "cannot open: " + failed.message() : "not a regular file", file.string()};
  }
  // A line at a time: segments have 64 MiB, and an audit reads all of them.
  std::ifstream stream(file, std::ios::binary);
  if (!stream) return SystemError("cannot open", file, errno);
  // Reads one line ahead to know which line is the last: only that one may be unfinished.
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

fs::path ResolveLog(fs::path path) {
  std::error_code failed;
  for (int links = 0; links < kLinksMax && fs::is_symlink(path, failed); ++links) {
    const fs::path target = fs::read_symlink(path, failed);
    if (failed) break;
    // Not canonical(), which needs the file to exist: the log may not have been written yet.
    path = target.is_absolute() ? target : path.parent_path() / target;
  }
  return path;
}

Result<std::vector<fs::path>> LogSegments(const fs::path& path) {
  const fs::path log = ResolveLog(path);
  const fs::path folder = log.has_parent_path() ? log.parent_path() : ".";
  const std::string prefix = log.filename().string() + ".";
  std::vector<fs::path> segments;
  std::error_code failed;
  if (!fs::exists(folder, failed)) return segments;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    if (!name.starts_with(prefix) || name.size() != prefix.size() + kSequenceDigits) continue;
    if (std::ranges::all_of(name.substr(prefix.size()),
                            [](char digit) { return digit >= '0' && digit <= '9'; })) {
      segments.push_back(folder / name);
    }
  }
  if (failed) return Error{"cannot read the folder: " + failed.message(), folder.string()};
  // By name, which is by number (SegmentPath).
  std::ranges::sort(segments);
  return segments;
}

Result<std::vector<fs::path>> LogFiles(const fs::path& path) {
  Result<std::vector<fs::path>> files = LogSegments(path);
  if (!files) return files;
  const fs::path log = ResolveLog(path);
  std::error_code failed;
  // Last, since it goes on where the newest segment ends.
  if (fs::exists(log, failed)) files->push_back(log);
  if (files->empty()) return Error{"there is no decision log", path.string()};
  return files;
}

Result<LogTail> ReadLogTail(int fd, const fs::path& path) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return SystemError("cannot stat", path, errno);
  const std::int64_t size = status.st_size;
  // Backwards in growing steps until two whole lines, or the file's beginning, are in reach. Two, because the
  // last may be unfinished.
  // Fourfold steps: all reads together take at most a third more than the last one.
  for (std::int64_t reach = kBlockBytes;; reach *= 4) {
    const std::int64_t from = std::max<std::int64_t>(0, size - reach);
    const Result<std::string> bytes = ReadRange(fd, from, size, path);
    if (!bytes) return bytes.error();
    if (from == 0) return Judge(*bytes, 0, path);
    // Three newlines hold two whole lines between them.
    if (std::ranges::count(*bytes, '\n') >= 3) {
      const std::size_t skip = bytes->find('\n') + 1;
      return Judge(std::string_view(*bytes).substr(skip), from + static_cast<std::int64_t>(skip), path);
    }
    if (reach > 4 * kRecordBytesMax) return Damaged("no record ends within its last part", path);
  }
}

std::optional<Link> LastOfRotated(const fs::path& path) {
  const fs::path log = ResolveLog(path);
  const auto is_rotated = [](std::string_view name, const fs::path& of) {
    const std::string file = of.filename().string();
    return name.size() > file.size() && name.starts_with(file) &&
           (name[file.size()] == '.' || name[file.size()] == '-');
  };
  std::optional<Link> last;
  std::error_code failed;
  const fs::path folder = log.has_parent_path() ? log.parent_path() : ".";
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    const bool is_log = is_rotated(name, log);
    if (!is_log && !is_rotated(name, NewestPath(log))) continue;
    if (!last) last.emplace();
    // A compressed one, for example, shows only that there was a log.
    const int fd = is_log ? ::open(entry->path().c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
    if (fd < 0) continue;
    const Result<LogTail> tail = ReadLogTail(fd, entry->path());
    ::close(fd);
    if (tail.ok() && tail->link.sequence > last->sequence) last = tail->link;
  }
  return last;
}

}  // namespace outgrown::decision_log
