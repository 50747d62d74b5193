// Writes records behind the end of a log: sealed one after the other, since each holds the hash of the one before, and written
// while the caller makes the next ones. So the records of a fleet are never in memory all together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "decision/log/decision_log.h"

namespace outgrown::decision_log {

// Not thread-safe: one thread calls it, another one that it starts itself (or the same, where none may be started) writes.
class RecordWriter {
 public:
  // Appends to the log that is open as `fd` and locked, and ends at `end_bytes`; both must outlive this. What is not finished
  // is taken back. `path` is for errors only.
  RecordWriter(int fd, const std::filesystem::path& path, std::int64_t end_bytes, Link before,
               std::int64_t logged_ms);
  RecordWriter(const RecordWriter&) = delete;
  RecordWriter& operator=(const RecordWriter&) = delete;
  ~RecordWriter();

  // Gives the last record of before the newline that it lacks.
  void EndLine() { bytes_ += '\n'; }

  // Adds a record. An error of writing comes with Finish.
  void Add(std::string_view members);

  // Writes what is left and syncs it to the disk: one sync for all, since none of them is printed before. On an error none of
  // them stays in the log. Calls `meanwhile` once, while many records are synced.
  Result<void> Finish(const std::function<void()>& meanwhile);

  // Of each record. Precondition: Finish has succeeded.
  std::vector<Link>& links() { return links_; }

 private:
  // Records' members, behind each other in one text: the batches take turns, and need no fresh memory.
  struct Batch {
    std::string text;
    std::vector<std::size_t> ends;
  };

  Result<void> Write(bool last);
  void StartWriting(bool last);
  Result<void> Written();

  int fd_;
  const std::filesystem::path& path_;
  std::int64_t end_bytes_;
  std::int64_t logged_ms_;
  Batch batch_;  // what was added since the last one was handed over
  bool finished_ = false;
  // Belongs to the writing thread while there is one.
  Batch writing_batch_;
  Link before_;
  std::vector<Link> links_;
  std::string bytes_;  // to write
  std::future<Result<void>> writing_;
};

}  // namespace outgrown::decision_log
