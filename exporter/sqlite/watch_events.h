// What inotify says of the watched folders and files, and when a thread is woken for it.
//
// An event costs the application little, but some 13 us if a thread waits for it, mostly to wake the other processor of a
// virtual machine. So there are two inotify instances. All events come to one, in their order; those of new files, which
// have to be opened before they are gone, to a second one as well. A thread waits for the second, and takes the events
// of both. Only if nothing has come for 2 ms does it wait for the first, too.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace outgrown::exporter::sqlite {

class WatchEvents {
 public:
  struct Event {
    int watch;
    std::uint32_t mask;     // of inotify
    std::string_view name;  // in a watched folder, else empty
  };

  WatchEvents() = default;
  ~WatchEvents();
  WatchEvents(const WatchEvents&) = delete;
  WatchEvents& operator=(const WatchEvents&) = delete;

  bool Open();  // whether it is open; fails beyond max_user_instances

  // The watch, one for each folder or file, or -1. Of a folder names that begin, end or are closed are reported, of a file its
  // changes of size.
  int WatchFolder(const std::string& path);
  void EndFolder(int watch);
  int WatchFile(int descriptor) const;
  void EndFile(int watch) const;

  // Returns when there may be events, or Stop was called: then false. `is_quiet`: nothing came since the last call.
  bool Wait(bool is_quiet) const;
  void Stop() const;  // thread-safe, as Wait is

  // The next events, none if there are none. They are valid until the next call.
  std::span<const Event> Read();

  // The same of new files alone. Read may give such an event a moment later.
  std::span<const Event> ReadNewFiles();

 private:
  struct Queue {
    int descriptor = -1;
    std::array<char, 16384> buffer;  // some 500 events of short names
    std::vector<Event> events;

    ~Queue();
    bool Open();
    std::span<Event> Read();
  };

  Queue all_;
  Queue new_files_;
  std::map<int, int> folders_;  // watches of all_ by those of new_files_
  int stop_ = -1;
};

}  // namespace outgrown::exporter::sqlite
