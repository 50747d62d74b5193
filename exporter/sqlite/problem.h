// Why a number can't be read from a SQLite store right now. Every probe gives a value or one of these; never
// a guess.
#pragma once

#include <string_view>
#include <utility>
#include <variant>

namespace outgrown::exporter::sqlite {

enum class Problem {
  kNoPath,           // neither the block nor an option names the file
  kMissing,          // there is no such file
  kNoPermission,     // the exporter's user may not read it, or not search its folder
  kNotRegular,       // a folder, FIFO, device, socket
  kUnreadable,       // the system's error on open, stat or read
  kStuck,            // the file system did not answer in time
  kTruncated,        // shorter than its own header says, or than a header
  kNotSqlite,        // no SQLite header
  kEncrypted,        // the header, or what follows its plain beginning, is not readable
  kUnknownFormat,    // a file format version that this exporter doesn't know
  kOldWriter,        // last written by a SQLite before 3.7.0, whose change counter can't be trusted
  kExclusive,        // locked exclusively for as long as the probe tried: exclusive mode or a long commit
  kHotJournal,       // a crashed transaction waits to be rolled back
  kUnexpectedWal,    // rollback mode, yet there is a write-ahead log
  kNoWalIndex,       // a write-ahead log without wal-index: exclusive mode, or a copy that was not opened yet
  kHeldWithoutLog,   // a connection has it open in WAL mode, but its log or wal-index is not here
  kWalIndexDamaged,  // the two copies of its header differ, or their checksum is wrong, for as long as the
                     // probe tried
  kWalIndexVersion,  // a version of the wal-index that this exporter doesn't know
  kWalIndexUnrelated,  // the wal-index belongs to another log or to another database
  kChanging,           // it changed under every attempt to read it
};

// "hot_journal": the label value.
std::string_view ProblemId(Problem problem);

// One clause for logs and pages, without a full stop: "a crashed transaction waits to be rolled back".
std::string_view ProblemText(Problem problem);

// The same clause for a label value; the value itself if it is none of ProblemId's.
std::string_view ProblemTextOfId(std::string_view id);

// A measured value, or the reason why there is none.
template <typename T>
class [[nodiscard]] Measured {
 public:
  Measured(T value) : state_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Measured(Problem problem) : state_(problem) {}   // NOLINT(google-explicit-constructor)

  bool ok() const { return std::holds_alternative<T>(state_); }
  T& operator*() { return std::get<T>(state_); }
  const T& operator*() const { return std::get<T>(state_); }
  const T* operator->() const { return &std::get<T>(state_); }
  Problem problem() const { return std::get<Problem>(state_); }

 private:
  std::variant<T, Problem> state_;
};

}  // namespace outgrown::exporter::sqlite
