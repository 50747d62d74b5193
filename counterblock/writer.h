// Counting writes from C++: 2 to 3 ns a record, and no way for the counting to hurt the application.
//
//   Result<Writer> writer = Writer::Open("checkpoints", {.database = "/srv/agent/state.db"});
//   …
//   const Start start = writer->Begin();  // the write shows as in flight
//   …BEGIN IMMEDIATE … COMMIT…
//   writer->End(start, Outcome::kOk, payload_bytes);
//
// A Writer is a handle: cheap to move, and one is enough for all threads of a process. Each thread that
// records gets a slot of the block on its first record and gives it back at its end; with none free it counts
// in the shared overflow slot, more slowly and as exactly. After fork() the child claims its own slots;
// exec() gives everything back.
//
// A default-made Writer, and one that was moved from, is off: it records nothing and every call is harmless.
// No call throws, blocks on another process, raises a signal, prints, or changes errno.
//
// Signal handlers: Record, Begin and End may be called in a handler on a thread that has recorded into that
// store before, since it was opened and, in a child, since the fork: a thread's first record into a store
// allocates memory.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "common/result.h"
#include "counterblock/buckets.h"
#include "counterblock/cells.h"
#include "counterblock/layout.h"
#include "counterblock/thread_slots.h"

namespace outgrown::block {

struct WriterOptions {
  // Where the block lives; empty: ResolveDirectory (block_file.h), which is the rule.
  std::string directory = {};
  // Names /run/outgrown/APPLICATION; empty: that place is left out.
  std::string application = {};
  // Absolute path of the SQLite file, for the exporter. Only the block's creator's is kept.
  std::string database = {};
  // Threads that record at the same time, of all processes together. Only the block's creator's is kept.
  // Nothing: kSlotCountDefault, or fewer in a process that makes many blocks (registry.h).
  std::optional<std::uint32_t> slots = {};
};

// A write that has begun. Plain data; may be ended on another thread, or never.
struct Start {
  std::uint64_t start_ns = 0;
  std::uint64_t mark = 0;  // which slot shows the write as in flight; 0: none
};

class Writer {
 public:
  // Opens the store's block, creating it if it is not there. `store` is a store's name (block_file.h). Errors:
  // a name, number or path that cannot be; no directory; no permission; no space; a file that is not to be
  // trusted.
  static Result<Writer> Open(const std::string& store, const WriterOptions& options) noexcept;

