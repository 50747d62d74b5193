#include "counterblock/sqlite_observer/stores.h"

#include <sys/stat.h>

#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "counterblock/off_log.h"
#include "counterblock/sqlite_observer/connection.h"

namespace outgrown::observer {
namespace {

constexpr std::size_t kLinesMax = 64;

struct Store {
  std::string database;
  std::unique_ptr<Sink> sink;
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

const Store* FindStore(const std::string& name) {
  const std::lock_guard lock(LibraryLock());
  const auto found = Stores().find(name);
  return found == Stores().end() ? nullptr : &found->second;
}

// Two threads may open the same store at once; the second to be ready uses the first's. The library's lock is not held
// meanwhile, as the block takes one of its own.
Result<const Store*> FindOrOpen(const std::string& name, const std::string& path) {
  if (const Store* known = FindStore(name)) return known;
  Result<block::Writer> writer =
      block::Writer::Open(name, {.directory = {}, .application = {}, .database = path});
  if (!writer.ok()) return writer.error();
  std::string database = writer->database();
  Store store = {std::move(database), std::make_unique<BlockSink>(std::move(*writer))};
  const std::lock_guard lock(LibraryLock());
  return &Stores().try_emplace(name, std::move(store)).first->second;
}

OpenedStore Open(const Choice& choice, const std::string& path) {
  const Result<const Store*> found = FindOrOpen(choice.store, path);
  if (!found.ok()) return {nullptr, found.error().Text()};
  const Store& store = **found;
  if (!choice.named && IsAnotherFile(store.database, path)) {
    return {nullptr, "the store's name " + choice.store + " belongs to " + store.database +
                         "; OUTGROWN_STORE can give this one another"};
  }
  return {store.sink.get(), {}};
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
  try {
    OpenedStore opened = Open(choice, path);
    if (opened.sink == nullptr) LogOnce(block::OffLine(path + ": " + opened.problem));
    return opened;
  } catch (...) {  // no memory
    return {};
  }
}

}  // namespace outgrown::observer
