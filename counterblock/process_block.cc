#include "counterblock/process_block.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <new>
#include <system_error>
#include <utility>
#include <vector>

#include "counterblock/block_file.h"
#include "counterblock/cells.h"
#include "counterblock/slot_lock.h"

namespace outgrown::block {
namespace {

// A new owner's mark: the pid, and a number that no other claim on this host is likely to have.
std::uint64_t MakeOwner() {
  static std::atomic<std::uint32_t> claims = 0;
  struct timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto differs =
      static_cast<std::uint32_t>(now.tv_nsec) * 2654435761U + claims.fetch_add(1, std::memory_order_relaxed);
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
  Result<std::optional<Descriptor>> opened =
      OpenBlockFile(block.place->directory, block.place->file_name, Access::kReadWrite);
  if (!opened || !opened->has_value() || !IsStillOurs(block, (*opened)->get())) return false;
  block.fd = (*opened)->Release();
  return true;
}

// Raises the high-water mark over the slot, before its first record, so that readers miss none. They expect a
// tag in every slot below the mark, and the owner of a lower slot may not have come to writing it: so all are
// written here, which whoever does it does alike.
void RaiseSlotsUsed(ProcessBlock& block, std::uint32_t index) {
  std::atomic_ref<std::uint64_t> mark(block.header->slots_used);
  std::uint64_t old = mark.load(std::memory_order_relaxed);
  for (auto used = static_cast<std::uint32_t>(old); used <= index; ++used) {
    StoreCell(block.slots[used].tag, SlotTag(used));
  }
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

}  // namespace

constinit ProcessBlock off_block;

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
  delete block;
}

std::optional<Claim> ClaimSlot(ProcessBlock& block) {
  if (!IsStillOurs(block, block.fd)) {
    block.fd = -1;
    // The locks went with the descriptor: nothing is held any more, and each thread notices by its owner mark.
    block.taken.fill(false);
    if (!OpenLockDescriptor(block)) return std::nullopt;
  }
  for (std::uint32_t index = 0; index < block.slot_count; ++index) {
    if (block.taken[index] || !LockSlot(block.fd, index)) continue;
    block.taken[index] = true;
    Slot& slot = block.slots[index];
    RaiseSlotsUsed(block, index);
    const Claim claim{index, MakeOwner()};
    StoreCell(slot.in_flight_start_ns, 0);  // a killed owner's
    EndTracesLost(block, slot);
    StoreCell(slot.owner, claim.owner);
    return claim;
  }
  return std::nullopt;
}

void ReleaseSlot(ProcessBlock& block, const Claim& claim) {
  Slot& slot = block.slots[claim.index];
  if (LoadCell(slot.owner) != claim.owner) return;  // lost with its lock, and somebody else's by now
  StoreCell(slot.in_flight_start_ns, 0);
  EndTracesLost(block, slot);
  StoreCell(slot.owner, 0);
  if (IsStillOurs(block, block.fd)) UnlockSlot(block.fd, claim.index);
  block.taken[claim.index] = false;
}

void NoteTraceLost(const ProcessBlock& block) {
  struct timespec now = {};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  RaiseShared(block.header->last_trace_lost_ns, static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U +
                                                    static_cast<std::uint64_t>(now.tv_nsec));
}

void CloseDescriptor(ProcessBlock& block) {
  if (IsStillOurs(block, block.fd)) ::close(block.fd);
  block.fd = -1;
  block.taken.fill(false);
}

}  // namespace outgrown::block
