// One counter block as one copy of the library in one process holds it: the mapping, the descriptor that
// carries the slots' locks, and which slots are taken through it.
//
// Slots are claimed by open-file-description (OFD) locks, one byte each:
//   - The kernel gives the lock back when the process dies, whatever the way, in every PID namespace; a pid in the slot
//     could not be trusted for either.
//   - POSIX locks (F_SETLK) belong to the process: two copies of the library in one process would both get the same
//     slot, and any close() of the file anywhere in the process would drop all of them.
//   - OFD locks belong to the descriptor, so they do exclude another copy of the library, but not two threads that use
//     the same descriptor. Therefore `held` hands out slots first.
// A forked child shares its parent's descriptions: it must never unlock (that would free the parent's slots),
// only close, and claim its own through a new descriptor.
//
// A slot that a thread gives back at its end stays with the process, for the next thread: threads that live for one
// call cost no lock, and a process shows as living from its first opened file to its end.
//
// Unmapped only after the last close and that of many other blocks (registry.h).
// Everything but the fields marked otherwise is guarded by the library lock (registry.h).
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "common/result.h"
#include "counterblock/header.h"
#include "counterblock/layout.h"

namespace outgrown::block {

// A slot held by this copy of the library.
struct Claim {
  std::uint32_t index = 0;
  std::uint64_t owner =
      0;  // what it wrote to Slot::owner; differs from claim to claim, but not from thread to thread
};

// Where the block's file was opened, and which database's its header says it is.
struct BlockPlace {
  std::string directory;
  std::string file_name;
  std::string database;
};

// A database file, by stat. An inode of 0 beside a device: the file that is open is not at its path any more.
struct FileId {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool is_known() const { return device != 0 || inode != 0; }
  bool operator==(const FileId&) const = default;
};

// The file at the path now. Nothing if there is none, or it can't be looked at.
std::optional<FileId> FileAt(const char* path) noexcept;

// What the process says beside its counts (Slot::boot and following).
struct ProcessSays {
  FileId file = {};  // of those that are open the one that was opened first; none open: the one that was last
  std::uint64_t files_open = 0;
  std::uint64_t traces_lost = 0;
  std::array<std::uint64_t, kRefusalCount> refused = {};

  bool is_nothing() const;
};

// Idle slots that a process keeps, at most; and its process slot, which stays.
inline constexpr std::uint32_t kIdleSlotsMax = 16;

struct ProcessBlock {
  // Set when mapped, then constant. Usable from any thread.
  const BlockPlace* place = nullptr;  // owned; a pointer, so that off_block needs no code to run
  dev_t device = 0;
  ino_t inode = 0;
  std::uint32_t slot_count = 0;
  Header* header = nullptr;
  Slot* slots = nullptr;  // slots[slot_count] is the overflow slot

  // Differs from block to block, and changes when the block is closed and in a forked child, so that no
  // thread keeps using a slot that it found under the old number. Read without the lock.
  std::atomic<std::uint64_t> id = 0;

  int fd = -1;  // -1 in a forked child that has not written yet
  std::uint64_t descriptor_checked_ns =
      0;                     // when it was last seen that fd is still ours, and not closed by the application
  std::uint32_t users = 0;   // open Writers
  std::uint64_t closed = 0;  // a number that grows with each last close of a block; 0: not closed yet
  // Of the held ones those that no thread has, the one that was given back last at the end.
  std::array<Claim, kIdleSlotsMax + 1> idle = {};
  std::uint32_t idle_count = 0;
  ProcessSays says;
  // The files behind says.file, in the order of their first opening. More than one after the database was replaced: a
  // connection of before writes into the file that is no longer at the path. A further one is left out.
  struct OpenFiles {
    FileId file;
    std::uint64_t count = 0;
  };
  std::array<OpenFiles, 4> open_files = {};
  std::optional<std::uint32_t> process_slot;  // carries traces_lost and refused; other slots have 0 there
  // Owned; where the database will be, if it wasn't there when somebody said that it is open.
  const std::string* awaited_path = nullptr;
  ProcessBlock* next = nullptr;               // the registry's list
  std::array<bool, kSlotCountMax> held = {};  // last, since it is as large as a page
};

// What a Writer that is off points to: a block without slots whose id, 0, no thread ever holds a slot under.
extern constinit ProcessBlock off_block;

// A file that has passed every check.
struct CheckedFile {
  dev_t device = 0;
  ino_t inode = 0;
  CheckedHeader header;
};

// Checks the header and the size of the block that `fd` is open on, and that there is memory behind every byte of it.
// Errors: as CheckHeader's, a wrong size, no space. Raises no signal.
Result<CheckedFile> CheckFile(int fd, const std::string& path);

// Maps the block that `fd` is open on, and opens the descriptor that will carry its locks: never `fd` itself,
// since a mapping keeps the description alive that it was made of, and a forked child inherits mappings. The
// result has no id, no users, and belongs to the caller; so does `fd`. Errors: mmap's, and a file that was replaced.
Result<ProcessBlock*> MapBlock(const std::string& directory, const std::string& file_name, int fd,
                               const CheckedFile& checked);

// The times in the header and in the overflow slot, which no claim resets, are of this boot from now on. Another
// process may do the same and then write new times: those stay.
void AdoptBoot(const ProcessBlock& block);

// Unmaps and deletes a block that has no users. With the library lock held.
void UnmapBlock(ProcessBlock* block);

// For the calling thread: the slot of this process that was idle last, with the owner that it had, which costs no system
// call; or the lowest free one, its lock set and its owner written, about 0.3 µs for each slot that others hold. Nothing if
// every slot is taken or the file cannot be opened any more. With the library lock held.
[[gnu::hot]] std::optional<Claim> ClaimSlot(ProcessBlock& block);

// The thread has ended: its slot becomes idle, or free if there are kIdleSlotsMax. With the library lock held.
[[gnu::hot]] void ReturnSlot(ProcessBlock& block, const Claim& claim);

// Gives every slot back: clears what only a living owner means, unlocks. With the library lock held.
void ReleaseAllSlots(ProcessBlock& block);

// Publishes block.says in the slots that this process holds, of which it claims one if there is none and
// anything to be said. False if none is free. With the library lock held.
bool PublishSays(ProcessBlock& block);

// A connection's trace is replaced now, or is regained. Any thread.
void NoteTraceLost(const ProcessBlock& block);

// A connection is refused now, or ends to be. Any thread.
void NoteRefusal(const ProcessBlock& block, Refusal reason, bool is_new);

// Closes the descriptor and with it every slot of this process, unless it is no longer ours (an application
// that closes all descriptors it doesn't know, and has reused the number). With the library lock held.
void CloseDescriptor(ProcessBlock& block);

// --- The open-file-description locks by which slots are held (process_block.h says why these).

// True if this descriptor now holds the slot. False if another one does, or if the system refuses.
// Async-signal-safe, never waits.
bool LockSlot(int fd, std::uint32_t index);

void UnlockSlot(int fd, std::uint32_t index);

// True if any other descriptor holds the slot; `fd` may be read-only.
bool IsSlotLocked(int fd, std::uint32_t index);

}  // namespace outgrown::block
