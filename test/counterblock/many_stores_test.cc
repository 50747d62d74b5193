// A process that opens one store after the other for as long as it lives: a database for each user, say.
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "counterblock/registry.h"
#include "test/counterblock/block_folder.h"
#include "test/support/child.h"
#include "test/support/rounds.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::Result;
using outgrown::test::BlockFolder;
using outgrown::test::RunInChild;
using outgrown::test::Shared;

namespace {

std::string Name(std::size_t number) { return "s" + std::to_string(number); }

Writer OpenNumber(const BlockFolder& folder, std::size_t number) {
  Result<Writer> writer = Writer::Open(Name(number), folder.Options());
  REQUIRE_MESSAGE(writer.ok(), (writer.ok() ? "" : writer.error().Text()));
  return std::move(*writer);
}

std::uint64_t Count(const BlockFolder& folder, std::size_t number) {
  return WritesOf(folder.Read(Name(number)), Outcome::kOk);
}

std::size_t MappedBlocks() {
  std::ifstream maps("/proc/self/maps");
  std::size_t blocks = 0;
  for (std::string line; std::getline(maps, line);) blocks += line.ends_with(".counters") ? 1 : 0;
  return blocks;
}

std::size_t Descriptors() {
  std::size_t descriptors = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    static_cast<void>(entry);
    ++descriptors;
  }
  return descriptors;
}

}  // namespace

TEST_CASE("stores that are opened one after the other take no more of the process than 64 do, however many") {
  const std::size_t stores = outgrown::test::Rounds<std::size_t>(200, 1000);
  const BlockFolder folder;
  const std::size_t descriptors_before = Descriptors();
  for (std::size_t number = 0; number < stores; ++number) {
    Writer writer = OpenNumber(folder, number);
    writer.Record(Outcome::kOk, 1, 1);
  }
  CHECK(Descriptors() == descriptors_before);
  CHECK(MappedBlocks() == kClosedBlocksMax);
  for (std::size_t number = 0; number < stores; ++number) {
    Writer writer = OpenNumber(folder, number);  // whether it is still mapped or not
    writer.Record(Outcome::kOk, 1, 1);
    CHECK(Count(folder, number) == 2);
  }
}

TEST_CASE("a thread that holds slots of many stores at once loses none when others are closed") {
  const BlockFolder folder;
  constexpr std::size_t kOpen = 20;  // more than a thread's table has rows
  std::vector<Writer> open(kOpen);
  for (std::size_t number = 0; number < 400; ++number) {
    open[number % kOpen] = OpenNumber(folder, number);
    for (Writer& writer : open) writer.Record(Outcome::kOk, 1, 1);
  }
  open.clear();
  for (std::size_t number = 0; number <= 400 - kOpen; ++number) CHECK(Count(folder, number) == kOpen);
}

TEST_CASE("threads that open, use and close the same stores at once lose nothing") {
  const BlockFolder folder;
  constexpr std::size_t kStores = 100;
  constexpr unsigned kThreads = 8;
  std::array<std::atomic<std::uint64_t>, kStores> recorded = {};
  std::vector<std::thread> threads;
  threads.reserve(kThreads);
  for (unsigned thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&, thread] {
      std::minstd_rand random(thread + 1);
      for (int i = 0; i < 400; ++i) {
        const std::size_t number = random() % kStores;
        Result<Writer> writer = Writer::Open(Name(number), folder.Options());
        if (!writer.ok()) continue;
        for (unsigned record = 0; record <= thread; ++record) writer->Record(Outcome::kOk, 1, 1);
        recorded[number] += thread + 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::uint64_t total = 0;
  for (std::size_t number = 0; number < kStores; ++number) {
    const std::uint64_t expected = recorded[number];
    CHECK(Count(folder, number) == expected);
    total += expected;
  }
  CHECK(total == 400 * 36);
}

TEST_CASE("a forked child goes on with its parent's stores and with new ones") {
  const BlockFolder folder;
  Writer kept = OpenNumber(folder, 0);
  for (std::size_t number = 1; number <= 100; ++number) OpenNumber(folder, number).Record(Outcome::kOk, 1, 1);
  CHECK(RunInChild([&] {
          for (std::size_t number = 1; number <= 200; ++number)
            OpenNumber(folder, number).Record(Outcome::kOk, 1, 1);
          kept.Record(Outcome::kOk, 1, 1);
          return 0;
        }) == "exit 0");
  kept.Record(Outcome::kOk, 1, 1);
  CHECK(Count(folder, 0) == 2);
  CHECK(Count(folder, 100) == 2);
  CHECK(Count(folder, 200) == 1);
}

TEST_CASE("blocks beyond as many as may be open at once are small, and there is an end to them") {
  constexpr std::uint64_t kMiB = 1U << 20U;
  CHECK(RunInChild([&] {
          ::setenv("OUTGROWN_STORES_MAX", "10", 1);
          const auto fits = [](std::uint64_t count, std::uint64_t bytes, std::uint64_t more) {
            return CheckMemoryRoom({count, bytes}, more, "/", "block").ok();
          };
          if (SlotCountOfNext({9, 0}) != kSlotCountDefault || SlotCountOfNext({10, 0}) != kSlotCountSmall)
            return 1;
          if (!fits(9, 100 * kMiB, kMiB)) return 2;
          if (!fits(10, 9 * kMiB, kMiB) || fits(10, 9 * kMiB + 1, kMiB) || fits(10, 100 * kMiB, 1)) return 3;
          const Result<void> refused = CheckMemoryRoom({400, 10 * kMiB}, 1, "/", "block");
          return refused.error().Text() ==
                         "block: this process has made 400 counter blocks of 10 MiB already, "
                         "and may make 10 MiB (OUTGROWN_STORES_MAX can say more)"
                     ? 0
                     : 4;
        }) == "exit 0");
}

TEST_CASE("many blocks leave a quarter of a small file system to others") {
  const BlockFolder folder;
  const Shared<std::uint64_t> free_bytes;
  const std::string ended = RunInChild([&] {
    ::setenv("OUTGROWN_STORES_MAX", "60", 1);
    for (std::size_t number = 0; number < 60; ++number) OpenNumber(folder, number);  // on another file system
    if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m,mode=0700") != 0) {
      return 77;
    }
    std::string problem;
    for (std::size_t number = 0; problem.empty() && number < 1000; ++number) {
      const Result<Writer> writer = Writer::Open(Name(number), folder.Options());
      if (!writer.ok()) problem = writer.error().Text();
    }
    *free_bytes = std::filesystem::space(folder.path()).available;
    return problem.find("counter blocks already, and the file system is getting full") == std::string::npos
               ? 1
               : 0;
  });
  if (ended == "exit 77") {
    MESSAGE("skipped: mounting a tmpfs needs CAP_SYS_ADMIN");
    return;
  }
  CHECK(ended == "exit 0");
  CHECK(*free_bytes >= 256U << 10U);
  CHECK(*free_bytes < (256U << 10U) + 25'600);
}
