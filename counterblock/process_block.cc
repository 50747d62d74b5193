#include "counterblock/process_block.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include "counterblock/block_file.h"
#include "counterblock/cells.h"
#include "counterblock/header.h"
#include "counterblock/layout.h"

namespace outgrown::block {

namespace {

struct flock SlotRange(short type, std::uint32_t index) {
  struct flock range = {};  // l_pid must be 0 for an OFD lock
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = static_cast<off_t>(SlotOffset(index));
  range.l_len = 1;
  return range;
}

}  // namespace

bool LockSlot(int fd, std::uint32_t index) {
  const struct flock range = SlotRange(F_WRLCK, index);
  // Not F_OFD_SETLKW: a slot that is taken is never waited for.
  return ::fcntl(fd, F_OFD_SETLK, &range) == 0;
}

void UnlockSlot(int fd, std::uint32_t index) {
  const struct flock range = SlotRange(F_UNLCK, index);
  ::fcntl(fd, F_OFD_SETLK, &range);
}

bool IsSlotLocked(int fd, std::uint32_t index) {
  // A write lock is asked about, since it conflicts with every other lock. The kernel answers with the first
  // conflicting one, or F_UNLCK; for OFD locks l_pid is -1 (man 2 fcntl), so the pid is in the slot.
  struct flock range = SlotRange(F_WRLCK, index);
  return ::fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
}

namespace {

// A new owner's mark: the pid, and a number that no other claim on this host is likely to have.
std::uint64_t MakeOwner() {
  // Relaxed: only the number's being different matters. 2654435761 is Knuth's multiplicative hash, which
  // spreads neighbouring nanoseconds over the upper bits; the counter keeps two claims of one nanosecond
  // apart.
  static std::atomic<std::uint32_t> claims = 0;
  const auto differs = static_cast<std::uint32_t>(NowNs() % 1'000'000'000U) * 2654435761U +
                       claims.fetch_add(1, std::memory_order_relaxed);
  return (static_cast<std::uint64_t>(::getpid()) << 32U) | (differs | 1U);  // never 0
}

// True if the descriptor is still the block's: an application may close descriptors that it doesn't know.
bool IsStillOurs(const ProcessBlock& block, int fd) {
  struct stat status = {};
  return fd >= 0 && ::fstat(fd, &status) == 0 && status.st_dev == block.device &&
         status.st_ino == block.inode;
}

// Opens the descriptor that carries the locks: at first, after a fork, or after the application closed ours.
// If the path now leads to another file, or nowhere, there is none: then records go to the overflow slot,
// which needs no lock. It is never the description that the mapping was made of: a child inherits the
// mapping, which would keep that description and its parent's locks alive after the parent's death.
bool OpenLockDescriptor(ProcessBlock& block) {
  Result<std::optional<OpenedFile>> opened =
      OpenBlockFile(block.place->directory, block.place->file_name, Access::kReadWrite);
  if (!opened || !opened->has_value() || !IsStillOurs(block, (*opened)->fd.get())) return false;
  block.fd = (*opened)->fd.Release();
  return true;
}

// Raises the high-water mark over the slot, before its first record, so that readers miss none. They expect a
// tag in every slot below the mark, and the owner of a lower slot may not have written its own yet: so all
// are written here; every process writes the same values.
void RaiseSlotsUsed(ProcessBlock& block, std::uint32_t index) {
  std::atomic_ref<std::uint64_t> mark(block.header->slots_used);
  std::uint64_t old = mark.load(std::memory_order_relaxed);
  for (auto used = static_cast<std::uint32_t>(old); used <= index; ++used) {
    StoreCell(block.slots[used].tag, SlotTag(used));
  }
  // Release: the tags are there before the mark that makes readers look for them. Only upwards, whoever is
  // faster.
  while (static_cast<std::uint32_t>(old) <= index &&
         !mark.compare_exchange_weak(old, PackSlotsUsed(index + 1), std::memory_order_release,
                                     std::memory_order_relaxed)) {
  }
}

Result<CheckedHeader> ReadHeader(int fd, std::uint64_t size_bytes, const std::string& path) {
  std::vector<std::byte> bytes(kHeaderBytes);
  const ssize_t count = ::pread(fd, bytes.data(), bytes.size(), 0);
  if (count < 0) return Error{"cannot read: " + std::generic_category().message(errno), path};
  bytes.resize(static_cast<std::size_t>(count));
  Result<CheckedHeader> header = CheckHeader(bytes);
  if (!header) return Error{header.error().what, path};
  // A mapping beyond the file's end would raise SIGBUS at the first store.
  if (header->file_bytes != size_bytes) {
    return Error{"the file has " + std::to_string(size_bytes) + " bytes, its header says " +
                     std::to_string(header->file_bytes),
                 path};
  }
  return header;
}

// A holder's lost traces end with its hold, however it ended.
void EndTracesLost(const ProcessBlock& block, Slot& slot) {
  if (LoadCell(slot.traces_lost) == 0) return;
  NoteTraceLost(block);
  StoreCell(slot.traces_lost, 0);
}

// What the process says, in one of its slots. A reader that sees half of it sees a wrong check.
void WriteSays(const ProcessBlock& block, std::uint32_t index) {
  Slot& slot = block.slots[index];
  const bool is_process_slot = index == block.process_slot;
  Slot said = {};
  said.owner = LoadCell(slot.owner);
  said.boot = BootId();
  said.file_device = block.says.file.device;
  said.file_inode = block.says.file.inode;
  said.files_open = block.says.files_open;
  for (std::uint32_t i = 0; i < kRefusalCount; ++i)
    said.refused[i] = is_process_slot ? block.says.refused[i] : 0;
  // 0 is never a right check, so a reader in between finds nothing said. These stores are relaxed, so a
  // reader may see them in another order; a mixture of old and new has, but for a collision of 64 bits, a
  // wrong check.
  StoreCell(slot.check, 0);
  StoreCell(slot.boot, said.boot);
  StoreCell(slot.file_device, said.file_device);
  StoreCell(slot.file_inode, said.file_inode);
  StoreCell(slot.files_open, said.files_open);
  for (std::uint32_t i = 0; i < kRefusalCount; ++i) StoreCell(slot.refused[i], said.refused[i]);
  StoreCell(slot.traces_lost, is_process_slot ? block.says.traces_lost : 0);
  StoreCell(slot.check, ProcessSaysCheck(said));
}

void ForgetHeld(ProcessBlock& block) {
  block.held.fill(false);
  block.idle_count = 0;
  block.process_slot.reset();
}

// The descriptor that carries the locks. If the application has closed it the locks went with it: it is opened again, and
// slots are held again that nobody has claimed meanwhile. Of the others each thread notices by its owner mark.
bool EnsureLockDescriptor(ProcessBlock& block) {
  if (IsStillOurs(block, block.fd)) return true;
  block.fd = -1;
  const bool is_open = OpenLockDescriptor(block);
  const auto pid = static_cast<std::uint64_t>(::getpid());
  for (std::uint32_t index = 0; index < block.slot_count; ++index) {
    if (!block.held[index]) continue;
    block.held[index] = is_open && LockSlot(block.fd, index);
    // Given back by who had claimed it.
    if (block.held[index] && LoadCell(block.slots[index].owner) >> 32U != pid) {
      UnlockSlot(block.fd, index);
      block.held[index] = false;
    }
  }
  const auto is_lost = [&block](const Claim& claim) { return !block.held[claim.index]; };
  auto* const idle = block.idle.begin();
  block.idle_count =
      static_cast<std::uint32_t>(std::remove_if(idle, idle + block.idle_count, is_lost) - idle);
  if (block.process_slot && !block.held[*block.process_slot]) block.process_slot.reset();
  return is_open;
}

// A time of another boot, which the next owner must not be taken to have written at.
void ForgetOtherBoot(Slot& slot) {
  const std::uint64_t boot = LoadCell(slot.boot);
  const bool is_other = boot != 0 && BootId() != 0 && boot != BootId();
  if (is_other || LoadCell(slot.last_write_ns) > NowNs()) StoreCell(slot.last_write_ns, 0);
}

// Takes a free slot.
bool LockFreeSlot(ProcessBlock& block, std::uint32_t index) {
  if (block.held[index] || !LockSlot(block.fd, index)) return false;
  Slot& slot = block.slots[index];
  // Before the slot's first record, and after the lock: no reader expects a tag in a slot that nobody has
  // claimed.
  RaiseSlotsUsed(block, index);
  EndTracesLost(block, slot);
  ForgetOtherBoot(slot);
  // Its holder was killed in a write, as a supervisor kills a worker that waits for the lock too long: that write failed.
  if (LoadCell(slot.in_flight_start_ns) != 0)
    AddOwned(slot.writes[static_cast<std::size_t>(Outcome::kOther)], 1);
  return true;
}

Claim TakeSlot(ProcessBlock& block, std::uint32_t index) {
  block.held[index] = true;
  Slot& slot = block.slots[index];
  const Claim claim{index, MakeOwner()};
  // Counters are left as they are: the slot's next owner adds to them, so no restart is a counter's reset.
  StoreCell(slot.in_flight_start_ns, 0);  // a killed owner's
  StoreCell(slot.lock_held_since_ns, 0);
  StoreCell(slot.owner, claim.owner);
  WriteSays(block, index);
  return claim;
}

// Gives a slot back: clears what only a living owner means, unlocks.
void ReleaseSlot(ProcessBlock& block, std::uint32_t index) {
  Slot& slot = block.slots[index];
  StoreCell(slot.in_flight_start_ns, 0);
  StoreCell(slot.lock_held_since_ns, 0);
  EndTracesLost(block, slot);
  // Before the unlock: the next owner may write its mark as soon as the lock is free.
  StoreCell(slot.owner, 0);
  if (IsStillOurs(block, block.fd)) UnlockSlot(block.fd, index);
  block.held[index] = false;
}

// Nothing if there is none, or if it was lost: its lock went with a descriptor that the application has closed, and
// another process has claimed it.
std::optional<Claim> TakeIdleSlot(ProcessBlock& block) {
  if (block.idle_count == 0) return std::nullopt;
  const Claim claim = block.idle[--block.idle_count];
  if (LoadCell(block.slots[claim.index].owner) == claim.owner) return claim;
  block.held[claim.index] = false;
  if (block.process_slot == claim.index) block.process_slot.reset();
  return std::nullopt;
}

}  // namespace

constinit ProcessBlock off_block;

std::optional<FileId> FileAt(const char* path) noexcept {
  struct stat status = {};
  if (::stat(path, &status) != 0) return std::nullopt;
  return FileId{status.st_dev, status.st_ino};
}

void AdoptBoot(const ProcessBlock& block) {
  const std::uint64_t boot = BootId();
  if (boot == 0) return;
  std::array<std::uint64_t*, 2 + kRefusalCount> times = {&block.header->last_trace_lost_ns,
                                                         &block.slots[block.slot_count].last_write_ns};
  for (std::uint32_t i = 0; i < kRefusalCount; ++i) times[2 + i] = &block.header->refusals[i].last_ns;
  // All times are read before the boot they are of (acquire), the new boot is stored after they are cleared
  // (release), and a new time after that (release, RaiseShared): a time that another process writes meanwhile
  // is not the old value, so ReplaceCell leaves it, and one that is read here already comes with its boot.
  std::array<std::uint64_t, 2 + kRefusalCount> old;
  for (std::size_t i = 0; i < times.size(); ++i)
    old[i] = std::atomic_ref(*times[i]).load(std::memory_order_acquire);
  std::atomic_ref times_boot(block.header->times_boot);
  const std::uint64_t old_boot = times_boot.load(std::memory_order_acquire);
  const bool is_other = old_boot != 0 && old_boot != boot;
  const std::uint64_t now_ns = NowNs();
  for (std::size_t i = 0; i < times.size(); ++i) {
    // A time in the future is of another boot, whatever the block says: CLOCK_MONOTONIC begins anew with each
    // boot.
    if (is_other || old[i] > now_ns) ReplaceCell(*times[i], old[i], 0);
  }
  if (old_boot != boot) times_boot.store(boot, std::memory_order_release);
}

bool ProcessSays::is_nothing() const {
  return !file.is_known() && traces_lost == 0 &&
         std::ranges::all_of(refused, [](std::uint64_t count) { return count == 0; });
}

Result<CheckedFile> CheckFile(int fd, const std::string& path) {
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return Error{"cannot stat: " + std::generic_category().message(errno), path};
  Result<CheckedHeader> header = ReadHeader(fd, static_cast<std::uint64_t>(status.st_size), path);
  if (!header) return header.error();
  if (Result<void> filled = FillHoles(fd, header->file_bytes); !filled)
    return Error{filled.error().what, path};
  return CheckedFile{status.st_dev, status.st_ino, std::move(*header)};
}

Result<ProcessBlock*> MapBlock(const std::string& directory, const std::string& file_name, int fd,
                               const CheckedFile& checked) {
  const std::string path = directory + "/" + file_name;
  const CheckedHeader& header = checked.header;
  auto place = std::make_unique<const BlockPlace>(BlockPlace{directory, file_name, header.database});
  auto block = std::make_unique<ProcessBlock>();
  block->place = place.get();
  block->device = checked.device;
  block->inode = checked.inode;
  block->slot_count = header.slot_count;
  if (!OpenLockDescriptor(*block)) return Error{"cannot open a second time, or was replaced meanwhile", path};
  void* mapping = ::mmap(nullptr, header.file_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (mapping == MAP_FAILED) {
    const int failed = errno;
    CloseDescriptor(*block);
    return Error{"cannot map: " + std::generic_category().message(failed), path};
  }
  block->header = static_cast<Header*>(mapping);
  block->slots = reinterpret_cast<Slot*>(static_cast<std::byte*>(mapping) + kHeaderBytes);
  static_cast<void>(place.release());  // the block's
  return block.release();
}

void UnmapBlock(ProcessBlock* block) {
  ::munmap(block->header, FileBytes(block->slot_count));
  delete block->place;
  delete block->awaited_path;
  delete block;
}

std::optional<Claim> ClaimSlot(ProcessBlock& block) {
  // SQLite creates the database's file at its first write, so it is looked for again when a thread is about
  // to record.
  if (block.awaited_path != nullptr && !block.says.file.is_known()) {
    block.says.file = FileAt(block.awaited_path->c_str()).value_or(FileId{});
    if (block.says.file.is_known()) PublishSays(block);
  }
  constexpr std::uint64_t kSecondNs = 1'000'000'000;
  const std::uint64_t now_ns = CoarseNowNs();
  const auto ensure_descriptor = [&] {
    block.descriptor_checked_ns = now_ns;
    return EnsureLockDescriptor(block);
  };
  // Before an idle slot is taken seldom, since it costs a system call.
  if (now_ns - block.descriptor_checked_ns >= kSecondNs && !ensure_descriptor()) return std::nullopt;
  if (const std::optional<Claim> idle = TakeIdleSlot(block)) return idle;
  if (!ensure_descriptor()) return std::nullopt;
  for (std::uint32_t index = 0; index < block.slot_count; ++index) {
    if (LockFreeSlot(block, index)) return TakeSlot(block, index);
  }
  return std::nullopt;
}

void ReturnSlot(ProcessBlock& block, const Claim& claim) {
  Slot& slot = block.slots[claim.index];
  // Lost with its lock; another owner's by now, or nobody's.
  if (LoadCell(slot.owner) != claim.owner || !block.held[claim.index]) return;
  StoreCell(slot.in_flight_start_ns, 0);
  StoreCell(slot.lock_held_since_ns, 0);
  if (claim.index != block.process_slot && block.idle_count >= kIdleSlotsMax) {
    ReleaseSlot(block, claim.index);
  } else {
    block.idle[block.idle_count++] = claim;
  }
}

void ReleaseAllSlots(ProcessBlock& block) {
  for (std::uint32_t index = 0; index < block.slot_count; ++index) {
    if (block.held[index]) ReleaseSlot(block, index);
  }
  block.idle_count = 0;
  block.process_slot.reset();
}

bool PublishSays(ProcessBlock& block) {
  if (!EnsureLockDescriptor(block)) return false;
  // Something to be said needs a slot, also in a process that has not recorded anything yet: refused
  // connections never record.
  if (!block.process_slot && !block.says.is_nothing()) {
    const auto* const held = std::ranges::find(block.held, true);
    if (held != block.held.end()) block.process_slot = static_cast<std::uint32_t>(held - block.held.begin());
    for (std::uint32_t index = 0; !block.process_slot && index < block.slot_count; ++index) {
      if (!LockFreeSlot(block, index)) continue;
      block.process_slot = index;
      block.idle[block.idle_count++] = TakeSlot(block, index);
    }
  }
  for (std::uint32_t index = 0; index < block.slot_count; ++index) {
    if (block.held[index]) WriteSays(block, index);
  }
  return block.process_slot.has_value();
}

void NoteTraceLost(const ProcessBlock& block) { RaiseShared(block.header->last_trace_lost_ns, NowNs()); }

void NoteRefusal(const ProcessBlock& block, Refusal reason, bool is_new) {
  RefusalRow& row = block.header->refusals[static_cast<std::uint32_t>(reason)];
  if (is_new) AddShared(row.count, 1);
  // The cells of a row may be of different refusals (layout.h): a reader needs the count, and shows time and
  // pid as hints.
  if (is_new) StoreCell(row.pid, static_cast<std::uint64_t>(::getpid()));
  RaiseShared(row.last_ns, NowNs());
}

void CloseDescriptor(ProcessBlock& block) {
  // close() of an open file description's last descriptor drops its locks; in a forked child the parent's
  // descriptor keeps them.
  if (IsStillOurs(block, block.fd)) ::close(block.fd);
  block.fd = -1;
  ForgetHeld(block);
}

}  // namespace outgrown::block
