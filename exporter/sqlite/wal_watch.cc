#include "exporter/sqlite/wal_watch.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <system_error>
#include <utility>

#include "exporter/sqlite/probe_file.h"
#include "exporter/sqlite/watch_system.h"

namespace outgrown::exporter::sqlite {
namespace {

constexpr std::chrono::milliseconds kBusyTimeout(300);  // well below a store's deadline (scrape.cc)
// A connection's beginning and its end make several events each, and each wake-up takes some 13 us of the application's time on a
// virtual machine: those that follow the first are left to gather. Of lives that two processes begin without syncs, some 4,000 a
// second, 1 to 2 of 100 are missed for it, and reported.
constexpr std::chrono::microseconds kGather(100);
constexpr std::chrono::minutes kForgottenAfter(10);
constexpr std::chrono::minutes kSweepEvery(1);

// No IN_MODIFY of the folder: it would come with every page that is written to the log, and wake the thread
// for each commit. IN_ONLYDIR: not a file that has taken the folder's place.
constexpr std::uint32_t kFolderEvents =
    IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR;

constexpr const char* kSuffix = "-shm";  // of a wal-index
constexpr std::size_t kSuffixBytes = 4;  // also of the log's

std::optional<WalLives::Event> EventOf(std::uint32_t mask, std::string_view name) {
  if (name.ends_with("-wal") && (mask & IN_DELETE) != 0) return WalLives::Event::kLogRemoved;
  if (!name.ends_with(kSuffix)) return std::nullopt;
  if ((mask & IN_CREATE) != 0) return WalLives::Event::kCreated;
  if ((mask & IN_MOVED_TO) != 0) return WalLives::Event::kAppeared;
  if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) return WalLives::Event::kRemoved;
  if ((mask & IN_CLOSE_WRITE) != 0) return WalLives::Event::kClosed;
  return std::nullopt;
}

}  // namespace

struct WalWatch::Folder {
  FileIdentity identity;
  std::vector<std::string> paths;  // with a slash at the end; several may lead to one folder
  std::size_t stores = 0;          // that are watched in it
};

struct WalWatch::Store {
  Store(WalWatch& watch, const std::string& path, std::uint64_t since_in)
      : since(since_in),
        lives(
            path + kSuffix, [this, &watch](int descriptor) { return WatchFile(watch, descriptor); },
            [this, &watch](int wd) { EndWatchOfFile(watch, wd); }) {}

  static std::span<const File> FilesOf(const WalWatch& watch, int wd) {
    return {std::ranges::lower_bound(watch.files_, wd, {}, &File::first),
            std::ranges::upper_bound(watch.files_, wd, {}, &File::first)};
  }

  int WatchFile(WalWatch& watch, int descriptor) {
    // By the descriptor and not by the name, which may be another file's by now. One watch for an inode: a
    // second store that leads to the same file gets the same number.
    const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
    const int wd = ::inotify_add_watch(watch.inotify_, path.c_str(), IN_MODIFY);
    if (wd >= 0)
      watch.files_.insert(std::ranges::upper_bound(watch.files_, wd, {}, &File::first), {wd, this});
    return wd;
  }

  void EndWatchOfFile(WalWatch& watch, int wd) {
    const auto mine = std::ranges::find(watch.files_, File(wd, this));
    if (mine != watch.files_.end()) watch.files_.erase(mine);
    if (FilesOf(watch, wd).empty()) ::inotify_rm_watch(watch.inotify_, wd);
  }

  std::string_view path() const { return {lives.shm_path().data(), lives.shm_path().size() - kSuffixBytes}; }

  const std::uint64_t since;
  std::mutex mutex;  // of the lives while the store isn't watched
  WalLives lives;
  int watch = -1;  // of the folder; written with both locks, read with either
  std::vector<WalLives::Happened> happened;
  bool is_touched = false;
  std::chrono::steady_clock::time_point asked;
};

WalWatch::WalWatch() = default;

WalWatch::~WalWatch() {
  if (thread_.joinable()) {
    // An eventfd wakes poll without a race; a flag alone would be seen with the next event only.
    static_cast<void>(::eventfd_write(stop_, 1));
    thread_.join();
  }
  stores_.clear();  // before the descriptor that their watches belong to
  if (inotify_ >= 0) ::close(inotify_);
  if (stop_ >= 0) ::close(stop_);
}

