#include "exporter/sqlite/watch_events.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace outgrown::exporter::sqlite {
namespace {

// IN_ONLYDIR: not a file that has taken the folder's place.
constexpr std::uint32_t kNewFiles = IN_CREATE | IN_MOVED_TO | IN_ONLYDIR;
// No IN_MODIFY of the folder: it would come with every page that is written to the log.
constexpr std::uint32_t kAll = kNewFiles | IN_DELETE | IN_CLOSE_WRITE | IN_MOVED_FROM;

// For how long events wait that are not of new files. A process that is killed leaves a wal-index, which is to be read before
// the next process empties it.
constexpr int kGatherMs = 2;

}  // namespace

WatchEvents::Queue::~Queue() {
  if (descriptor >= 0) ::close(descriptor);
}

bool WatchEvents::Queue::Open() {
  // Non-blocking, so that it can be read to the end.
  if (descriptor < 0) descriptor = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  return descriptor >= 0;
}

std::span<WatchEvents::Event> WatchEvents::Queue::Read() {
  events.clear();
  // The kernel gives whole events only.
  const ssize_t size = ::read(descriptor, buffer.data(), buffer.size());
  for (ssize_t at = 0; at < size;) {
    inotify_event event = {};
    std::memcpy(&event, buffer.data() + at, sizeof event);
    at += static_cast<ssize_t>(sizeof event);
    // The name is padded with NULs (man 7 inotify); the conversion stops at the first.
    events.push_back({event.wd, event.mask, event.len == 0 ? "" : buffer.data() + at});
    at += event.len;
  }
  return events;
}

WatchEvents::~WatchEvents() {
  if (stop_ >= 0) ::close(stop_);
}

bool WatchEvents::Open() {
  if (stop_ < 0) stop_ = ::eventfd(0, EFD_CLOEXEC);
  return stop_ >= 0 && all_.Open() && new_files_.Open();
}

int WatchEvents::WatchFolder(const std::string& path) {
  const int watch = ::inotify_add_watch(all_.descriptor, path.c_str(), kAll);
  const int new_files = ::inotify_add_watch(new_files_.descriptor, path.c_str(), kNewFiles);
  if (watch >= 0 && new_files >= 0) {
    folders_[new_files] = watch;
    return watch;
  }
  // The other one may be that of a folder that is watched already.
  if (new_files >= 0 && !folders_.contains(new_files)) ::inotify_rm_watch(new_files_.descriptor, new_files);
  const auto is_known = [&](const auto& folder) { return folder.second == watch; };
  if (watch >= 0 && std::ranges::none_of(folders_, is_known)) ::inotify_rm_watch(all_.descriptor, watch);
  return -1;
}

void WatchEvents::EndFolder(int watch) {
  ::inotify_rm_watch(all_.descriptor, watch);
  std::erase_if(folders_, [&](const auto& folder) {
    if (folder.second == watch) ::inotify_rm_watch(new_files_.descriptor, folder.first);
    return folder.second == watch;
  });
}

int WatchEvents::WatchFile(int descriptor) const {
  // By the descriptor and not by the name, which may be another file's by now.
  const std::string path = "/proc/self/fd/" + std::to_string(descriptor);
  return ::inotify_add_watch(all_.descriptor, path.c_str(), IN_MODIFY);
}

void WatchEvents::EndFile(int watch) const { ::inotify_rm_watch(all_.descriptor, watch); }

bool WatchEvents::Wait(bool is_quiet) const {
  std::array<pollfd, 3> waits = {pollfd{stop_, POLLIN, 0}, pollfd{new_files_.descriptor, POLLIN, 0},
                                 pollfd{is_quiet ? all_.descriptor : -1, POLLIN, 0}};
  ::poll(waits.data(), waits.size(), is_quiet ? -1 : kGatherMs);
  return waits[0].revents == 0;
}

// An eventfd wakes poll without a race; a flag alone would be seen with the next event only.
void WatchEvents::Stop() const { static_cast<void>(::eventfd_write(stop_, 1)); }

std::span<const WatchEvents::Event> WatchEvents::Read() { return all_.Read(); }

std::span<const WatchEvents::Event> WatchEvents::ReadNewFiles() {
  const std::span<Event> events = new_files_.Read();
  for (Event& event : events) {
    const auto folder = folders_.find(event.watch);
    event.watch = folder == folders_.end() ? -1 : folder->second;
  }
  return events;
}

}  // namespace outgrown::exporter::sqlite
