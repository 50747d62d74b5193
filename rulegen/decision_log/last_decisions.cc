#include "rulegen/decision_log/last_decisions.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>
#include <tuple>

#include "rulegen/json/json.h"

namespace outgrown::decision_log {
namespace {

namespace fs = std::filesystem;

// The members of a record that say what was decided. They stand at its beginning, so the rest is never read.
class Head : public JsonEvents {
 public:
  // Whether this is a decision, and all of it was found.
  bool IsDecision() const {
    return kind_ == "decision" && origin_ == "prometheus" && has_time_ && has_labels_ &&
           !decision_.spec.empty() && !decision_.verdict.empty();
  }
  LastDecision TakeDecision() { return std::move(decision_); }

  bool Null() override { return true; }
  bool Boolean(bool) override { return true; }
  bool Number(double value) override {
    if (depth_ == 1 && key_ == "time_ms") {
      decision_.time_ms = static_cast<std::int64_t>(value);
      has_time_ = true;
    }
    return true;
  }
  bool String(std::string& value) override {
    if (depth_ == 2 && in_labels_) decision_.labels.emplace_back(key_, value);
    if (depth_ != 1) return true;
    if (key_ == "kind") kind_ = value;
    if (key_ == "origin") origin_ = value;
    if (key_ == "spec") decision_.spec = value;
    if (key_ == "digest") decision_.digest = value;
    if (key_ == "verdict") decision_.verdict = value;
    const bool is_other =
        (key_ == "kind" && value != "decision") || (key_ == "origin" && value != "prometheus");
    return !is_other && !IsDecision();
  }
  bool StartObject() override {
    ++depth_;
    in_labels_ = depth_ == 2 && key_ == "labels";
    return true;
  }
  bool Key(std::string& key) override {
    key_ = key;
    return true;
  }
  bool EndObject() override {
    has_labels_ = has_labels_ || in_labels_;
    in_labels_ = false;
    --depth_;
    return true;
  }
  bool StartArray() override {
    ++depth_;
    return true;
  }
  bool EndArray() override {
    --depth_;
    return true;
  }

 private:
  int depth_ = 0;
  std::string key_;
  bool in_labels_ = false;
  std::string kind_;
  std::string origin_;
  bool has_time_ = false;
  bool has_labels_ = false;
  LastDecision decision_;
};

std::optional<LastDecision> DecisionOf(std::string_view line) {
  Head head;
  // An error is usual here: the head gives up reading as soon as it knows enough.
  [[maybe_unused]] const Result<void> read = ReadJson(line, head);
  if (!head.IsDecision()) return std::nullopt;
  return head.TakeDecision();
}

Result<std::string> ReadTail(const fs::path& path, std::size_t tail_bytes) {
  const auto failed = [&](std::string_view doing) {
    return Error{std::string(doing) + ": " + std::generic_category().message(errno), path.string()};
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    if (errno == ENOENT) return std::string();
    return failed("cannot open the decision log");
  }
  struct stat status = {};
  Result<std::string> tail = std::string();
  if (::fstat(fd, &status) != 0) {
    tail = failed("cannot stat the decision log");
  } else if (!S_ISREG(status.st_mode)) {
    tail = Error{"the decision log is no regular file", path.string()};
  } else {
    const auto size = static_cast<std::size_t>(status.st_size);
    const std::size_t start = size - std::min(size, tail_bytes);
    tail->resize(size - start);
    const ssize_t count = ::pread(fd, tail->data(), tail->size(), static_cast<off_t>(start));
    if (count < 0) {
      tail = failed("cannot read the decision log");
    } else {
      tail->resize(static_cast<std::size_t>(count));
      // What stands before the first newline may be the end of a record.
      if (start > 0) tail->erase(0, std::min(tail->find('\n'), tail->size() - 1) + 1);
    }
  }
  ::close(fd);
  return tail;
}

}  // namespace

Result<std::optional<LastDecisions>> ReadLastDecisions(const fs::path& path, std::size_t tail_bytes) {
  const Result<std::string> tail = ReadTail(path, tail_bytes);
  if (!tail) return tail.error();
  std::string_view rest = *tail;
  rest = rest.substr(0, rest.rfind('\n') + 1);  // npos + 1 is 0: no whole record
  if (rest.empty()) return std::optional<LastDecisions>();

  LastDecisions last;
  bool is_newest = true;
  while (!rest.empty()) {
    rest.remove_suffix(1);
    const std::size_t start = rest.rfind('\n') + 1;
    const std::string_view line = rest.substr(start);
    rest = rest.substr(0, start);
    if (is_newest) {
      const Result<SealedRecord> record = OpenRecord(line);
      if (!record) return Error{record.error().what, path.string()};
      last.last = record->link;
      is_newest = false;
    }
    std::optional<LastDecision> decision = DecisionOf(line);
    if (!decision) continue;
    // Of the same instant the one that was made last; a look back with --at is no newer decision.
    const auto known = std::ranges::find_if(last.decisions, [&](const LastDecision& other) {
      return other.spec == decision->spec && other.labels == decision->labels;
    });
    if (known == last.decisions.end()) {
      last.decisions.push_back(std::move(*decision));
    } else if (decision->time_ms > known->time_ms) {
      *known = std::move(*decision);
    }
  }
  std::ranges::sort(last.decisions, {},
                    [](const LastDecision& one) { return std::tie(one.spec, one.labels); });
  return std::optional<LastDecisions>(std::move(last));
}

}  // namespace outgrown::decision_log
