#include "exporter/sqlite/wal_watch.h"

#include <sys/inotify.h>

#include <algorithm>
#include <string_view>
#include <system_error>
#include <utility>

#include "exporter/sqlite/probe_file.h"
#include "exporter/sqlite/watch_system.h"

namespace outgrown::exporter::sqlite {
namespace {

// How long a scrape waits for the watch's lock: well below a store's deadline (scrape.cc).
constexpr std::chrono::milliseconds kBusyTimeout(300);
// By a steady clock a mutex is locked through pthread_mutex_clocklock, which GCC 12's ThreadSanitizer doesn't
// know: it would take what the mutex guards for unguarded.
#ifdef __SANITIZE_THREAD__
using LockClock = std::chrono::system_clock;
#else
using LockClock = std::chrono::steady_clock;
#endif
constexpr std::chrono::minutes kForgottenAfter(10);
constexpr std::chrono::minutes kSweepEvery(1);

std::optional<WalLives::Event> EventOf(std::uint32_t mask) {
  if ((mask & IN_CREATE) != 0) return WalLives::Event::kCreated;
  if ((mask & IN_MOVED_TO) != 0) return WalLives::Event::kAppeared;
  if ((mask & (IN_DELETE | IN_MOVED_FROM)) != 0) return WalLives::Event::kRemoved;
  if ((mask & IN_CLOSE_WRITE) != 0) return WalLives::Event::kClosed;
  return std::nullopt;
}

}  // namespace

struct WalWatch::Folder {
  FileIdentity identity;
  // By the wal-index's name, which is the store's own; two paths may lead to one folder.
  std::multimap<std::string_view, Store*> stores;
};

struct WalWatch::Store {
  Store(WalWatch& watch, const std::string& path, std::uint64_t since_in)
      : since(since_in),
        lives(
            path + "-shm", [this, &watch](int descriptor) { return WatchFile(watch, descriptor); },
            [this, &watch](int wd) { EndWatchOfFile(watch, wd); }) {}

  int WatchFile(WalWatch& watch, int descriptor) {
    // One watch for an inode: a second store that leads to the same file gets the same number, hence the multimap.
    const int wd = watch.events_.WatchFile(descriptor);
    if (wd >= 0) watch.files_.emplace(wd, this);
    return wd;
  }

  void EndWatchOfFile(WalWatch& watch, int wd) {
    auto [first, last] = watch.files_.equal_range(wd);
    const auto mine = std::find_if(first, last, [this](const auto& entry) { return entry.second == this; });
    if (mine != last) watch.files_.erase(mine);
    if (!watch.files_.contains(wd)) watch.events_.EndFile(wd);
  }

  // Of the wal-index. The folder ends with a slash.
  std::string folder() const { return lives.shm_path().substr(0, lives.shm_path().rfind('/') + 1); }
  std::string_view name() const {
    return std::string_view(lives.shm_path()).substr(lives.shm_path().rfind('/') + 1);
  }

