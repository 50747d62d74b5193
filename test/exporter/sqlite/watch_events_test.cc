// Which of two queues an event comes to: by that it wakes a thread, or waits to be taken.
#include "exporter/sqlite/watch_events.h"

#include <sys/inotify.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <doctest/doctest.h>

#include "test/common/temporary_folder.h"

namespace fs = std::filesystem;
using outgrown::exporter::sqlite::WatchEvents;
using outgrown::test::TemporaryFolder;

namespace {

// The masks of all events of a folder, in their order.
std::uint32_t MasksOf(std::span<const WatchEvents::Event> events, int watch, const std::string& name) {
  std::uint32_t masks = 0;
  for (const WatchEvents::Event& event : events) {
    CHECK(event.watch == watch);
    CHECK(event.name == name);
    masks |= event.mask;
  }
  return masks;
}

}  // namespace

TEST_CASE("a new file is reported twice, its closing and its end are not what a thread is woken for") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "one");
  fs::create_directory(folder.path() / "two");
  WatchEvents events;
  REQUIRE(events.Open());
  // The numbers of a folder's two watches differ.
  const int one = events.WatchFolder(folder.path() / "one");
  const int two = events.WatchFolder(folder.path() / "two");
  REQUIRE(one >= 0);
  REQUIRE(two >= 0);
  events.EndFolder(one);
  CHECK(MasksOf(events.Read(), one, "") == IN_IGNORED);
  CHECK(events.ReadNewFiles().size() == 1);

  const fs::path file = folder.path() / "two" / "a.db-shm";
  std::ofstream(file) << "x";
  CHECK(events.Wait(false));
  CHECK(MasksOf(events.ReadNewFiles(), two, "a.db-shm") == IN_CREATE);
  CHECK(MasksOf(events.Read(), two, "a.db-shm") == (IN_CREATE | IN_CLOSE_WRITE));
  fs::remove(file);
  CHECK(events.ReadNewFiles().empty());
  CHECK(events.Wait(true));
  CHECK(MasksOf(events.Read(), two, "a.db-shm") == IN_DELETE);

  std::ofstream(folder.path() / "one" / "a.db-shm") << "x";
  CHECK(events.ReadNewFiles().empty());
  CHECK(events.Read().empty());
  CHECK(events.WatchFolder(folder.path() / "none") < 0);
  CHECK(events.WatchFolder(folder.path() / "one" / "a.db-shm") < 0);
  events.Stop();
  CHECK_FALSE(events.Wait(true));
}
