// Keeps the commits of WAL stores between scrapes: a thread that waits for what happens in the stores' folders
// (inotify) and has WalLives read each wal-index before it is gone.
//
// One thread for all stores. Commits make no event (watch_events.h), and a life of the wal-index wakes it once. The thread
// does nothing but take the events and read 136 bytes: 16,384 events are what the kernel keeps.
//
// A folder can't be watched without read permission (search alone doesn't do), beyond the limits max_user_watches and
// max_user_instances, and on file systems whose files change on other machines. Its stores are then read at each Look
// alone, and say so.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "exporter/sqlite/wal_lives.h"
#include "exporter/sqlite/watch_events.h"

namespace outgrown::exporter::sqlite {

class WalWatch {
 public:
  WalWatch();
  ~WalWatch();
  WalWatch(const WalWatch&) = delete;
  WalWatch& operator=(const WalWatch&) = delete;

  struct Seen {
    std::uint64_t since = 0;    // another number: the counts began anew, as after a long time without a Look
    std::uint64_t commits = 0;  // of the wal-index since the first Look
    std::uint64_t missed = 0;   // lives whose end was not read
    std::uint64_t begun = 0;    // changes with each life
    bool is_watched = false;
    bool is_long_lived = false;  // one life held by a connection since the last Look
  };

  struct Looked : Seen {
    std::optional<WalIndexSeen> wal_index = {};  // not to be kept: it may be a deleted file's
  };

  // Looks at the store whose database is at `path` (resolved), and watches it from the first Look on until it was not
  // asked for during ten minutes. `folder`: its folder's identity, if the caller knows it. Nothing: another store's file
  // system keeps the watch busy. Thread-safe.
  std::optional<Looked> Look(const std::string& path, const FileIdentity& folder = {});

 private:
  struct Store;
  struct Folder;

  bool Start();
  void Run();
  bool BeginToWatch(const std::shared_ptr<Store>& store);
  void EndToWatch(Store& store);
  bool Drain();  // whether there was anything
  std::vector<Store*> StoresOfNewFiles();
  void Dispatch(std::span<const WatchEvents::Event> events);
  void LookAt(Store& store, std::span<const WalLives::Happened> happened);
  void LoseAll();
  void Sweep(std::chrono::steady_clock::time_point now);
  Looked LookedAt(const Store& store) const;

  // Guards everything below, and the lives of watched stores. Those of others have Store::mutex, since reading them may
  // take for ever.
  std::timed_mutex mutex_;
  std::unordered_map<std::string, std::shared_ptr<Store>> stores_;  // by path
  std::map<int, Folder> folders_;                                   // by inotify's watch
  std::multimap<int, Store*> files_;                                // open wal-indexes, by inotify's watch
  std::vector<Store*> touched_;                                     // looked at since the last Settle
  std::uint64_t next_since_ = 1;
  std::chrono::steady_clock::time_point swept_;
  WatchEvents events_;
  std::thread thread_;
};

}  // namespace outgrown::exporter::sqlite
