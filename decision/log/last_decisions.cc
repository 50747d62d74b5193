#include "decision/log/last_decisions.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <tuple>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "decision/log/backward_lines.h"
#include "decision/log/decision_log.h"
#include "decision/log/read_at.h"

namespace outgrown::decision_log {
namespace {

namespace fs = std::filesystem;

// A record takes some hundred bytes at least; a log of shorter lines is none, and not worth the time.
constexpr std::int64_t kLineBytesMin = 128;

// A log's file, open for reading.
class Segment {
 public:
  Segment() = default;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;
  ~Segment() {
    if (fd_ >= 0) ::close(fd_);
  }

  // One that is not there is empty.
  Result<void> Open(const fs::path& path) {
    path_ = path;
    const auto failed = [&](std::string_view doing) {
      return Error{std::string(doing) + ": " + std::generic_category().message(errno), path_.string()};
    };
    fd_ = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd_ < 0 && errno == ENOENT) return {};
    if (fd_ < 0) return failed("cannot open the decision log");
    if (::fstat(fd_, &status_) != 0) return failed("cannot stat the decision log");
    if (!S_ISREG(status_.st_mode)) return Error{"the decision log is no regular file", path_.string()};
    return {};
  }

  int fd() const { return fd_; }
  const fs::path& path() const { return path_; }
  std::int64_t size_bytes() const { return fd_ < 0 ? 0 : status_.st_size; }
  bool SameFile(const Segment& other) const {
    return fd_ >= 0 && other.fd_ >= 0 && status_.st_dev == other.status_.st_dev &&
           status_.st_ino == other.status_.st_ino;
  }

 private:
  int fd_ = -1;
  fs::path path_;
  struct stat status_ = {};
};

// Where a segment's last whole line ends, and its link; 0 and none if there is no whole line.
struct SegmentEnd {
  std::int64_t end_bytes = 0;
  std::optional<Link> link;
};

Result<SegmentEnd> ReadEnd(const Segment& segment) {
  const std::int64_t size = segment.size_bytes();
  for (std::int64_t reach = 64 << 10;; reach *= 4) {
    const std::int64_t from = std::max<std::int64_t>(0, size - reach);
    std::string bytes(static_cast<std::size_t>(size - from), '\0');
    if (const Result<void> read = ReadAt(segment.fd(), from, bytes, segment.path()); !read)
      return read.error();
    const std::size_t newline = bytes.rfind('\n');
    const std::size_t before =
        newline == std::string::npos || newline == 0 ? std::string::npos : bytes.rfind('\n', newline - 1);
    if (before == std::string::npos && from > 0) {
      if (reach > kLastRecordBytesMax) {
        return Error{fmt::format("its last record is longer than {} MiB", kLastRecordBytesMax >> 20U),
                     segment.path().string()};
      }
      continue;
    }
    if (newline == std::string::npos) return SegmentEnd{};
    const std::size_t start = before == std::string::npos ? 0 : before + 1;
    const Result<SealedRecord> record = OpenRecord(std::string_view(bytes).substr(start, newline - start));
    if (!record) return Error{record.error().what, segment.path().string()};
    return SegmentEnd{from + static_cast<std::int64_t>(newline) + 1, record->link};
  }
}

// The newest decisions, while the log goes by from its end to its beginning.
class Gathering {
 public:
  // False if there is no room for more.
  bool Take(std::string_view line) {
    const std::optional<RecordHead> head = ReadDecisionHead(line);
    if (!head) return true;
    key_.assign(head->spec);
    key_ += '\n';  // in no line
    key_ += head->labels;
    const auto known = places_.find(key_);
    // Of the same instant the one that was made last; a look back with --at is no newer decision.
    if (known != places_.end() && head->time_ms <= decisions_[known->second].time_ms) return true;
    std::optional<LastDecision> decision = Decode(*head);
    if (!decision) return true;
    if (known != places_.end()) {
      decisions_[known->second] = std::move(*decision);
      return true;
    }
    if (Full()) return false;
    places_.emplace(key_, decisions_.size());
    decisions_.push_back(std::move(*decision));
    return true;
  }