bool WalWatch::Start() {
  if (thread_.joinable()) return true;
  AllowDescriptors();
  // Non-blocking, so that Drain can read to the end. Fails beyond max_user_instances.
  if (inotify_ < 0) inotify_ = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  if (stop_ < 0) stop_ = ::eventfd(0, EFD_CLOEXEC);
  if (inotify_ < 0 || stop_ < 0) return false;
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void WalWatch::Run() {
  AskForPromptness();
  std::array<pollfd, 2> waits = {pollfd{inotify_, POLLIN, 0}, pollfd{stop_, POLLIN, 0}};
  while (::poll(waits.data(), waits.size(), -1) < 0 || waits[1].revents == 0) {
    {
      const std::lock_guard<std::timed_mutex> lock(mutex_);
      Drain();
    }
    std::this_thread::sleep_for(kGather);
  }
}

bool WalWatch::BeginToWatch(const std::shared_ptr<Store>& store, const std::string& path) {
  // Not waited for with the watch's lock: who reads this store unwatched may be stuck in its file system.
  const std::unique_lock<std::mutex> lives(store->mutex, std::try_to_lock);
  if (!lives.owns_lock() || !Start()) return false;
  // Before the watch is set: the next Look sees whether the folder was exchanged in between, and begins anew.
  const FileIdentity identity = IdentityOf(path);
  const int wd = ::inotify_add_watch(inotify_, path.c_str(), kFolderEvents);
  if (wd < 0) return false;
  Folder& folder = folders_[wd];
  folder.identity = identity;
  if (std::ranges::find(folder.paths, path) == folder.paths.end()) folder.paths.push_back(path);
  ++folder.stores;
  store->watch = wd;
  store->lives.SetWatched(true);
  return true;
}

void WalWatch::EndToWatch(Store& store) {
  // Not waited for long: who reads the lives with it keeps a store from being watched.
  const std::lock_guard<std::mutex> lives(store.mutex);
  store.lives.SetWatched(false);
  const auto folder = folders_.find(std::exchange(store.watch, -1));
  std::erase(touched_, &store);
  store.is_touched = false;
  store.happened.clear();
  if (folder == folders_.end()) return;
  if (--folder->second.stores > 0) return;
  ::inotify_rm_watch(inotify_, folder->first);
  folders_.erase(folder);
}

void WalWatch::LoseAll() {
  for (const auto& [path, store] : stores_) {
    if (store->watch < 0) continue;
    store->lives.EventsLost();
    store->lives.Look({});
    if (!std::exchange(store->is_touched, true)) touched_.push_back(store.get());
  }
}

void WalWatch::Dispatch(const char* events, std::size_t size) {
  std::vector<Store*> looking;
  std::vector<Store*> lost;
  const auto add = [&](Store* store, WalLives::Happened happened) {
    if (store->happened.empty()) looking.push_back(store);
    store->happened.push_back(happened);
  };
  for (std::size_t at = 0; at < size;) {
    inotify_event event = {};
    std::memcpy(&event, events + at, sizeof event);
    // The name is padded with NULs (man 7 inotify); the conversion stops at the first.
    const std::string_view name = event.len == 0 ? "" : events + at + sizeof event;
    at += sizeof event + event.len;
    // Of which folder the lost events were is not known.
    if ((event.mask & IN_Q_OVERFLOW) != 0) LoseAll();
    if ((event.mask & IN_MODIFY) != 0) {
      for (const auto& file : Store::FilesOf(*this, event.wd))
        add(file.second, {WalLives::Event::kChanged, event.wd});
      continue;
    }
    const auto folder = folders_.find(event.wd);
    if (folder == folders_.end()) continue;
    if ((event.mask & IN_IGNORED) != 0) {  // removed, or unmounted
      for (const auto& [path, store] : stores_) {
        if (store->watch == event.wd) lost.push_back(store.get());
      }
      continue;
    }
    const std::optional<WalLives::Event> what = EventOf(event.mask, name);
    if (!what) continue;
    for (const std::string& path : folder->second.paths) {
      const auto found = stores_.find(std::string(path).append(name, 0, name.size() - kSuffixBytes));
      if (found != stores_.end() && found->second->watch == event.wd) add(found->second.get(), {*what});
    }
  }
  // After the whole buffer: a store is read once for all of its events, since a reading costs system calls.
  for (Store* store : looking) {
    store->lives.Look(std::exchange(store->happened, {}));
    if (!std::exchange(store->is_touched, true)) touched_.push_back(store);
  }
  // Last, because EndToWatch changes the folders that the loop above goes through.
  for (Store* store : lost) {
    store->lives.EventsLost();
    EndToWatch(*store);
  }
}

// Reads the queue to its end. Only then are readings settled: no earlier event about them can be outstanding.
void WalWatch::Drain() {
  // Some 500 events of short names; the kernel gives whole events only.
  alignas(inotify_event) std::array<char, 16384> buffer;
  ssize_t size = 0;
  while (inotify_ >= 0 && (size = ::read(inotify_, buffer.data(), buffer.size())) > 0) {
    Dispatch(buffer.data(), static_cast<std::size_t>(size));
  }
  for (Store* store : std::exchange(touched_, {})) {
    store->is_touched = false;
    store->lives.Settle();
  }
}

void WalWatch::Sweep(std::chrono::steady_clock::time_point now) {
  if (now - swept_ < kSweepEvery) return;
  swept_ = now;
  std::erase_if(stores_, [&](const auto& entry) {
    Store& store = *entry.second;
    // A copy is with a thread that looks at it now.
    if (now - store.asked < kForgottenAfter || entry.second.use_count() > 1) return false;
    if (store.watch >= 0) EndToWatch(store);
    return true;
  });
}

WalWatch::Looked WalWatch::LookedAt(const Store& store) const {
  const WalLives& lives = store.lives;
  return {{store.since, lives.commits(), lives.missed(), lives.begun(),
           store.watch >= 0 && lives.is_watched(), lives.is_long_lived()},
          lives.newest()};
}

std::optional<WalWatch::Looked> WalWatch::Look(const std::string& path, const FileIdentity& known) {
  const std::string folder = path.substr(0, path.rfind('/') + 1);
  std::shared_ptr<Store> store;
  bool is_local = false;
  const auto lock_soon = [this] { return std::unique_lock(mutex_, LockClock::now() + kBusyTimeout); };
  {
    const std::unique_lock<std::timed_mutex> lock = lock_soon();
    if (!lock.owns_lock()) return std::nullopt;
    const auto now = std::chrono::steady_clock::now();
    Sweep(now);
    const auto found = stores_.find(path);
    store = found != stores_.end() ? found->second : std::make_shared<Store>(*this, path, next_since_++);
    if (found == stores_.end()) stores_.emplace(store->path(), store);
    store->asked = now;
    is_local = store->watch >= 0;
  }
  // Without the lock, since both may hang on a file system that doesn't answer.
  const FileIdentity identity = known.inode != 0 ? known : IdentityOf(folder);
  is_local = is_local || IsLocal(folder);
  {
    const std::unique_lock<std::timed_mutex> lock = lock_soon();
    if (!lock.owns_lock()) return std::nullopt;
    if (store->watch >= 0 && folders_[store->watch].identity != identity) {
      store->lives.EventsLost();  // another folder is at its path
      EndToWatch(*store);
    }
    // Tried again at each Look: a limit may have been raised, a permission given.
    if (store->watch < 0 && is_local) BeginToWatch(store, folder);
    if (store->watch >= 0) {
      Drain();
      store->lives.Look({});
      store->is_touched = true;
      touched_.push_back(store.get());
      Drain();
      if (store->watch >= 0) return LookedAt(*store);
    }
  }
  std::unique_lock<std::mutex> lock(store->mutex);
  if (store->watch >= 0) {  // another thread has begun to watch it
    lock.unlock();
    return Look(path, known);
  }
  store->lives.Look({});
  store->lives.Settle();
  return LookedAt(*store);
}

}  // namespace outgrown::exporter::sqlite