  Writer() = default;
  Writer(Writer&& other) noexcept : block_(std::exchange(other.block_, &off_block)) {}
  Writer& operator=(Writer&& other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  // The last Writer of a block in this process gives all slots back. No thread may be inside a call of it, or
  // use it any more. A record that is under way all the same meets memory, until kClosedBlocksMax
  // (registry.h) other blocks have been closed, but may overwrite a count of the slot's next owner.
  ~Writer();

  bool is_on() const { return block_ != &off_block; }
  // The database path in the block's header, which is what the block's creator said; empty if that was
  // nothing, or if this is off.
  std::string database() const { return block_->place == nullptr ? std::string() : block_->place->database; }

  // A write that lasted `duration_ns` and ended just now.
  void Record(Outcome outcome, std::uint64_t bytes, std::uint64_t duration_ns) noexcept {
    RecordAt(outcome, bytes, duration_ns, CoarseNowNs());
  }
  // A write that lasted `duration_ns` and ended at `end_ns` (NowNs's clock). Reads no clock. Bytes and
  // durations of 2^40 and more (1 TB, 18 minutes) may be counted as a limit, so that a negative number that
  // was cast does not turn a counter back: bytes as 2^40, durations as 2^53 ns.
  void RecordAt(Outcome outcome, std::uint64_t bytes, std::uint64_t duration_ns,
                std::uint64_t end_ns) noexcept {
    HeldSlot* held = IsUsual(bytes, duration_ns) ? EnterOwnSlot() : nullptr;
    if (held == nullptr) [[unlikely]] {
      RecordElsewhere(outcome, bytes, duration_ns, end_ns);
      return;
    }
    Add(*held->slot, outcome, bytes, duration_ns, BucketOfUsual(duration_ns), end_ns);
    LeaveOwnSlot(*held);
  }

  // Fetches into the processor's caches what Begin and End will touch. Worth its while where much other memory is used
  // between two writes.
  void Prefetch() const noexcept {
    const Slot* const slot = thread_slots->RowOf(block_->id.load(std::memory_order_relaxed)).slot;
    if (slot == nullptr) return;
    __builtin_prefetch(&slot->owner, 1);
    __builtin_prefetch(&slot->writes, 1);
    __builtin_prefetch(&slot->lock_held_ns, 1);
    PrefetchBuckets();
  }

  // Marks the write as in flight. A thread that has begun several at once shows the first.
  Start Begin() noexcept { return BeginAt(NowNs()); }
  Start BeginAt(std::uint64_t start_ns) noexcept {
    HeldSlot* held = EnterOwnSlot();
    if (held == nullptr) [[unlikely]]
      return BeginElsewhere(start_ns);
    const Start start = MarkInFlight(*held, start_ns);
    LeaveOwnSlot(*held);
    return start;
  }

  // Records the write and takes its mark away.
  void End(const Start& start, Outcome outcome, std::uint64_t bytes) noexcept {
    EndAt(start, outcome, bytes, NowNs());
  }
  void EndAt(const Start& start, Outcome outcome, std::uint64_t bytes, std::uint64_t end_ns) noexcept {
    const std::uint64_t duration_ns = end_ns > start.start_ns ? end_ns - start.start_ns : 0;
    HeldSlot* held = IsUsual(bytes, duration_ns) ? EnterOwnSlot() : nullptr;
    if (held == nullptr || start.mark != MarkOf(*held) ||
        LoadCell(held->slot->in_flight_start_ns) != start.start_ns) [[unlikely]] {
      if (held != nullptr) LeaveOwnSlot(*held);
      EndElsewhere(start, outcome, bytes, duration_ns, end_ns);
      return;
    }
    Add(*held->slot, outcome, bytes, duration_ns, BucketOfUsual(duration_ns), end_ns);
    StoreCell(held->slot->in_flight_start_ns, 0);
    LeaveOwnSlot(*held);
  }
  // Takes the mark away and records nothing: the transaction wrote nothing after all.
  void Abandon(const Start& start) noexcept;
  // The same for a write that had the lock, or was refused it: counted as one without a change.
  void EndUnchanged(const Start& start, bool refused) noexcept;

  // The store's write lock was waited for in vain.
  void LockWaited(std::uint64_t wait_ns) noexcept;
  // It has been held since then, after that wait, and is shown as held; it was released, `wrote`: by a write. ForgetHold
  // takes the mark away and adds nothing.
  [[gnu::hot]] Start LockHeldAt(std::uint64_t since_ns, std::uint64_t wait_ns) noexcept;
  [[gnu::hot]] void LockReleasedAt(const Start& hold, bool wrote, std::uint64_t end_ns) noexcept;
  void ForgetHold(const Start& hold) noexcept;

  // One more connection is no longer counted completely, as long as the process lives or until it has regained
  // it (closing the connection counts as that). Shown as checkpoint_block_trace_lost, and for some minutes
  // after. Any thread; takes a lock.
  void TraceLost() noexcept;
  void TraceRegained() noexcept;

  // The process has opened the store's database once more: that file. The exporter compares it with the file that it
  // reads; of several the one that was opened first, which is another after the database was replaced. Then: it has
  // closed it. Any thread; takes a lock.
  void FileOpened(const FileId& file) noexcept;
  void FileClosed(const FileId& file) noexcept;
  // The same for a caller that knows the path only: the file there now, or at a thread's first record if it
  // isn't there yet. Throws std::bad_alloc.
  void FileOpenedAt(const std::string& path);
  void FileClosed() noexcept;
  // The database at that path was opened anew, so that it may be another file; not once more.
  void FileReopened() noexcept;

  // One more open connection of this process is not counted, though it is to this store or to one of its
  // name; and one less. Any thread; takes a lock.
  void Refused(Refusal reason) noexcept;
  void RefusalEnded(Refusal reason) noexcept;

 private:
  explicit Writer(ProcessBlock* block) : block_(block) {}

  // This thread's slot, marked as recording; null if there is none, if it was lost, if this is off, or in a
  // signal handler that interrupted a record.
  HeldSlot* EnterOwnSlot() noexcept {
    const std::uint64_t block_id = block_->id.load(std::memory_order_relaxed);
    HeldSlot& held = thread_slots->RowOf(block_id);
    if (LoadCell(held.block_id) != block_id) return nullptr;
    StoreCell(held.block_id, HeldSlot::kRecording);
    // From here on no handler changes the row; until here one may have.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    if (held.slot_block_id != block_id || LoadCell(held.slot->owner) != held.owner) [[unlikely]] {
      StoreCell(held.block_id, held.slot_block_id);
      return nullptr;
    }
    return &held;
  }
  void LeaveOwnSlot(HeldSlot& held) noexcept {
    std::atomic_signal_fence(std::memory_order_seq_cst);
    StoreCell(held.block_id, block_->id.load(std::memory_order_relaxed));
  }

