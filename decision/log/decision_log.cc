#include "decision/log/decision_log.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "decision/log/log_tail.h"

namespace outgrown::decision_log {
namespace {

namespace fs = std::filesystem;

constexpr int kLockPatienceMs = 10'000;
constexpr int kLockPollMs = 10;
constexpr std::size_t kSequenceDigits = 12;

Error SystemError(std::string_view doing, const fs::path& path, int error_number) {
  return Error{fmt::format("{}: {}", doing, std::generic_category().message(error_number)), path.string()};
}

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);  // frees the lock too
  }
  int get() const { return fd_; }

 private:
  int fd_;
};

// A file size limit must end in an error (EFBIG), not in a signal.
class FileSizeSignalIgnored {
 public:
  FileSizeSignalIgnored() {
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGXFSZ, &ignore, &before_);
  }
  FileSizeSignalIgnored(const FileSizeSignalIgnored&) = delete;
  FileSizeSignalIgnored& operator=(const FileSizeSignalIgnored&) = delete;
  ~FileSizeSignalIgnored() { ::sigaction(SIGXFSZ, &before_, nullptr); }

 private:
  struct sigaction before_ = {};
};

Result<void> Lock(int fd, const fs::path& path) {
  for (int waited_ms = 0;; waited_ms += kLockPollMs) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) return {};
    if (errno != EWOULDBLOCK && errno != EINTR) return SystemError("cannot lock", path, errno);
    if (waited_ms >= kLockPatienceMs)
      return Error{"another process has held its lock for 10 seconds", path.string()};
    const timespec pause = {0, kLockPollMs * 1'000'000L};
    ::nanosleep(&pause, nullptr);
  }
}

Result<void> SyncFolder(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return SystemError("cannot sync the folder", folder, errno);
  return {};
}

// The log open and locked, at `path` at this moment: one that was renamed while we waited is given up.
Result<Descriptor> OpenLocked(const fs::path& path) {
  while (true) {
    // O_NONBLOCK: a FIFO must not hang us.
    Descriptor fd(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640));
    if (fd.get() < 0) return SystemError("cannot open", path, errno);
    struct stat opened = {};
    if (::fstat(fd.get(), &opened) != 0) return SystemError("cannot stat", path, errno);
    if (!S_ISREG(opened.st_mode)) return Error{"not a regular file", path.string()};
    if (const Result<void> locked = Lock(fd.get(), path); !locked) return locked.error();
    struct stat named = {};
    if (::stat(path.c_str(), &named) == 0 && named.st_ino == opened.st_ino && named.st_dev == opened.st_dev)
      return fd;
  }
}

// Where a log that holds no record yet goes on.
struct Beginning {
  Link link;                 // of the newest segment's last record; the chain's beginning if there is none
  bool log_missing = false;  // there is a segment, and nobody is rotating: the log that followed it is gone
};

// Whoever rotates keeps the segment's lock until the new log's first record is on the disk.
Result<Beginning> BeginningAfterSegments(const fs::path& path) {
  const Result<std::vector<fs::path>> segments = LogSegments(path);
  if (!segments) return segments.error();
  if (segments->empty()) return Beginning{};
  const Descriptor fd(::open(segments->back().c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.get() < 0) return SystemError("cannot open", segments->back(), errno);
  const bool rotating = ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  const Result<LogTail> tail = ReadLogTail(fd.get(), segments->back());
  if (!tail) return tail.error();
  return Beginning{.link = tail->link, .log_missing = !rotating};
}

// Writes each line with one write(2) and syncs; takes everything back if that fails.
Result<void> WriteLines(int fd, const fs::path& path, std::int64_t end_bytes,
                        const std::vector<std::string>& lines) {
  const auto take_back = [&](Error error) {
    if (::ftruncate(fd, end_bytes) != 0) {
      // Nothing more can be done; the next append or audit finds the rest as an unfinished record.
      error.what += "; what was written could not be taken back";
    }
    return error;
  };
  for (const std::string& line : lines) {
    ssize_t written = ::write(fd, line.data(), line.size());
    if (written < 0 && errno == EINTR) written = ::write(fd, line.data(), line.size());
    if (written < 0) return take_back(SystemError("cannot write", path, errno));
    if (static_cast<std::size_t>(written) < line.size()) {
      // What stopped it is told by trying the rest.
      const std::string_view rest = std::string_view(line).substr(static_cast<std::size_t>(written));
      const ssize_t more = ::write(fd, rest.data(), rest.size());
      if (more < 0) return take_back(SystemError("cannot write", path, errno));
      if (static_cast<std::size_t>(more) < rest.size())
        return take_back(Error{"cannot write a whole record", path.string()});
    }
  }
  if (::fsync(fd) != 0) return take_back(SystemError("cannot sync", path, errno));
  return {};
}

fs::path SegmentPath(const fs::path& path, std::int64_t sequence) {
  return fmt::format("{}.{:0{}}", path.string(), sequence, kSequenceDigits);
}

// The lines of records that follow `before`, which becomes the last one's link. The first one tells what `tail` and
// `log_missing` say of the log.
std::vector<std::string> SealLines(std::vector<std::string> members, std::int64_t logged_ms,
                                   const LogTail& tail, bool log_missing, Link before,
                                   std::vector<Link>& links) {
  std::vector<std::string> lines;
  std::string told;
  if (tail.dropped_bytes > 0) told += fmt::format("\"dropped_bytes\":{},", tail.dropped_bytes);
  if (log_missing) told += "\"log_missing\":true,";
  for (std::string& member : members) {
    const std::string one = std::move(member);  // a fleet's records are large: no two copies of them
    Link sealed;
    std::string line = SealRecord(before, logged_ms, told.empty() ? one : told + one, sealed);
    told.clear();
    line += '\n';
    // A record that lacks nothing but its newline gets it now.
    if (lines.empty() && !tail.ends_with_newline) line.insert(0, 1, '\n');
    lines.push_back(std::move(line));
    links.push_back(sealed);
    before = std::move(sealed);
  }
  return lines;
}

}  // namespace

