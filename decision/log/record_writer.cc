#include "decision/log/record_writer.h"

#include <unistd.h>

#include <cerrno>
#include <future>
#include <utility>

#include "common/file.h"

namespace outgrown::decision_log {
namespace {

constexpr std::size_t kBatchBytes = 2U << 20U;

}  // namespace

RecordWriter::RecordWriter(int fd, const std::filesystem::path& path, std::int64_t end_bytes, Link before,
                           std::int64_t logged_ms)
    : fd_(fd), path_(path), end_bytes_(end_bytes), logged_ms_(logged_ms), before_(std::move(before)) {}

RecordWriter::~RecordWriter() {
  if (finished_) return;
  if (writing_.valid()) writing_.wait();
  static_cast<void>(::ftruncate(fd_, end_bytes_));
}

void RecordWriter::Add(std::string_view members) {
  batch_.text += members;
  batch_.ends.push_back(batch_.text.size());
  if (batch_.text.size() >= kBatchBytes) StartWriting(false);
}

Result<void> RecordWriter::Finish(const std::function<void()>& meanwhile) {
  const bool has_thread = writing_.valid();  // a run about some stores starts none
  if (has_thread) StartWriting(true);
  meanwhile();
  if (!has_thread) std::swap(batch_, writing_batch_);
  Result<void> done = has_thread ? Written() : Write(true);
  finished_ = true;
  if (done.ok()) return done;
  Error error = done.error();
  if (::ftruncate(fd_, end_bytes_) != 0) {
    // Nothing more can be done; the next append or audit finds the partial write as an unfinished record.
    error.what += "; the partial write could not be removed";
  }
  return error;
}

// After an error nothing more is written: the records behind a hole would belong to no chain.
void RecordWriter::StartWriting(bool last) {
  Result<void> before = Written();
  std::swap(batch_, writing_batch_);
  batch_.text.clear();
  batch_.ends.clear();
  // By the default policy: where no thread may be started, it is done when its result is asked for.
  writing_ = std::async([this, before = std::move(before), last] { return before ? Write(last) : before; });
}

Result<void> RecordWriter::Written() { return writing_.valid() ? writing_.get() : Result<void>(); }

Result<void> RecordWriter::Write(bool last) {
  std::size_t begin = 0;
  for (const std::size_t end : writing_batch_.ends) {
    const auto members = std::string_view(writing_batch_.text).substr(begin, end - begin);
    bytes_ += SealRecord(before_, logged_ms_, members, links_.emplace_back());
    bytes_ += '\n';
    before_ = links_.back();
    begin = end;
  }
  for (std::string_view left = bytes_; !left.empty();) {
    // O_APPEND: it goes to the end, whatever another program has written meanwhile. A short write has no errno; writing
    // the rest gives the reason (ENOSPC, EFBIG).
    const ssize_t written = ::write(fd_, left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError("cannot write", path_, errno);
    if (written == 0) return Error{"cannot write a whole record", path_.string()};
    left.remove_prefix(static_cast<std::size_t>(written));
  }
  bytes_.clear();
  if (last && ::fsync(fd_) != 0) return SystemError("cannot sync", path_, errno);
  return {};
}

}  // namespace outgrown::decision_log
