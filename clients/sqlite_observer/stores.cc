#include "clients/sqlite_observer/stores.h"

#include <fnmatch.h>
#include <pthread.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <utility>

#include "counterblock/block_file.h"
#include "counterblock/registry.h"
#include "counterblock/writer.h"

namespace outgrown::observer {

namespace {

constexpr std::size_t kNameBytesMax = 64;

std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view StemOf(std::string_view path) {
  const std::string_view name = NameOf(path);
  const std::size_t dot = name.rfind('.');
  // ".db" is a hidden file's whole name, not an extension.
  return dot == std::string_view::npos || dot == 0 ? name : name.substr(0, dot);
}

bool Matches(const std::string& pattern, std::string_view path) {
  const auto matches = [&](std::string_view text) {
    // Without FNM_PATHNAME, so that * also matches slashes: "/srv/*" is everything below.
    return ::fnmatch(pattern.c_str(), std::string(text).c_str(), 0) == 0;
  };
  if (pattern.find('/') != std::string::npos) return matches(path);
  return matches(NameOf(path)) || matches(StemOf(path));
}

}  // namespace

std::optional<Choice> ChooseStore(std::string_view path, std::string_view uri_value, std::string_view rules) {
  if (uri_value == "off") return std::nullopt;
  if (!uri_value.empty()) return Choice{StoreNameFrom(uri_value), true};
  if (rules.empty()) return Choice{StoreNameFrom(StemOf(path)), false};
  while (!rules.empty()) {
    const std::size_t colon = std::min(rules.find(':'), rules.size());
    const std::string_view rule = rules.substr(0, colon);
    rules.remove_prefix(std::min(colon + 1, rules.size()));
    const std::size_t equals = rule.find('=');
    const std::string_view name =
        equals == std::string_view::npos ? std::string_view() : rule.substr(0, equals);
    const std::string pattern(equals == std::string_view::npos ? rule : rule.substr(equals + 1));
    if (pattern.empty() || !Matches(pattern, path)) continue;
    if (name.empty()) return Choice{StoreNameFrom(StemOf(path)), false};
    return Choice{StoreNameFrom(name), true};
  }
  return std::nullopt;
}

std::string StoreNameFrom(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-' || c == '.';
  };
  std::string name(text.substr(0, kNameBytesMax));
  std::ranges::replace_if(
      name, [&](char c) { return !allowed(c); }, '_');
  if (name.empty()) return "database";
  // Names of files with a leading dot are hidden, and the block's temporary files have them.
  if (name.front() == '.') name.front() = '_';
  return name;
}

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
  // A block whose creator gave no path is whoever's comes.
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
    // A copy is only made under the lock that is held here, so a count of 1 can't rise meanwhile.
    if (store->second.sink.use_count() > 1) continue;
    if (oldest == Stores().end() || store->second.last_use < oldest->second.last_use) oldest = store;
  }
  if (oldest == Stores().end()) return false;
  idle = std::move(oldest->second.sink);
  Stores().erase(oldest);
  return true;
}

// Two threads may open the same store at once; the second to be ready uses the first's. The library's lock is
// not held meanwhile, as the block takes one of its own.
Result<Store> FindOrOpen(const std::string& name, const std::string& path, const BlockPlace& place) {
  const Result<std::string> directory = block::ResolveDirectory(place.directory, place.application);
  if (!directory.ok()) return Error{directory.error().what, name};
  const std::string key = *directory + "/" + name;
  if (std::optional<Store> known = FindStore(key)) return *std::move(known);
  const auto open = [&] {
    return block::Writer::Open(name,
                               {.directory = *directory, .application = {}, .database = path, .slots = {}});
  };
  Result<block::Writer> writer = open();
  for (int retries = 0; !writer.ok(); writer = open()) {
    // Where there is room, another thread may have made it just after this one was refused; or it isn't the
    // reason.
    if (block::HasDescriptorRoom() ? ++retries > kRetriesMax : !CloseIdleStore()) break;
  }
  if (!writer.ok()) return writer.error();
  std::string database = writer->database();
  Store store = {std::move(database), std::make_shared<BlockSink>(std::move(*writer))};
  const std::lock_guard lock(LibraryLock());
  // The loser's writer is closed when `store` goes, which is after the lock.
  return Use(Stores().try_emplace(key, std::move(store)).first->second);
}

OpenedStore Open(const Choice& choice, const std::string& path, const BlockPlace& place) {
  Result<Store> store = FindOrOpen(choice.store, path, place);
  if (!store.ok()) return {nullptr, store.error().Text()};
  // A name that somebody has asked for may be shared by several files on purpose (shards of one store).
  if (!choice.named && IsAnotherFile(store->database, path)) {
    return {nullptr,
            "the store's name " + choice.store + " belongs to " + store->database +
                "; give this one another, with OUTGROWN_STORE or outgrown_observe(NAME); in Python "
                "observe(name=)",
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

std::mutex& LibraryLock() {
  static std::mutex mutex;
  // A child of a fork would otherwise inherit the lock from a thread that it doesn't have.
  static const int at_fork =
      ::pthread_atfork([] { mutex.lock(); }, [] { mutex.unlock(); }, [] { mutex.unlock(); });
  static_cast<void>(at_fork);
  return mutex;
}

OpenedStore OpenStore(const Choice& choice, const std::string& path, const BlockPlace& place) noexcept {
  // The application may look at errno behind sqlite3_open or a step.
  const int old_errno = errno;
  OpenedStore opened;
  try {
    opened = Open(choice, path, place);
    if (opened.sink == nullptr) LogOnce(block::OffLine(path + ": " + opened.problem));
  } catch (...) {  // no memory
    opened = {};
  }
  errno = old_errno;
  return opened;
}

}  // namespace outgrown::observer
