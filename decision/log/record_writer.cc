#include "decision/log/record_writer.h"

#include <unistd.h>

#include <cerrno>
#include <future>
#include <string_view>
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

void RecordWriter::Add(std::string members) {
  batch_bytes_ += members.size();
  batch_.push_back(std::move(members));
  if (batch_bytes_ >= kBatchBytes) StartWriting();
}

Result<void> RecordWriter::Finish() {
  Result<void> done = Written();
  if (done) done = Write(batch_);  // a run about some stores starts no thread
  if (done && ::fsync(fd_) != 0) done = SystemError("cannot sync", path_, errno);
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
void RecordWriter::StartWriting() {
  Result<void> before = Written();
  auto write = [this, before = std::move(before), batch = std::exchange(batch_, {})] {
    return before ? Write(batch) : before;
  };
  batch_bytes_ = 0;
  // By the default policy: where no thread may be started, it is done when its result is asked for.
  writing_ = std::async(std::move(write));
}

Result<void> RecordWriter::Written() { return writing_.valid() ? writing_.get() : Result<void>(); }

Result<void> RecordWriter::Write(const std::vector<std::string>& batch) {
  for (const std::string& members : batch) {
    bytes_ += SealRecord(before_, logged_ms_, members, links_.emplace_back());
    bytes_ += '\n';
    before_ = links_.back();
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
  return {};
}

}  // namespace outgrown::decision_log
