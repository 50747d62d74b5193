// The counter blocks that this process counts into, each opened once. A store stays open when its last file is closed,
// since most applications come back to it; but when there is no room for another one (descriptor_room.h), the one that
// nobody uses and that was asked for the longest ago is closed.
#pragma once

#include <memory>
#include <string>

#include "clients/sqlite_observer/sink.h"
#include "clients/sqlite_observer/store_choice.h"

namespace outgrown::observer {

struct OpenedStore {
  std::shared_ptr<Sink> sink =
      nullptr;               // in use as long as it is held; null if the store cannot be counted for
  std::string problem = {};  // why not
  // The sink of the store whose name another database has: to be told for as long as the connection lives.
  std::shared_ptr<Sink> refused_by = nullptr;
};

// The store's sink; its block is opened, or created, by the first call that succeeds. A name that nobody has
// asked for is refused when the block's header names another database, which is still there under its own
// path: two files of the same name are not one store. A reason is also logged once (off_log.h). Takes a lock; not from
// inside the counting.
OpenedStore OpenStore(const Choice& choice, const std::string& path) noexcept;

}  // namespace outgrown::observer