  bool Full() const { return decisions_.size() == kDecisionsMax; }

  // By spec and labels. Labels that were spelled in two ways are one store.
  std::vector<LastDecision> Finish() {
    const auto name = [](const LastDecision& one) { return std::tie(one.spec, one.labels); };
    std::ranges::stable_sort(decisions_, [&](const LastDecision& a, const LastDecision& b) {
      return name(a) != name(b) ? name(a) < name(b) : a.time_ms > b.time_ms;
    });
    const auto same = [&](const LastDecision& a, const LastDecision& b) { return name(a) == name(b); };
    decisions_.erase(std::unique(decisions_.begin(), decisions_.end(), same), decisions_.end());
    return std::move(decisions_);
  }

 private:
  static std::optional<LastDecision> Decode(const RecordHead& head) {
    std::optional<std::string> spec = Unquoted(head.spec);
    std::optional<std::string> digest = Unquoted(head.digest);
    std::optional<std::string> verdict = Unquoted(head.verdict);
    std::optional<Labels> labels = ReadLabels(head.labels);
    if (!spec || !digest || !verdict || !labels) return std::nullopt;
    return LastDecision{std::move(*spec), std::move(*labels), std::move(*digest), std::move(*verdict),
                        head.time_ms};
  }

  std::vector<LastDecision> decisions_;
  std::unordered_map<std::string, std::size_t> places_;  // by the JSON text of spec and labels
  std::string key_;                                      // its room is used again
};

// The newest rotated segment beside `path`; none if there is none.
Result<std::optional<fs::path>> NewestRotated(const fs::path& path) {
  Result<std::vector<fs::path>> segments = LogSegments(path);
  if (!segments) return segments.error();
  if (segments->empty()) return std::optional<fs::path>();
  return std::optional(std::move(segments->back()));
}

// Gathers what `reach_bytes` of a segment hold; these get less by what was read. Notes the last record's link if none is
// noted yet.
Result<void> Gather(const Segment& segment, std::int64_t& reach_bytes, std::optional<Link>& last,
                    Gathering& gathering) {
  if (segment.size_bytes() == 0) return {};
  const Result<SegmentEnd> end = ReadEnd(segment);
  if (!end) return end.error();
  if (!last) last = end->link;
  const std::int64_t from = std::max<std::int64_t>(0, segment.size_bytes() - reach_bytes);
  std::int64_t lines_left = reach_bytes / kLineBytesMin + 1;
  reach_bytes -= segment.size_bytes() - from;
  bool room = true;
  Result<void> read =
      ReadLinesBackwards(segment.fd(), from, end->end_bytes, segment.path(), [&](std::string_view line) {
        room = lines_left-- > 0 && gathering.Take(line);
        return room;
      });
  if (!read || room) return read;
  return Error{gathering.Full() ? fmt::format("has decisions about more than {} stores", kDecisionsMax)
                                : "has too many lines that are no records",
               segment.path().string()};
}

}  // namespace

Result<std::optional<LastDecisions>> ReadLastDecisions(const fs::path& path, std::int64_t reach_bytes) {
  Segment current;
  if (const Result<void> opened = current.Open(path); !opened) return opened.error();
  std::optional<Link> last;
  Gathering gathering;
  if (const Result<void> read = Gather(current, reach_bytes, last, gathering); !read) return read.error();
  if (reach_bytes > 0) {
    const Result<std::optional<fs::path>> newest = NewestRotated(path);
    if (!newest) return newest.error();
    Segment rotated;
    if (*newest) {
      if (const Result<void> opened = rotated.Open(**newest); !opened) return opened.error();
    }
    // A rotation may have renamed the very file that was just read.
    if (!rotated.SameFile(current)) {
      if (const Result<void> read = Gather(rotated, reach_bytes, last, gathering); !read) return read.error();
    }
  }
  if (!last) return std::optional<LastDecisions>();
  return std::optional(LastDecisions{gathering.Finish(), std::move(*last)});
}

}  // namespace outgrown::decision_log