  // What the fast path takes: no limit applies, and BucketOfUsual knows the duration.
  static bool IsUsual(std::uint64_t bytes, std::uint64_t duration_ns) {
    return ((bytes | duration_ns) >> kUsualBits) == 0;
  }
  static void Add(Slot& slot, Outcome outcome, std::uint64_t bytes, std::uint64_t duration_ns,
                  std::uint32_t bucket, std::uint64_t end_ns) noexcept {
    AddOwned(slot.writes[CellOf(outcome)], 1);
    AddOwned(slot.bytes, bytes);
    AddOwned(slot.duration_sum_ns, duration_ns);
    AddOwned(slot.buckets[bucket], 1);
    StoreCell(slot.last_write_ns, end_ns);
  }
  static std::uint32_t CellOf(Outcome outcome) {
    const auto cell = static_cast<std::uint32_t>(outcome);
    return cell < kOutcomeCount ? cell : static_cast<std::uint32_t>(Outcome::kOther);
  }

  // A slot's index + 1 in the lower half, the lower half of its owner's mark in the upper one.
  static std::uint64_t MarkOf(const HeldSlot& held) { return (held.owner << 32U) | (held.index + 1U); }
  static Start MarkInFlight(const HeldSlot& held, std::uint64_t start_ns) noexcept {
    if (LoadCell(held.slot->in_flight_start_ns) != 0) return Start{start_ns, 0};
    StoreCell(held.slot->in_flight_start_ns, start_ns);
    return Start{start_ns, MarkOf(held)};
  }

  // The slot to add to: this thread's, entered, or the overflow slot, in which case `held` is null. Null if this is off.
  [[gnu::hot]] Slot* EnterSlot(HeldSlot*& held) noexcept;
  void AddTo(std::uint64_t Slot::*cell, std::uint64_t value) noexcept;
  // Sets a mark of this process to 0, if it is still the one that was set at the start.
  void ClearMark(const Start& start, std::uint64_t Slot::*mark) noexcept;
  void RecordElsewhere(Outcome outcome, std::uint64_t bytes, std::uint64_t duration_ns,
                       std::uint64_t end_ns) noexcept;
  Start BeginElsewhere(std::uint64_t start_ns) noexcept;
  void EndElsewhere(const Start& start, Outcome outcome, std::uint64_t bytes, std::uint64_t duration_ns,
                    std::uint64_t end_ns) noexcept;
  void AddToTracesLost(std::int64_t change) noexcept;
  template <typename Change>
  void ChangeSays(Change change) noexcept;

  static constexpr unsigned kUsualBits = 40;

  ProcessBlock* block_ = &off_block;
};

// --- The one line that says why writes are not counted, for whoever asked for it with OUTGROWN_LOG=stderr.

// "outgrown: writes are not counted: WHY", without a newline; control characters in `why` (a path may have
// any) become '?', so that it stays one line.
std::string OffLine(const std::string& why);

// Writes the line to standard error if $OUTGROWN_LOG is "stderr"; nothing otherwise. Keeps errno.
void LogOff(const std::string& line) noexcept;

// --- Which outcome a SQLite result code means, without SQLite.

// Extended or primary codes, as sqlite3_extended_errcode() and sqlite3_errcode() give them. OK, ROW and DONE
// are kOk. LOCKED (a shared cache's table lock) is contention as BUSY is. CANTOPEN is I/O; NOTADB is corrupt.
// Source of the numbers, which are part of SQLite's stable interface: https://sqlite.org/rescode.html
Outcome OutcomeOfSqlite(int result_code);

}  // namespace outgrown::block
