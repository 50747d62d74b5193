#include "counterblock/registry.h"

#include <pthread.h>

#include <atomic>
#include <mutex>
#include <utility>

#include "counterblock/block_file.h"
#include "counterblock/descriptor_room.h"
#include "counterblock/header.h"
#include "counterblock/memory_room.h"

namespace outgrown::block {
namespace {

// Constant-initialised and never destroyed, so that they work before main and after it.
constinit std::mutex library_mutex;
constinit ProcessBlock* first_block = nullptr;  // guarded by library_mutex
constinit std::uint64_t last_id = 0;            // guarded by library_mutex
constinit std::uint64_t last_close = 0;         // guarded by library_mutex
constinit MadeBlocks made;                      // guarded by library_mutex

// initial-exec: reached by a fixed offset, so that a signal handler may read it (a dynamic one may call malloc).
[[gnu::tls_model("initial-exec")]] constinit thread_local std::atomic<bool> lock_in_progress = false;

void LockLibrary() {
  lock_in_progress.store(true, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  library_mutex.lock();
}

void UnlockLibrary() {
  library_mutex.unlock();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  lock_in_progress.store(false, std::memory_order_relaxed);
}

// fork() must not happen while another thread holds the mutex: nobody would ever give it back in the child.
void BeforeFork() { LockLibrary(); }
void AfterForkInParent() { UnlockLibrary(); }

// The child shares the parent's open file descriptions. Closing is all it may do with them: to unlock would
// free the parent's slots. It opens its own when it first writes; most children never do. Only
// async-signal-safe calls here.
void AfterForkInChild() {
  for (ProcessBlock* block = first_block; block != nullptr; block = block->next) {
    CloseDescriptor(*block);
    block->says.traces_lost = 0;
    block->says.refused = {};
    if (block->users > 0) block->id.store(++last_id, std::memory_order_relaxed);
  }
  UnlockLibrary();
}

void RegisterForkHandlers() {
  static const int registered = ::pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild);
  static_cast<void>(registered);
}

ProcessBlock* FindFile(dev_t device, ino_t inode) {
  ProcessBlock* block = first_block;
  while (block != nullptr && (block->device != device || block->inode != inode)) block = block->next;
  return block;
}

std::uint64_t CountOpenBlocks() {
  std::uint64_t open_blocks = 0;
  for (const ProcessBlock* block = first_block; block != nullptr; block = block->next)
    open_blocks += block->users > 0 ? 1 : 0;
  return open_blocks;
}

// A store that is counted already takes no descriptor more.
Result<void> CheckRoom(const std::string& directory, const std::string& file_name) {
  for (const ProcessBlock* block = first_block; block != nullptr; block = block->next) {
    if (block->users > 0 && block->place->file_name == file_name && block->place->directory == directory)
      return {};
  }
  return CheckDescriptorRoom(CountOpenBlocks(), directory + "/" + file_name);
}

// Opens it to read and write, or creates it first, whichever of several processes is the one to do so.
Result<Descriptor> OpenOrCreate(const std::string& directory, const std::string& file_name,
                                std::optional<std::uint32_t> slot_count_if_created,
                                std::string_view database_if_created) {
  const std::string path = directory + "/" + file_name;
  // Again, since between looking and creating another process may have created it, and been removed again.
  for (int attempt = 0; attempt < 3; ++attempt) {
    Result<std::optional<Descriptor>> opened = OpenBlockFile(directory, file_name, Access::kReadWrite);
    if (!opened) return opened.error();
    if (opened->has_value()) return std::move(**opened);
    const std::uint32_t slot_count = slot_count_if_created.value_or(SlotCountOfNext(made));
    const std::uint64_t file_bytes = FileBytes(slot_count);
    if (Result<void> room = CheckMemoryRoom(made, file_bytes, directory, path); !room) return room.error();
    Result<bool> created = CreateBlockFile(directory, file_name, slot_count, database_if_created);
    if (!created) return created.error();
    if (*created) made = {made.count + 1, made.bytes + file_bytes};
  }
  return Error{"the counter block appears and disappears", path};
}

// Unmaps the block that was closed the longest ago, if there are more than kClosedBlocksMax.
void ForgetOldest() {
  std::uint32_t closed = 0;
  ProcessBlock** oldest = nullptr;
  for (ProcessBlock** link = &first_block; *link != nullptr; link = &(*link)->next) {
    if ((*link)->users > 0) continue;
    ++closed;
    if (oldest == nullptr || (*link)->closed < (*oldest)->closed) oldest = link;
  }
  if (closed <= kClosedBlocksMax) return;
  ProcessBlock* const block = *oldest;
  *oldest = block->next;
  UnmapBlock(block);
}

}  // namespace

LibraryLock::LibraryLock() { LockLibrary(); }
LibraryLock::~LibraryLock() { UnlockLibrary(); }
bool LibraryLock::InProgress() { return lock_in_progress.load(std::memory_order_relaxed); }

Result<ProcessBlock*> AcquireBlock(const std::string& directory, const std::string& file_name,
                                   std::optional<std::uint32_t> slot_count_if_created,
                                   std::string_view database_if_created) {
  const LibraryLock lock;
  RegisterForkHandlers();
  if (Result<void> room = CheckRoom(directory, file_name); !room) return room.error();
  // Opened and checked even if this process has the block already: what stands at the path now may have been cut off,
  // or got holes, meanwhile, and a record would die of SIGBUS.
  const std::string path = directory + "/" + file_name;
  Result<Descriptor> fd = OpenOrCreate(directory, file_name, slot_count_if_created, database_if_created);
  if (!fd) return fd.error();
  const Result<CheckedFile> checked = CheckFile(fd->get(), path);
  if (!checked) return checked.error();
  ProcessBlock* block = FindFile(checked->device, checked->inode);
  if (block == nullptr) {
    Result<ProcessBlock*> mapped = MapBlock(directory, file_name, fd->get(), *checked);
    if (!mapped) return mapped.error();
    block = *mapped;
    block->next = first_block;
    first_block = block;
  } else if (block->slot_count != checked->header.slot_count) {
    return Error{"slot_count is " + std::to_string(checked->header.slot_count) + ", expected " +
                     std::to_string(block->slot_count) + " as when this process opened it before",
                 path};
  }
  AdoptBoot(*block);
  if (block->users++ == 0) block->id.store(++last_id, std::memory_order_relaxed);
  return block;
}

void DropBlock(ProcessBlock& block) {
  const LibraryLock lock;
  if (--block.users > 0) return;
  block.id.store(0, std::memory_order_relaxed);
  ReleaseAllSlots(block);
  block.says = {};
  delete std::exchange(block.awaited_path, nullptr);
  CloseDescriptor(block);
  block.closed = ++last_close;
  ForgetOldest();
}

bool HasDescriptorRoom() {
  const LibraryLock lock;
  return CheckDescriptorRoom(CountOpenBlocks(), "").ok();
}

ProcessBlock* FindBlock(std::uint64_t id) {
  ProcessBlock* block = first_block;
  while (block != nullptr && (block->id.load(std::memory_order_relaxed) != id || id == 0))
    block = block->next;
  return block;
}

}  // namespace outgrown::block
