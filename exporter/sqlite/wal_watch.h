// Keeps the commits of WAL stores between scrapes: a thread that waits for what happens in the stores' folders
// (inotify) and has WalLives read each wal-index before it is gone.
//
// One inotify instance and one thread for all stores. Of a folder only names that begin, end or are closed are asked
// for, of an open wal-index its changes of size, so that commits wake no thread. The thread does nothing but
// take the events and read 136 bytes: 16,384 events are what the kernel keeps.
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
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "exporter/sqlite/wal_lives.h"

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
  using File = std::pair<int, Store*>;  // an open wal-index, by inotify's watch

  bool Start();
  void Run();
  bool BeginToWatch(const std::shared_ptr<Store>& store, const std::string& path);  // the folder's
  void EndToWatch(Store& store);
  void Drain();
  void Dispatch(const char* events, std::size_t size);
  void LoseAll();
  void Sweep(std::chrono::steady_clock::time_point now);
  Looked LookedAt(const Store& store) const;

  // Guards everything below, and the lives of watched stores. Those of others have Store::mutex, since reading them may
  // take for ever.
  std::timed_mutex mutex_;
  std::unordered_map<std::string_view, std::shared_ptr<Store>> stores_;  // by path, which is the store's own
  std::map<int, Folder> folders_;                                        // by inotify's watch
  std::vector<File> files_;                                              // in order
  std::vector<Store*> touched_;  // looked at since the last Settle
  std::uint64_t next_since_ = 1;
  std::chrono::steady_clock::time_point swept_;
  int inotify_ = -1;
  int stop_ = -1;
  std::thread thread_;
};

}  // namespace outgrown::exporter::sqlite
