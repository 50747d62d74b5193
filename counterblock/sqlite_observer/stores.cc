#include "counterblock/sqlite_observer/stores.h"

#include <sys/stat.h>

#include <map>
#include <memory>
#include <mutex>

#include "counterblock/sqlite_observer/connection.h"

namespace outgrown::observer {
namespace {

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

OpenedStore Open(const Choice& choice, const std::string& path) {
  const std::lock_guard lock(LibraryLock());
  auto known = Stores().find(choice.store);
  if (known == Stores().end()) {
    Result<block::Writer> writer =
        block::Writer::Open(choice.store, {.directory = {}, .application = {}, .database = path});
    if (!writer.ok()) return {nullptr, writer.error().Text()};
    std::string database = writer->database();
    Store store = {std::move(database), std::make_unique<BlockSink>(std::move(*writer))};
    known = Stores().emplace(choice.store, std::move(store)).first;
  }
  if (!choice.named && IsAnotherFile(known->second.database, path)) {
    return {nullptr, "the store's name " + choice.store + " belongs to " + known->second.database +
                         "; OUTGROWN_STORE can give this one another"};
  }
  return {known->second.sink.get(), {}};
}

}  // namespace

OpenedStore OpenStore(const Choice& choice, const std::string& path) noexcept {
  try {
    return Open(choice, path);
  } catch (...) {  // no memory
    return {};
  }
}

}  // namespace outgrown::observer
