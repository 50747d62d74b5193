#include "counterblock/writer.h"

#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <string_view>

#include "counterblock/block_file.h"
#include "counterblock/registry.h"

namespace outgrown::block {

namespace {

// By number, so that the library needs no SQLite header; they are a part of SQLite's stable interface.
enum SqliteCode : int {
  kSqliteOk = 0,
  kSqliteBusy = 5,
  kSqliteLocked = 6,
  kSqliteIoErr = 10,
  kSqliteCorrupt = 11,
  kSqliteFull = 13,
  kSqliteCantOpen = 14,
  kSqliteConstraint = 19,
  kSqliteNotADb = 26,
  kSqliteRow = 100,
  kSqliteDone = 101,
  kSqliteBusySnapshot = 517,  // 5 | 2 << 8
};

}  // namespace

Outcome OutcomeOfSqlite(int result_code) {
  // Kept apart from BUSY, because waiting longer doesn't help: the transaction has read an old snapshot and
  // must begin again (https://sqlite.org/rescode.html#busy_snapshot).
  if (result_code == kSqliteBusySnapshot) return Outcome::kBusySnapshot;
  switch (result_code & 0xff) {  // the primary code
    case kSqliteOk:
    case kSqliteRow:
    case kSqliteDone:
      return Outcome::kOk;
    case kSqliteBusy:
    case kSqliteLocked:
      return Outcome::kBusy;
    case kSqliteFull:
      return Outcome::kFull;
    case kSqliteIoErr:
    case kSqliteCantOpen:
      return Outcome::kIo;
    case kSqliteConstraint:
      return Outcome::kConstraint;
    case kSqliteCorrupt:
    case kSqliteNotADb:
      return Outcome::kCorrupt;
    default:
      return Outcome::kOther;
  }
}

std::string OffLine(const std::string& why) {
  std::string line = "outgrown: writes are not counted: " + why;
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return line;
}

void LogOff(const std::string& line) noexcept {
  const char* const asked = ::secure_getenv("OUTGROWN_LOG");
  if (asked == nullptr || std::string_view(asked) != "stderr") return;
  const int old_errno = errno;
  char newline = '\n';
  const struct iovec parts[] = {{const_cast<char*>(line.data()), line.size()}, {&newline, 1}};
  // One call, so that lines of several threads don't mix. A closed or full standard error is nobody's problem
  // here.
  const ssize_t ignored = ::writev(STDERR_FILENO, parts, 2);
  static_cast<void>(ignored);
  errno = old_errno;
}

namespace {

// So large a step is still below 2^53, from where on Prometheus' doubles would lose single counts.
constexpr std::uint64_t kBytesMax = std::uint64_t{1} << 40U;
constexpr std::uint64_t kDurationMaxNs = std::uint64_t{1} << 53U;

// Puts errno back: the application may be between its own failed call and its look at errno.
class ErrnoKept {
 public:
  ErrnoKept() = default;
  ErrnoKept(const ErrnoKept&) = delete;
  ErrnoKept& operator=(const ErrnoKept&) = delete;
  ~ErrnoKept() { errno = old_; }

