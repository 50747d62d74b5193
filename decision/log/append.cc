// Appending to a decision log: its lock, its rotation, and where the chain continues.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <system_error>

#include <fmt/format.h>

#include "common/file.h"
#include "common/json.h"
#include "decision/log/decision_log.h"
#include "decision/log/newest.h"
#include "decision/log/record_writer.h"

namespace outgrown::decision_log {
namespace {

namespace fs = std::filesystem;

// Far longer than a run holds the lock (some writes and syncs), and short enough for a timer's job.
constexpr int kLockPatienceMs = 10'000;
constexpr int kLockPollMs = 10;

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

// Polled rather than waited for: flock(2) has no time limit of its own, and an alarm would be another
// process-wide signal.
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

// Opens and locks the log. Another writer may rotate (rename) it while this one waits for the lock, so after
// locking the name is looked up again, and a file that is no longer at `path` is dropped.
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

// Where the chain continues, and what the next record says about the log.
struct Beginning {
  Link link;
  std::string said;  // members
  std::string warning;
};

// Where it continues in a log without a record: after the newest segment, or after the last record that the
// newest-decision file knows of. A writer that rotates keeps the segment's lock until the new log's first
// record is on the disk; a segment that is locked explains the empty log.
Result<Beginning> BeginEmpty(const fs::path& log, const std::optional<Link>& known) {
  const Result<std::vector<fs::path>> segments = LogSegments(log);
  if (!segments) return segments.error();
  Beginning beginning;
  bool rotating = false;
  if (!segments->empty()) {
    const fs::path& newest = segments->back();
    const Descriptor fd(::open(newest.c_str(), O_RDONLY | O_CLOEXEC));
    if (fd.get() < 0) return SystemError("cannot open", newest, errno);
    rotating = ::flock(fd.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    const Result<LogTail> tail = ReadLogTail(fd.get(), newest);
    if (!tail) return tail.error();
    beginning.link = tail->link;
  }
  const std::optional<Link> rotated = !known && segments->empty() ? LastOfRotated(log) : std::nullopt;
  // Without that file, as before the first run of this version, a rotation that was cut short looks the same.
  const bool missing =
      known ? known->sequence > beginning.link.sequence : rotated || (!segments->empty() && !rotating);
  if (!missing) return beginning;
  if (known) beginning.link = *known;
  if (rotated) beginning.link = *rotated;
  beginning.said = "\"log_missing\":true,";
  if (beginning.link.sequence == 0) {
    beginning.warning = fmt::format(
        "{}: the decision log is new or empty, and the rotated files beside it can't be read; it starts with "
        "#1",
        log.string());
    return beginning;
  }
  beginning.warning = fmt::format(
      "{}: the decision log is new or empty, and #{} was logged before: it was rotated by another program, "
      "moved away or emptied; numbering continues with #{}",
      log.string(), beginning.link.sequence, beginning.link.sequence + 1);
  return beginning;
}

// The same after the log's last record: no record may be missing there.
Beginning BeginAfter(const fs::path& log, const Link& last, const std::optional<Link>& known) {
  Beginning beginning = {.link = last, .said = "", .warning = ""};
  // Behind the log: a crash between the record and that file; the file is rebuilt.
  if (!known || known->sequence < last.sequence || *known == last) return beginning;
  beginning.said =
      fmt::format(R"("last_known":{{"sequence":{},"hash":"{}"}},)", known->sequence, known->hash);
  beginning.warning = fmt::format(
      "{}: the decision log ends with #{}, but #{} was logged before: it was truncated or replaced; the next "
      "record says so",
      log.string(), last.sequence, known->sequence);
  return beginning;
}

fs::path SegmentPath(const fs::path& log, std::int64_t sequence) {
  // Twelve digits, so that names sort as numbers do.
  return fmt::format("{}.{:012}", log.string(), sequence);
}

// The book as of the log's last record.
NewestBook BookOf(const fs::path& log, Result<std::optional<NewestDecisions>>& newest, const Link& last,
                  std::vector<std::string>& warnings) {
  const bool current = newest.ok() && newest->has_value() && (*newest)->last.sequence >= last.sequence;
  if (current) return NewestBook(std::move((*newest)->decisions));
  if (!newest) warnings.push_back(newest.error().Text() + "; it is rebuilt from the log");
  NewestBook book;
  if (last.sequence > 0) {
    if (const Result<void> read = book.TakeLog(log); !read) warnings.push_back(read.error().Text());
  }
  return book;
}

}  // namespace

Result<fs::path> DefaultLogPath() {
  constexpr std::string_view kName = "decisions.jsonl";
  // A colon separates several folders (systemd.exec(5)).
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

Result<Appended> AppendRecords(const fs::path& path, std::vector<std::string> members, std::int64_t logged_ms,
                               std::int64_t rotate_bytes) {
  const auto record_of = [&members, logged_ms](std::size_t index) {
    std::string& one = members[index];
    // What follows is most of a decision, and nothing that the book takes. A quote within a string is escaped, so this
    // is a member and no text.
    const Result<Json> head = ParseJson("{" + one.substr(0, one.find(R"(,"findings":[)")) + "}");
    return Record{std::move(one), head.ok() ? ReadDecided(*head, logged_ms) : std::nullopt};
  };
  return AppendRecords(path, members.size(), record_of, logged_ms, rotate_bytes);
}

Result<Appended> AppendRecords(const fs::path& path, std::size_t count, const RecordOf& record_of,
                               std::int64_t logged_ms, std::int64_t rotate_bytes) {
  const fs::path log = ResolveLog(path);
  std::error_code made;
  if (log.has_parent_path()) fs::create_directories(log.parent_path(), made);
  if (made) return Error{"cannot make the folder: " + made.message(), log.parent_path().string()};
  const FileSizeSignalIgnored no_signal;

  Descriptor rotated;  // the segment that was the log, still locked
  while (true) {
    Result<Descriptor> fd = OpenLocked(log);
    if (!fd) return fd.error();
    const Result<LogTail> tail = ReadLogTail(fd->get(), log);
    if (!tail) return tail.error();
    if (tail->dropped_bytes > 0 && ::ftruncate(fd->get(), tail->end_bytes) != 0) {
      return SystemError("cannot cut off an unfinished record", log, errno);
    }
    // Rotation comes before the append: a file that has a segment's name is complete and never changes again.
    if (tail->end_bytes >= rotate_bytes) {
      if (::rename(log.c_str(), SegmentPath(log, tail->link.sequence).c_str()) != 0) {
        return SystemError("cannot rename for rotation", log, errno);
      }
      if (const Result<void> synced = SyncFolder(log.parent_path()); !synced) return synced.error();
      // Kept open, so that its lock shows other writers that a rotation is under way (BeginEmpty).
      rotated = std::move(*fd);
      continue;
    }
    Appended appended;
    Result<std::optional<NewestDecisions>> newest = ReadNewest(log);
    const std::optional<Link> known =
        newest.ok() && newest->has_value() ? std::optional((*newest)->last) : std::nullopt;
    Result<Beginning> beginning =
        tail->end_bytes == 0 ? BeginEmpty(log, known) : BeginAfter(log, tail->link, known);
    if (!beginning) return beginning.error();
    if (!beginning->warning.empty()) appended.warnings.push_back(beginning->warning);
    NewestBook book = BookOf(log, newest, beginning->link, appended.warnings);
    std::string said = std::move(beginning->said);
    if (tail->dropped_bytes > 0) said += fmt::format("\"dropped_bytes\":{},", tail->dropped_bytes);
    RecordWriter writer(fd->get(), log, tail->end_bytes, std::move(beginning->link), logged_ms);
    // A record that lacks nothing but its newline gets it now.
    if (!tail->ends_with_newline) writer.EndLine();
    std::vector<Decided> decided;
    for (std::size_t index = 0; index < count; ++index) {
      Record one = record_of(index);
      if (one.decided) decided.push_back(*std::move(one.decided));
      if (index == 0) one.members.insert(0, said);
      writer.Add(one.members);
    }
    std::string newest_lines;
    const auto make_newest = [&] {
      for (Decided& one : decided) book.Take(std::move(one), logged_ms);
      newest_lines = book.Lines(logged_ms);
    };
    if (const Result<void> written = writer.Finish(make_newest); !written) return written.error();
    appended.links = std::move(writer.links());
    if (tail->end_bytes == 0) {  // the file may be new: its name has to survive a power cut too
      if (const Result<void> synced = SyncFolder(log.parent_path()); !synced) return synced.error();
    }
    if (appended.links.empty()) return appended;
    // Only after the records are synced. A crash in between leaves this file behind the log, and the next
    // append rebuilds it; the other order could claim a record that was never logged.
    if (const Result<void> replaced = WriteNewest(log, appended.links.back(), newest_lines); !replaced)
      appended.warnings.push_back("the file of the newest decisions is not up to date: " +
                                  replaced.error().Text());
    return appended;
  }
}

}  // namespace outgrown::decision_log
