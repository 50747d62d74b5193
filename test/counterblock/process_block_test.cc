// What a writer says of its process: lost traces, the files that it has open, refused connections.
#include <sys/stat.h>
#include <unistd.h>

#include <cstddef>
#include <fstream>
#include <latch>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "counterblock/header.h"
#include "counterblock/writer.h"
#include "test/counterblock/block_folder.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::test::BlockFolder;

TEST_CASE("a lost trace shows until it is regained, whichever threads say so") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  std::thread([&] { writer.TraceLost(); }).join();
  CHECK(folder.Read().traces_lost == 1);
  writer.TraceLost();
  CHECK(folder.Read().traces_lost == 2);
  writer.TraceRegained();
  writer.TraceRegained();
  writer.TraceRegained();
  CHECK(folder.Read().traces_lost == 0);
}

TEST_CASE("a loss of a trace stays to be seen after it is regained, and after its writer has gone") {
  const BlockFolder folder;
  Writer keeps = folder.Open();
  keeps.TraceRegained();  // that nobody had lost
  CHECK(folder.Read().trace_lost_ago_ns == UINT64_MAX);
  const std::uint64_t before_ns = outgrown::block::NowNs();
  keeps.TraceLost();
  CHECK(folder.Read().trace_lost_ago_ns == 0);
  const std::uint64_t regained_ns = outgrown::block::NowNs();
  keeps.TraceRegained();
  const auto lasts_at_most = [&](std::uint64_t since_ns) {
    const std::uint64_t ago_ns = folder.Read().trace_lost_ago_ns;
    return ago_ns > 0 && ago_ns <= outgrown::block::NowNs() - since_ns;
  };
  CHECK(regained_ns > before_ns);
  CHECK(lasts_at_most(regained_ns));  // the end counts, not the begin
  keeps.TraceLost();
  const std::uint64_t closed_ns = outgrown::block::NowNs();
  keeps = Writer();
  CHECK(folder.Read().traces_lost == 0);
  CHECK(lasts_at_most(closed_ns));
}

TEST_CASE("of several files that are open the one that was opened first is said: the database was replaced") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  const auto said = [&] { return folder.Read().living.at(0).file.value().inode; };
  writer.FileOpened({8, 77});
  writer.FileOpened({8, 77});
  writer.FileOpened({8, 78});
  writer.FileOpened({8, 79});
  CHECK(said() == 77);
  writer.FileClosed({8, 77});
  CHECK(said() == 77);
  writer.FileClosed({8, 78});
  writer.FileOpened({8, 78});
  CHECK(said() == 77);
  writer.FileClosed({8, 77});
  CHECK(said() == 79);  // the second one that is open now
  for (const std::uint64_t inode : {81, 82, 83, 84, 85}) writer.FileOpened({8, inode});
  for (const std::uint64_t inode : {79, 78, 84, 85, 81, 82}) writer.FileClosed({8, inode});
  CHECK(folder.Read().living.at(0).file.value().open == 1);
  // More at a time than are noted: the last one is not known any more.
  CHECK(said() == 82);
}

TEST_CASE("every slot of a process says which file it has open, and how many are open") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  CHECK(folder.Read().living.empty());
  writer.FileOpened({8, 78});
  REQUIRE(folder.Read().living.size() == 1);  // before anything is written
  CHECK(folder.Read().writers == 1);
  writer.FileOpened({8, 78});
  std::latch recorded(2);
  std::thread other([&] {
    writer.Record(Outcome::kOk, 1, 1);
    recorded.arrive_and_wait();
    recorded.wait();
  });
  writer.Record(Outcome::kOk, 1, 1);
  recorded.arrive_and_wait();
  other.join();
  writer.FileClosed({8, 78});
  for (const std::uint64_t open : {1, 0, 0}) {
    const Snapshot snapshot = folder.Read();
    CHECK(snapshot.living.size() == 2);
    for (const LivingSlot& living : snapshot.living) {
      CHECK(living.pid == static_cast<std::uint32_t>(::getpid()));
      REQUIRE(living.file.has_value());
      CHECK(living.file->boot == BootId());
      CHECK(living.file->device == 8);
      CHECK(living.file->inode == 78);
      CHECK(living.file->open == open);
    }
    writer.FileClosed({8, 78});
  }
  CHECK(BootId() != 0);
  writer = Writer();
  writer = folder.Open();
  writer.Record(Outcome::kOk, 1, 1);
  CHECK_FALSE(folder.Read().living.at(0).file.has_value());
}

