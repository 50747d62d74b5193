#include "counterblock/registry.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <mutex>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "counterblock/block_file.h"
#include "counterblock/header.h"

namespace outgrown::block {

namespace {

// At least 1; nothing if $OUTGROWN_STORES_MAX is not set, or no such number.
std::optional<std::uint64_t> AskedStoresMax() {
  // A text that is no number is ignored: a library must not end an application for its environment.
  const char* const asked = ::secure_getenv("OUTGROWN_STORES_MAX");
  if (asked == nullptr) return std::nullopt;
  const std::string_view text(asked);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

std::uint64_t DescriptorsMax() {
  struct rlimit files = {};
  // The soft limit, which is the one that open(2) obeys. Asked each time, since a process may change it.
  return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : RLIM_INFINITY;
}

}  // namespace

std::uint64_t StoresMax() {
  return AskedStoresMax().value_or(std::clamp<std::uint64_t>(DescriptorsMax() / 8, 1, kOpenBlocksMax));
}

Result<void> CheckDescriptorRoom(std::uint64_t open_blocks, const std::string& path) {
  const std::uint64_t blocks_max = StoresMax();
  if (open_blocks >= blocks_max) {
    return Error{"this process counts into " + std::to_string(open_blocks) +
                     " stores already, and may into " + std::to_string(blocks_max) +
                     " (OUTGROWN_STORES_MAX can say more)",
                 path};
  }
  const std::uint64_t limit = DescriptorsMax();
  // The kernel gives the lowest free number, so at least as many are in use.
  const Descriptor lowest_free(::open("/", O_PATH | O_CLOEXEC));
  if (lowest_free.get() >= 0 && static_cast<std::uint64_t>(lowest_free.get()) < limit / 2) return {};
  return Error{"half of the descriptors that this process may open are in use (RLIMIT_NOFILE is " +
                   std::to_string(limit) + "), and the rest is the application's",
               path};
}

std::uint32_t SlotCountOfNext(const MadeBlocks& made) {
  return made.count < StoresMax() ? kSlotCountDefault : kSlotCountSmall;
}

Result<void> CheckMemoryRoom(const MadeBlocks& made, std::uint64_t file_bytes, const std::string& directory,
                             const std::string& path) {
  const std::uint64_t stores_max = StoresMax();
  // The usual process makes a few blocks and meets none of these limits.
  if (made.count < stores_max) return {};
  if (file_bytes >
      stores_max * kMadeBytesPerStoreMax - std::min(made.bytes, stores_max * kMadeBytesPerStoreMax)) {
    return Error{"this process has made " + std::to_string(made.count) + " counter blocks of " +
                     std::to_string(made.bytes >> 20U) + " MiB already, and may make " +
                     std::to_string(stores_max * kMadeBytesPerStoreMax >> 20U) +
                     " MiB (OUTGROWN_STORES_MAX can say more)",
                 path};
  }
  struct statvfs status = {};
  // f_blocks is 0: a file system without a limit, or one that doesn't report it.
  if (::statvfs(directory.c_str(), &status) != 0 || status.f_blocks == 0) return {};
  // f_bavail rather than f_bfree: what is reserved for root is not for an application.
  const std::uint64_t total_bytes = std::uint64_t{status.f_blocks} * status.f_frsize;
  const std::uint64_t free_bytes = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (free_bytes >= file_bytes + std::min(total_bytes / 4, kFreeBytesMin)) return {};
  return Error{"this process has made " + std::to_string(made.count) +
                   " counter blocks already, and the file system is getting full",
               path};
}

namespace {

// Constant-initialised and never destroyed, so that they work before main and after it.
constinit std::mutex library_mutex;
constinit ProcessBlock* first_block = nullptr;  // guarded by library_mutex
constinit std::uint64_t last_id = 0;            // guarded by library_mutex
constinit std::uint64_t last_close = 0;         // guarded by library_mutex
constinit MadeBlocks made;                      // guarded by library_mutex

// initial-exec: reached by a fixed offset, so that a signal handler may read it (a dynamic one may call
// malloc).
[[gnu::tls_model("initial-exec")]] constinit thread_local std::atomic<bool> lock_in_progress = false;

// The flag is set before the lock is taken and cleared after it is given back, and the fences keep the
// compiler from moving it: a signal handler that sees it cleared may wait for the lock, because its own
// thread doesn't hold it.
[[gnu::hot]] void LockLibrary() {
  lock_in_progress.store(true, std::memory_order_relaxed);
  std::atomic_signal_fence(std::memory_order_seq_cst);
  library_mutex.lock();
}

[[gnu::hot]] void UnlockLibrary() {
  library_mutex.unlock();
  std::atomic_signal_fence(std::memory_order_seq_cst);
  lock_in_progress.store(false, std::memory_order_relaxed);
}

// fork() must not happen while another thread holds the mutex: the child has no such thread to release it.
void BeforeFork() { LockLibrary(); }
void AfterForkInParent() { UnlockLibrary(); }

// The child shares the parent's open file descriptions. Closing is all it may do with them: to unlock would
// free the parent's slots. It opens its own when it first writes; most children never do. Only
// async-signal-safe calls here.
void AfterForkInChild() {
  for (ProcessBlock* block = first_block; block != nullptr; block = block->next) {
    CloseDescriptor(*block);
    // The connections that lost their traces are the parent's to report. The file is kept, since the child
    // has inherited the same open database.
    block->says.traces_lost = 0;
    block->says.refused = {};
    // A new number, so that no thread of the child uses a slot that was found under the parent's.
    if (block->users > 0) block->id.store(++last_id, std::memory_order_relaxed);
  }
  UnlockLibrary();
}

// Once in a process, with the first block: a program that loads the library and counts nothing has no
// handler. With the library lock held.
Result<void> RegisterForkHandlers(const std::string& path) {
  static constinit bool are_registered = false;
  if (are_registered) return {};
  const int failed = ::pthread_atfork(BeforeFork, AfterForkInParent, AfterForkInChild);
  if (failed != 0) return Error{"cannot register for fork: " + std::generic_category().message(failed), path};
  are_registered = true;
  return {};
}

ProcessBlock* FindFile(dev_t device, ino_t inode) {
  ProcessBlock* block = first_block;
  while (block != nullptr && (block->device != device || block->inode != inode)) block = block->next;
  return block;
}

std::uint64_t CountOpenBlocks() {
  std::uint64_t open_blocks = 0;
  // Linear; a process has at most kOpenBlocksMax open blocks unless it asks for more, and this is no fast
  // path.
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
    Result<std::optional<OpenedFile>> opened = OpenBlockFile(directory, file_name, Access::kReadWrite);
    if (!opened) return opened.error();
    if (opened->has_value()) return std::move((**opened).fd);
    const std::uint32_t slot_count = slot_count_if_created.value_or(SlotCountOfNext(made));
    const std::uint64_t file_bytes = FileBytes(slot_count);
    if (Result<void> room = CheckMemoryRoom(made, file_bytes, directory, path); !room) return room.error();
    Result<bool> created = CreateBlockFile(directory, file_name, slot_count, database_if_created);
    if (!created) return created.error();
    // Opened in the next round, as a block that somebody else made: the same checks for both.
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
  const std::string path = directory + "/" + file_name;
  // A child that doesn't know of its fork would write into its parent's slots.
  if (Result<void> registered = RegisterForkHandlers(path); !registered) return registered.error();
  if (Result<void> room = CheckRoom(directory, file_name); !room) return room.error();
  // Opened and checked even if this process has the block already: the file at the path may have been
  // truncated, or got holes, meanwhile, and a record would die of SIGBUS.
  Result<Descriptor> fd = OpenOrCreate(directory, file_name, slot_count_if_created, database_if_created);
  if (!fd) return fd.error();
  const Result<CheckedFile> checked = CheckFile(fd->get(), path);
  if (!checked) return checked.error();
  // By inode, not by path: a store's folder may be reached through two paths, and two mappings of one block
  // would hold each other's slots.
  ProcessBlock* block = FindFile(checked->device, checked->inode);
  if (block == nullptr) {
    Result<ProcessBlock*> mapped = MapBlock(directory, file_name, fd->get(), *checked);
    if (!mapped) return mapped.error();
    block = *mapped;
    block->next = first_block;
    first_block = block;
  } else if (block->slot_count != checked->header.slot_count) {
    // The file at this inode has changed under our mapping, which only covers the old size.
    return Error{"slot_count is " + std::to_string(checked->header.slot_count) + ", expected " +
                     std::to_string(block->slot_count) + " as when this process opened it before",
                 path};
  }
  AdoptBoot(*block);
  // Numbers are never used twice, so a thread's old note of the block can't match the reopened one.
  if (block->users++ == 0) block->id.store(++last_id, std::memory_order_relaxed);
  return block;
}

void DropBlock(ProcessBlock& block) {
  const LibraryLock lock;
  if (--block.users > 0) return;
  // First: a record that races with the close then finds no block. Relaxed, because closing while another
  // thread records is the caller's mistake (writer.h), and no order could correct it.
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
