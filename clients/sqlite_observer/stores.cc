#include "clients/sqlite_observer/stores.h"

#include <sys/stat.h>

#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "clients/sqlite_observer/connection.h"
#include "counterblock/off_log.h"
#include "counterblock/registry.h"

namespace outgrown::observer {
namespace {

constexpr std::size_t kLinesMax = 64;
constexpr int kRetriesMax = 3;

struct Store {
  std::string database;
  std::shared_ptr<Sink> sink;
  std::uint64_t last_use = 0;
};

std::map<std::string, Store>& Stores() {
  static auto* stores = new std::map<std::string, Store>;  // connections may outlive static destructors
  return *stores;
}

// By stat: to open and close a database file would drop the locks that SQLite holds on it in this process.
bool IsAnotherFile(const std::string& theirs, const std::string& ours) {
  if (theirs.empty() || theirs == ours) return false;
  struct stat their_status = {};
  struct stat our_status = {};
  if (::stat(theirs.c_str(), &their_status) != 0 || ::stat(ours.c_str(), &our_status) != 0) return false;
  return their_status.st_dev != our_status.st_dev || their_status.st_ino != our_status.st_ino;
}

// A copy, whose sink is in use from now on. With the library's lock held, which is what makes it safe against
// CloseIdleStore.
Store Use(Store& store) {
  static std::uint64_t uses = 0;
  store.last_use = ++uses;
  return store;
}

std::optional<Store> FindStore(const std::string& name) {
  const std::lock_guard lock(LibraryLock());
  const auto found = Stores().find(name);
  return found == Stores().end() ? std::nullopt : std::optional<Store>(Use(found->second));
}

// Closes the store that nobody uses and that was used the longest ago. False if somebody uses each of them.
bool CloseIdleStore() {
  std::shared_ptr<Sink> idle;  // goes after the lock: closing a block takes one of its own
  const std::lock_guard lock(LibraryLock());
  auto oldest = Stores().end();
  for (auto store = Stores().begin(); store != Stores().end(); ++store) {
    if (store->second.sink.use_count() > 1) continue;
    if (oldest == Stores().end() || store->second.last_use < oldest->second.last_use) oldest = store;
  }
  if (oldest == Stores().end()) return false;
  idle = std::move(oldest->second.sink);
  Stores().erase(oldest);
  return true;
}

// Two threads may open the same store at once; the second to be ready uses the first's. The library's lock is not held
// meanwhile, as the block takes one of its own.
Result<Store> FindOrOpen(const std::string& name, const std::string& path) {
  if (std::optional<Store> known = FindStore(name)) return *std::move(known);
  const auto open = [&] {
    return block::Writer::Open(name, {.directory = {}, .application = {}, .database = path, .slots = {}});
  };
  Result<block::Writer> writer = open();
  for (int retries = 0; !writer.ok(); writer = open()) {
    // Where there is room, another thread may have made it just after this one was refused; or it isn't the reason.
    if (block::HasDescriptorRoom() ? ++retries > kRetriesMax : !CloseIdleStore()) break;
  }
  if (!writer.ok()) return writer.error();
  std::string database = writer->database();
  Store store = {std::move(database), std::make_shared<BlockSink>(std::move(*writer))};
  const std::lock_guard lock(LibraryLock());
  return Use(Stores().try_emplace(name, std::move(store)).first->second);
}

OpenedStore Open(const Choice& choice, const std::string& path) {
  Result<Store> store = FindOrOpen(choice.store, path);
  if (!store.ok()) return {nullptr, store.error().Text()};
  if (!choice.named && IsAnotherFile(store->database, path)) {
    return {nullptr,
            "the store's name " + choice.store + " belongs to " + store->database +
                "; OUTGROWN_STORE can give this one another",
            std::move(store->sink)};
  }
  return {std::move(store->sink)};
}

// Once for each reason, though every connection meets it; and not for each tenant's database without end.
void LogOnce(const std::string& line) {
  static auto* said = new std::set<std::string>;
  {
    const std::lock_guard lock(LibraryLock());
    if (said->size() >= kLinesMax || !said->insert(line).second) return;
  }
  block::LogOff(line);
}

}  // namespace

OpenedStore OpenStore(const Choice& choice, const std::string& path) noexcept {
  const int old_errno = errno;
  OpenedStore opened;
  try {
    opened = Open(choice, path);
    if (opened.sink == nullptr) LogOnce(block::OffLine(path + ": " + opened.problem));
  } catch (...) {  // no memory
    opened = {};
  }
  errno = old_errno;
  return opened;
}

}  // namespace outgrown::observer