TEST_CASE("a database that is made after its store was opened is known from a thread's first record on") {
  const BlockFolder folder;
  const std::string path = folder.path() + "/late.db";
  Writer writer = folder.Open();
  writer.FileOpenedAt(path);
  CHECK(folder.Read().living.empty());
  std::ofstream(path) << "x";
  writer.Record(Outcome::kOk, 1, 1);
  struct stat status = {};
  REQUIRE(::stat(path.c_str(), &status) == 0);
  CHECK(folder.Read().living.at(0).file.value().inode == status.st_ino);
  CHECK(folder.Read().living.at(0).file.value().device == status.st_dev);
  std::ofstream(path + ".new") << "y";
  REQUIRE(::rename((path + ".new").c_str(), path.c_str()) == 0);
  CHECK(folder.Read().living.at(0).file.value().inode == status.st_ino);
  writer.FileReopened();
  CHECK(folder.Read().living.at(0).file.value().inode != status.st_ino);
  CHECK(folder.Read().living.at(0).file.value().open == 1);
}

TEST_CASE("a refused connection shows while it is open, and its time afterwards") {
  using outgrown::block::Refusal;
  const BlockFolder folder;
  Writer writer = folder.Open();
  CHECK(folder.Read().refused[0].ago_ns == UINT64_MAX);
  writer.Refused(Refusal::kNameTaken);
  writer.Refused(Refusal::kNameTaken);
  writer.Refused(Refusal::kOtherSqlite);
  CHECK(folder.Read().refused[0].connections == 2);
  CHECK(folder.Read().refused[0].last_pid == static_cast<std::uint32_t>(::getpid()));
  CHECK(folder.Read().refused[1].connections == 1);
  CHECK(folder.Read().writers == 0);
  writer.Record(Outcome::kOk, 1, 1);  // takes the slot over
  CHECK(folder.Read().slots_used == 1);
  CHECK(folder.Read().refused[0].connections == 2);
  for (int i = 0; i < 3; ++i) writer.RefusalEnded(Refusal::kNameTaken);
  const Snapshot ended = folder.Read();
  CHECK(ended.refused[0].connections == 0);
  CHECK(ended.refused[0].count == 2);
  CHECK(ended.refused[0].ago_ns > 0);
  CHECK(ended.refused[0].ago_ns < 10'000'000'000);
  writer = Writer();
  CHECK(folder.Read().refused[1].connections == 0);
  CHECK(folder.Read().refused[1].count == 1);
}

TEST_CASE("who opens a block after a reboot forgets the times of the last boot, and no count") {
  const BlockFolder folder;
  {
    Writer writer = folder.Open(1);
    writer.Record(Outcome::kOk, 1, 1);
    writer.TraceLost();
    writer.Refused(outgrown::block::Refusal::kNameTaken);
    std::thread([&] { writer.Record(Outcome::kOk, 1, 1); }).join();  // into the overflow slot
  }
  std::fstream file(folder.block_path(), std::ios::in | std::ios::out | std::ios::binary);
  const auto put = [&](std::uint64_t offset, std::uint64_t value) {
    file.seekp(static_cast<std::streamoff>(offset));
    file.write(reinterpret_cast<const char*>(&value), sizeof value);
  };
  using outgrown::block::Header;
  using outgrown::block::Slot;
  const std::uint64_t earlier = 1;  // a time that this boot could have, too
  put(offsetof(Header, times_boot), BootId() + 1);
  put(offsetof(Header, last_trace_lost_ns), earlier);
  put(offsetof(Header, refusals) + 8, earlier);
  put(SlotOffset(0) + offsetof(Slot, boot), BootId() + 1);
  put(SlotOffset(0) + offsetof(Slot, last_write_ns), NowNs() + 1'000'000'000'000);
  put(SlotOffset(1) + offsetof(Slot, last_write_ns), NowNs() + 1'000'000'000'000);
  file.close();
  CHECK(folder.Read().last_write_ns == 0);
  CHECK(folder.Read().trace_lost_ago_ns == UINT64_MAX);
  Writer writer = folder.Open();
  writer.Record(Outcome::kBusy, 1, 1);
  const Snapshot snapshot = folder.Read();
  CHECK(NowNs() - snapshot.last_write_ns < 10'000'000'000);
  CHECK(snapshot.trace_lost_ago_ns == UINT64_MAX);
  CHECK(snapshot.refused[0].ago_ns == UINT64_MAX);
  CHECK(snapshot.refused[0].count == 1);
  CHECK(WritesOf(snapshot, Outcome::kOk) == 2);
  std::thread([&] { writer.RecordAt(Outcome::kOk, 1, 1, NowNs()); }).join();
  CHECK(folder.Read().overflow_records == 2);
  CHECK(folder.Read().last_write_ns >
        snapshot.last_write_ns);  // the overflow slot's, though it was in the future
  writer.TraceLost();
  CHECK(folder.Read().trace_lost_ago_ns == 0);
}
