// The counter blocks that this process counts into, each opened once. A store stays open when its last file
// is closed, since most applications come back to it; but when there is no room for another one
// (counterblock/registry.h), the one that nobody uses and that was asked for the longest ago is closed.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "clients/sqlite_observer/write_tracker.h"

namespace outgrown::observer {

// --- Which store a database file's writes are counted for, if any. Pure.
//
// In this order:
//   1. the URI parameter: file:state.db?outgrown=NAME counts into NAME, outgrown=off doesn't count
//   2. $OUTGROWN_STORE, a list like PATH: entries [NAME=]PATTERN, separated by colons; the first that matches counts.
//      PATTERN is a glob (fnmatch). With a slash it must match the file's whole path, without one its name,
//      or its name without extension. If the variable is set and no entry matches, the file is not counted.
//   3. otherwise every database file is counted
// Without NAME the store is called as the file is, without its extension.

// Where blocks are, if the caller says so: as counterblock/writer.h has it.
struct BlockPlace {
  std::string directory = {};
  std::string application = {};
};

struct Choice {
  std::string store;
  bool named = false;  // somebody has asked for this very name
};

// `path` is absolute. `uri_value` is the URI parameter's, empty if there is none; `rules` is $OUTGROWN_STORE,
// empty if not set.
std::optional<Choice> ChooseStore(std::string_view path, std::string_view uri_value, std::string_view rules);

// A name that a store may have (counterblock/block_file.h): what isn't allowed becomes '_', the rest is cut off;
// "database" if nothing is left.
std::string StoreNameFrom(std::string_view text);

// Guards which connections, files and stores there are, not what they do. Never held while calling SQLite or a
// sink, which have locks of their own. Safe across fork().
std::mutex& LibraryLock();

struct OpenedStore {
  std::shared_ptr<Sink> sink =
      nullptr;               // in use as long as it is held; null if the store cannot be counted for
  std::string problem = {};  // why not
  // The sink of the store whose name another database has: it counts the refusal while the connection lives.
  std::shared_ptr<Sink> refused_by = nullptr;
};

// The store's sink; its block is opened, or created, by the first call that succeeds. A name that nobody has
// asked for is refused when the block's header names another database, which is still there under its own
// path: two files of the same name are not one store. A reason is also logged once (counterblock/writer.h).
// Takes a lock; not from inside the counting.
OpenedStore OpenStore(const Choice& choice, const std::string& path, const BlockPlace& place = {}) noexcept;

}  // namespace outgrown::observer