Result<fs::path> DefaultLogPath() {
  constexpr std::string_view kName = "decisions.jsonl";
  if (const char* state = std::getenv("STATE_DIRECTORY"); state != nullptr && *state != '\0') {
    const std::string_view folders = state;
    return fs::path(folders.substr(0, folders.find(':'))) / kName;
  }
  // The XDG specification has relative paths ignored.
  if (const char* xdg = std::getenv("XDG_STATE_HOME"); xdg != nullptr && *xdg == '/') {
    return fs::path(xdg) / "outgrown" / kName;
  }
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return fs::path(home) / ".local" / "state" / "outgrown" / kName;
  }
  return Error{"no place for the decision log: STATE_DIRECTORY, XDG_STATE_HOME and HOME are unset; use --log",
               ""};
}

Result<std::vector<fs::path>> LogSegments(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const std::string prefix = path.filename().string() + ".";
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
  std::ranges::sort(segments);
  return segments;
}

Result<std::vector<Link>> AppendRecords(const fs::path& path, std::vector<std::string> members,
                                        std::int64_t logged_ms, std::int64_t rotate_bytes) {
  std::error_code made;
  if (path.has_parent_path()) fs::create_directories(path.parent_path(), made);
  if (made) return Error{"cannot make the folder: " + made.message(), path.parent_path().string()};
  const FileSizeSignalIgnored no_signal;

  Descriptor rotated;  // the segment that was the log, still locked
  while (true) {
    Result<Descriptor> fd = OpenLocked(path);
    if (!fd) return fd.error();
    const Result<LogTail> tail = ReadLogTail(fd->get(), path);
    if (!tail) return tail.error();
    if (tail->dropped_bytes > 0 && ::ftruncate(fd->get(), tail->end_bytes) != 0) {
      return SystemError("cannot cut off an unfinished record", path, errno);
    }
    if (tail->end_bytes >= rotate_bytes) {
      if (::rename(path.c_str(), SegmentPath(path, tail->link.sequence).c_str()) != 0) {
        return SystemError("cannot rename for rotation", path, errno);
      }
      if (const Result<void> synced = SyncFolder(path); !synced) return synced.error();
      rotated = std::move(*fd);
      continue;
    }
    Beginning beginning = {.link = tail->link};
    if (tail->end_bytes == 0) {
      Result<Beginning> after_segments = BeginningAfterSegments(path);
      if (!after_segments) return after_segments.error();
      beginning = std::move(*after_segments);
    }
    std::vector<Link> links;
    const std::vector<std::string> lines = SealLines(std::move(members), logged_ms, *tail,
                                                     beginning.log_missing, std::move(beginning.link), links);
    if (const Result<void> written = WriteLines(fd->get(), path, tail->end_bytes, lines); !written) {
      return written.error();
    }
    if (tail->end_bytes == 0) {
      if (const Result<void> synced = SyncFolder(path); !synced) return synced.error();
    }
    return links;
  }
}

}  // namespace outgrown::decision_log
