// Where one store's counts go: the seam between what happens in SQLite and the counter block.
#pragma once

#include <cstdint>

#include "counterblock/writer.h"

namespace outgrown::observer {

// Any thread. No call throws, blocks on another process or changes errno. Times are block::NowNs's.
class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  virtual ~Sink() = default;

  // Shows a write as in flight.
  virtual block::Start BeginAt(std::uint64_t start_ns) noexcept = 0;
  // Counts a write. A Start that BeginAt did not make (mark 0) had not been shown.
  virtual void EndAt(const block::Start& start, block::Outcome outcome, std::uint64_t end_ns) noexcept = 0;
  // Takes the mark away and counts nothing.
  virtual void Abandon(const block::Start& start) noexcept = 0;

  // One more connection cannot be fully observed any more; and one less.
  virtual void TraceLost() noexcept = 0;
  virtual void TraceRegained() noexcept = 0;

  // The process has opened the store's database file once more; and has closed one.
  virtual void FileOpened(const block::FileId& file) noexcept = 0;
  virtual void FileClosed() noexcept = 0;
  // One more open connection is not counted; and one less.
  virtual void Refused(block::Refusal reason) noexcept = 0;
  virtual void RefusalEnded(block::Refusal reason) noexcept = 0;
};

// Counts into the store's counter block. Bytes stay 0: SQLite doesn't say what part of a page is payload.
class BlockSink final : public Sink {
 public:
  explicit BlockSink(block::Writer writer) : writer_(std::move(writer)) {}

  block::Start BeginAt(std::uint64_t start_ns) noexcept override { return writer_.BeginAt(start_ns); }
  void EndAt(const block::Start& start, block::Outcome outcome, std::uint64_t end_ns) noexcept override {
    writer_.EndAt(start, outcome, 0, end_ns);
  }
  void Abandon(const block::Start& start) noexcept override { writer_.Abandon(start); }
  void TraceLost() noexcept override { writer_.TraceLost(); }
  void TraceRegained() noexcept override { writer_.TraceRegained(); }
  void FileOpened(const block::FileId& file) noexcept override { writer_.FileOpened(file); }
  void FileClosed() noexcept override { writer_.FileClosed(); }
  void Refused(block::Refusal reason) noexcept override { writer_.Refused(reason); }
  void RefusalEnded(block::Refusal reason) noexcept override { writer_.RefusalEnded(reason); }

 private:
  block::Writer writer_;
};

}  // namespace outgrown::observer