  const std::uint64_t since;
  std::mutex mutex;  // of the lives while the store isn't watched
  WalLives lives;
  int watch = -1;  // of the folder
  std::vector<WalLives::Happened> happened;
  bool is_touched = false;
  std::chrono::steady_clock::time_point asked;
};

WalWatch::WalWatch() = default;

WalWatch::~WalWatch() {
  if (thread_.joinable()) {
    events_.Stop();
    thread_.join();
  }
  stores_.clear();  // before the events that their watches belong to
}

bool WalWatch::Start() {
  if (thread_.joinable()) return true;
  AllowDescriptors();
  if (!events_.Open()) return false;
  try {
    thread_ = std::thread([this] { Run(); });
  } catch (const std::system_error&) {
    return false;
  }
  return true;
}

void WalWatch::Run() {
  AskForPromptness();
  bool is_quiet = true;
  while (events_.Wait(is_quiet)) {
    const std::lock_guard<std::timed_mutex> lock(mutex_);
    is_quiet = !Drain();
  }
}

bool WalWatch::BeginToWatch(const std::shared_ptr<Store>& store) {
  // Not waited for: a thread that reads this store unwatched may be stuck in its file system, and the watch's
  // lock is held here.
  const std::unique_lock<std::mutex> lives(store->mutex, std::try_to_lock);
  if (!lives.owns_lock() || !Start()) return false;
  const std::string path = store->folder();
  // Before the watches are set: if the folder is exchanged in between, the next Look sees another identity and
  // begins anew.
  const FileIdentity identity = IdentityOf(path);
  const int wd = events_.WatchFolder(path);
  if (wd < 0) return false;
  Folder& folder = folders_[wd];
  folder.identity = identity;
  folder.stores.emplace(store->name(), store.get());
  store->watch = wd;
  store->lives.SetWatched(true);
  return true;
}

// Other stores in the folder keep its watch.
void WalWatch::EndToWatch(Store& store) {
  store.lives.SetWatched(false);
  const auto folder = folders_.find(std::exchange(store.watch, -1));
  std::erase(touched_, &store);
  store.is_touched = false;
  store.happened.clear();
  if (folder == folders_.end()) return;
  std::erase_if(folder->second.stores, [&](const auto& entry) { return entry.second == &store; });
  if (!folder->second.stores.empty()) return;
  events_.EndFolder(folder->first);
  folders_.erase(folder);
}

void WalWatch::LookAt(Store& store, std::span<const WalLives::Happened> happened) {
  store.lives.Look(happened);
  if (!std::exchange(store.is_touched, true)) touched_.push_back(&store);
}

void WalWatch::LoseAll() {
  for (const auto& [path, store] : stores_) {
    if (store->watch < 0) continue;
    store->lives.EventsLost();
    LookAt(*store, {});
  }
}

std::vector<WalWatch::Store*> WalWatch::StoresOfNewFiles() {
  std::vector<Store*> stores;
  while (true) {
    const std::span<const WatchEvents::Event> events = events_.ReadNewFiles();
    if (events.empty()) return stores;
    for (const WatchEvents::Event& event : events) {
      const auto folder = folders_.find(event.watch);
      if (folder == folders_.end()) continue;
      const auto [first, last] = folder->second.stores.equal_range(event.name);
      for (auto store = first; store != last; ++store) stores.push_back(store->second);
    }
  }
}

void WalWatch::Dispatch(std::span<const WatchEvents::Event> events) {
  std::vector<Store*> looking;
  std::vector<Store*> lost;
  const auto add = [&](Store* store, WalLives::Happened happened) {
    if (store->happened.empty()) looking.push_back(store);
    store->happened.push_back(happened);
  };
  for (const WatchEvents::Event& event : events) {
    // Of which folder the lost events were is not known.
    if ((event.mask & IN_Q_OVERFLOW) != 0) LoseAll();
    if ((event.mask & IN_MODIFY) != 0) {
      const auto [first, last] = files_.equal_range(event.watch);
      for (auto file = first; file != last; ++file)
        add(file->second, {WalLives::Event::kChanged, event.watch});
      continue;
    }
    const auto folder = folders_.find(event.watch);
    if (folder == folders_.end()) continue;
    if ((event.mask & IN_IGNORED) != 0) {  // removed, or unmounted
      for (const auto& [ignored, store] : folder->second.stores) lost.push_back(store);
      continue;
    }
    const std::optional<WalLives::Event> what = EventOf(event.mask);
    if (!what || !event.name.ends_with("-shm")) continue;
    const auto [first, last] = folder->second.stores.equal_range(event.name);
    for (auto store = first; store != last; ++store) add(store->second, {*what});
  }
  // After the whole buffer: a store is read once for all of its events, since a reading costs system calls
  // and an event doesn't.
  for (Store* store : looking) LookAt(*store, std::exchange(store->happened, {}));
  // Last, because EndToWatch changes the folders that the loop above goes through.
  for (Store* store : lost) {
    store->lives.EventsLost();
    EndToWatch(*store);
  }
}

// Reads the queues to their ends. Only then are readings settled: no earlier event about them can be outstanding.
bool WalWatch::Drain() {
  // Before the others, so that what is reported as new is opened now even if its event there comes a moment later.
  const std::vector<Store*> stores = StoresOfNewFiles();
  bool has_come = !stores.empty();
  const auto dispatch = [&] {
    while (true) {
      const std::span<const WatchEvents::Event> events = events_.Read();
      if (events.empty()) return;
      has_come = true;
      Dispatch(events);
    }
  };
  dispatch();
  const auto is_touched = [](const Store* store) { return store->is_touched; };
  if (!std::ranges::all_of(stores, is_touched)) {
    for (Store* store : stores) LookAt(*store, {});
    dispatch();
  }
  for (Store* store : std::exchange(touched_, {})) {
    store->is_touched = false;
    store->lives.Settle();
  }
  return has_come;
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
  const auto lock_soon = [this] {
    return std::unique_lock<std::timed_mutex>(mutex_, LockClock::now() + kBusyTimeout);
  };
  {
    const std::unique_lock<std::timed_mutex> lock = lock_soon();
    if (!lock.owns_lock()) return std::nullopt;
    const auto now = std::chrono::steady_clock::now();
    Sweep(now);
    std::shared_ptr<Store>& entry = stores_[path];
    if (entry == nullptr) entry = std::make_shared<Store>(*this, path, next_since_++);
    store = entry;
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
    if (store->watch < 0 && is_local) BeginToWatch(store);
    if (store->watch >= 0) {
      Drain();
      LookAt(*store, {});
      Drain();
      if (store->watch >= 0) return LookedAt(*store);
    }
  }
  const std::lock_guard<std::mutex> lock(store->mutex);
  store->lives.Look({});
  store->lives.Settle();
  return LookedAt(*store);
}

}  // namespace outgrown::exporter::sqlite