 private:
  int old_ = errno;
};

Result<ProcessBlock*> OpenBlock(const std::string& store, const WriterOptions& options) {
  if (!IsStoreName(store)) {
    return Error{"not a store's name (expected 1 to 64 of A-Z a-z 0-9 _ - and, not at the start, a dot)",
                 store};
  }
  if (options.slots && (*options.slots < 1 || *options.slots > kSlotCountMax)) {
    return Error{
        std::to_string(*options.slots) + " slots asked for, expected 1 to " + std::to_string(kSlotCountMax),
        store};
  }
  if (options.database.size() > kDatabaseBytesMax) return Error{"the database's path is too long", store};
  Result<std::string> directory = ResolveDirectory(options.directory, options.application);
  if (!directory) return Error{directory.error().what, store};
  return AcquireBlock(*directory, FileNameOf(BlockName{store}), options.slots, options.database);
}

}  // namespace

Result<Writer> Writer::Open(const std::string& store, const WriterOptions& options) noexcept {
  const ErrnoKept errno_kept;
  try {
    Result<ProcessBlock*> block = OpenBlock(store, options);
    if (!block) return block.error();
    return Writer(*block);
  } catch (const std::exception&) {
    return Error{"no memory", ""};  // short enough to need none
  }
}

Writer::~Writer() {
  if (!is_on()) return;
  const ErrnoKept errno_kept;
  DropBlock(*block_);
}

// The slow path of RecordAt: the thread's first record, an unusual one, or one that goes to the overflow
// slot.
void Writer::RecordElsewhere(Outcome outcome, std::uint64_t bytes, std::uint64_t duration_ns,
                             std::uint64_t end_ns) noexcept {
  // Before the duration is limited: whatever is too long is in the last bucket either way.
  const std::uint32_t bucket = BucketOf(duration_ns);
  bytes = std::min(bytes, kBytesMax);
  duration_ns = std::min(duration_ns, kDurationMaxNs);
  HeldSlot* held = nullptr;
  Slot* const slot = EnterSlot(held);
  if (slot == nullptr) return;
  if (held != nullptr) {
    Add(*slot, outcome, bytes, duration_ns, bucket, end_ns);
    LeaveOwnSlot(*held);
    return;
  }
  AddShared(slot->writes[CellOf(outcome)], 1);
  AddShared(slot->bytes, bytes);
  AddShared(slot->duration_sum_ns, duration_ns);
  AddShared(slot->buckets[bucket], 1);
  // Raised, not stored: another thread may have stored a later time.
  RaiseShared(slot->last_write_ns, end_ns);
}

Start Writer::BeginElsewhere(std::uint64_t start_ns) noexcept {
  HeldSlot* held = nullptr;
  if (EnterSlot(held) == nullptr || held == nullptr) return Start{start_ns, 0};
  const Start start = MarkInFlight(*held, start_ns);
  LeaveOwnSlot(*held);
  return start;
}

// Begun without a mark, on another thread, before a fork, or on a slot that was lost.
void Writer::EndElsewhere(const Start& start, Outcome outcome, std::uint64_t bytes, std::uint64_t duration_ns,
                          std::uint64_t end_ns) noexcept {
  // Counted by the thread that ends the write, in its own slot: only its holder may add to a slot.
  RecordAt(outcome, bytes, duration_ns, end_ns);
  Abandon(start);
}

void Writer::Abandon(const Start& start) noexcept { ClearMark(start, &Slot::in_flight_start_ns); }

void Writer::EndUnchanged(const Start& start, bool refused) noexcept {
  AddTo(refused ? &Slot::unchanged_refused : &Slot::unchanged, 1);
  Abandon(start);
}

void Writer::ForgetHold(const Start& hold) noexcept { ClearMark(hold, &Slot::lock_held_since_ns); }

void Writer::ClearMark(const Start& start, std::uint64_t Slot::*mark) noexcept {
  const auto number = static_cast<std::uint32_t>(start.mark);
  if (number == 0 || number > block_->slot_count) return;
  Slot& slot = block_->slots[number - 1];
  // Only if the claim that made the mark still holds the slot, and is this process's: a child must not take
  // its parent's mark away.
  const std::uint64_t owner = LoadCell(slot.owner);
  if (static_cast<std::uint32_t>(owner) != static_cast<std::uint32_t>(start.mark >> 32U)) return;
  if (owner >> 32U != static_cast<std::uint64_t>(::getpid())) return;
  // Only this write's mark: the slot's owner may have begun another one meanwhile.
  ReplaceCell(slot.*mark, start.start_ns, 0);
}

Slot* Writer::EnterSlot(HeldSlot*& held) noexcept {
  held = EnterOwnSlot();
  if (held == nullptr) {
    const ErrnoKept errno_kept;
    if (FindOrClaimSlot(*block_) != nullptr) held = EnterOwnSlot();
  }
  if (held != nullptr) return held->slot;
  if (block_->id.load(std::memory_order_relaxed) == 0) return nullptr;  // off, or closed
  return &block_->slots[block_->slot_count];
}

void Writer::AddTo(std::uint64_t Slot::*cell, std::uint64_t value) noexcept {
  HeldSlot* held = nullptr;
  Slot* const slot = EnterSlot(held);
  if (slot == nullptr) return;
  if (held == nullptr) {
    AddShared(slot->*cell, value);
    return;
  }
  AddOwned(slot->*cell, value);
  LeaveOwnSlot(*held);
}

void Writer::LockWaited(std::uint64_t wait_ns) noexcept {
  AddTo(&Slot::lock_wait_ns, std::min(wait_ns, kDurationMaxNs));
}

Start Writer::LockHeldAt(std::uint64_t since_ns, std::uint64_t wait_ns) noexcept {
  HeldSlot* held = nullptr;
  Start hold = {since_ns, 0};
  Slot* const slot = EnterSlot(held);
  if (slot == nullptr) return hold;
  wait_ns = std::min(wait_ns, kDurationMaxNs);
  if (held == nullptr) {
    AddShared(slot->lock_wait_ns, wait_ns);
    return hold;
  }
  AddOwned(slot->lock_wait_ns, wait_ns);
  // One connection holds a store's lock; a mark that is there belongs to a copy of it at another path.
  if (LoadCell(slot->lock_held_since_ns) == 0) {
    StoreCell(slot->lock_held_since_ns, since_ns);
    hold.mark = MarkOf(*held);
  }
  LeaveOwnSlot(*held);
  return hold;
}

void Writer::LockReleasedAt(const Start& hold, bool wrote, std::uint64_t end_ns) noexcept {
  HeldSlot* held = nullptr;
  Slot* const slot = EnterSlot(held);
  if (slot == nullptr) return;
  const std::uint64_t held_ns = end_ns > hold.start_ns ? std::min(end_ns - hold.start_ns, kDurationMaxNs) : 0;
  if (held == nullptr) {
    AddShared(slot->lock_held_ns, held_ns);
    AddShared(slot->lock_holds, wrote ? 1 : 0);
    return;
  }
  AddOwned(slot->lock_held_ns, held_ns);
  AddOwned(slot->lock_holds, wrote ? 1 : 0);
  const bool is_own_mark = hold.mark == MarkOf(*held) && LoadCell(slot->lock_held_since_ns) == hold.start_ns;
  if (is_own_mark) StoreCell(slot->lock_held_since_ns, 0);
  LeaveOwnSlot(*held);
  if (!is_own_mark) ForgetHold(hold);  // taken on another thread
}

void Writer::TraceLost() noexcept { AddToTracesLost(1); }
void Writer::TraceRegained() noexcept { AddToTracesLost(-1); }

// A connection may lose its trace on one thread and be closed on another, after the first thread has ended.
// So the count lives in a slot that belongs to the process and not to a thread.
void Writer::AddToTracesLost(std::int64_t change) noexcept {
  const ErrnoKept errno_kept;
  const LibraryLock lock;
  if (block_->id.load(std::memory_order_relaxed) == 0) return;
  std::uint64_t& lost = block_->says.traces_lost;
  if (change < 0 && lost == 0) return;
  // At the end of a loss too: the time says until when writes went uncounted.
  NoteTraceLost(*block_);
  lost += static_cast<std::uint64_t>(change);
  if (PublishSays(*block_) || change < 0) return;
  // No slot is free. The overflow slot has no living owner whose end would take it back, so it stays there.
  --lost;
  AddShared(block_->slots[block_->slot_count].traces_lost, 1);
}

// `change` gets the block, and makes block.says say something else.
template <typename Change>
void Writer::ChangeSays(Change change) noexcept {
  const ErrnoKept errno_kept;
  const LibraryLock lock;
  if (block_->id.load(std::memory_order_relaxed) == 0) return;
  change(*block_);
  PublishSays(*block_);
}

void Writer::FileOpened(const FileId& file) noexcept {
  ChangeSays([&file](ProcessBlock& block) {
    ++block.says.files_open;
    const auto place = std::ranges::find_if(
        block.open_files, [&file](const auto& open) { return open.count == 0 || open.file == file; });
    if (place != block.open_files.end()) *place = {file, place->count + 1};
    block.says.file = block.open_files.front().file;
  });
}

void Writer::FileClosed(const FileId& file) noexcept {
  ChangeSays([&file](ProcessBlock& block) {
    if (block.says.files_open > 0) --block.says.files_open;
    const auto place = std::ranges::find(block.open_files, file, &ProcessBlock::OpenFiles::file);
    if (place == block.open_files.end() || place->count == 0 || --place->count > 0) return;
    // The others move up in their order, and the unused ones stay behind them.
    std::rotate(place, place + 1, block.open_files.end());
    if (block.open_files.front().count > 0) block.says.file = block.open_files.front().file;
  });
}

void Writer::FileClosed() noexcept {
  ChangeSays([](ProcessBlock& block) {
    if (block.says.files_open > 0) --block.says.files_open;
  });
}

void Writer::FileOpenedAt(const std::string& path) {
  // Allocated before the lock is taken, since what happens under it can't fail.
  auto kept = std::make_unique<const std::string>(path);
  ChangeSays([&kept](ProcessBlock& block) {
    delete std::exchange(block.awaited_path, kept.release());
    block.says.file = FileAt(block.awaited_path->c_str()).value_or(FileId{});
    ++block.says.files_open;
  });
}

void Writer::FileReopened() noexcept {
  ChangeSays([](ProcessBlock& block) {
    if (block.awaited_path != nullptr)
      block.says.file = FileAt(block.awaited_path->c_str()).value_or(FileId{});
  });
}

void Writer::Refused(Refusal reason) noexcept {
  ChangeSays([reason](ProcessBlock& block) {
    NoteRefusal(block, reason, true);
    ++block.says.refused[static_cast<std::uint32_t>(reason)];
  });
}

void Writer::RefusalEnded(Refusal reason) noexcept {
  ChangeSays([reason](ProcessBlock& block) {
    std::uint64_t& refused = block.says.refused[static_cast<std::uint32_t>(reason)];
    if (refused == 0) return;
    NoteRefusal(block, reason, false);
    --refused;
  });
}

}  // namespace outgrown::block
