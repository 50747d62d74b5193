// An application must not lack descriptors because it counts.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "test/counterblock/block_folder.h"
#include "test/counterblock/hardship.h"
#include "test/support/child.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::Result;
using outgrown::test::BlockFolder;
using outgrown::test::FilesIn;
using outgrown::test::ProblemAfter;
using outgrown::test::ProblemText;
using outgrown::test::RunInChild;
using outgrown::test::Shared;

TEST_CASE(
    "no descriptors left gives an error, and a thread's first record then goes to its slot all the same") {
  const BlockFolder folder;
  const auto no_descriptors = [] {
    const struct rlimit files = {0, 0};
    return ::setrlimit(RLIMIT_NOFILE, &files) == 0;
  };
  CHECK(ProblemAfter(folder, 16, no_descriptors) ==
        folder.block_path() +
            ": half of the descriptors that this process may open are in use (RLIMIT_NOFILE is 0), and the "
            "rest is the "
            "application's");
  CHECK(RunInChild([&] {
          Writer writer = folder.Open();
          if (!no_descriptors()) return 1;
          writer.Record(Outcome::kOk, 1, 1);
          return 0;
        }) == "exit 0");
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 1);
  CHECK(folder.Read().overflow_records == 0);
}

TEST_CASE("more stores than an eighth of the descriptors, or than 64, are off, and leave no file") {
  struct Case {
    rlim_t descriptors;
    std::size_t stores;
  };
  for (const Case& c : {Case{256, 32}, Case{16, 2}, Case{1024, 64}}) {
    CAPTURE(c.descriptors);
    const BlockFolder folder;
    const Shared<ProblemText> problem;
    CHECK(RunInChild([&] {
            const struct rlimit files = {c.descriptors, c.descriptors};
            ::close_range(3, ~0U, 0);
            if (::setrlimit(RLIMIT_NOFILE, &files) != 0) return 1;
            std::vector<Writer> open;
            const auto try_open = [&](std::size_t number) {
              Result<Writer> writer = Writer::Open("s" + std::to_string(number), folder.Options());
              if (writer.ok())
                open.push_back(std::move(*writer));
              else
                writer.error().Text().copy(problem->bytes, sizeof problem->bytes - 1);
              return writer.ok();
            };
            for (std::size_t number = 0; number < c.stores; ++number) {
              if (!try_open(number)) return 2;
            }
            if (try_open(c.stores)) return 3;
            if (static_cast<std::size_t>(FilesIn(folder.path())) != c.stores) return 4;
            if (!try_open(0)) return 5;  // again, which takes no descriptor
            open.pop_back();
            open.pop_back();
            return try_open(c.stores) ? 0 : 6;  // one was closed
          }) == "exit 0");
    const std::string stores = std::to_string(c.stores);
    CHECK(std::string(problem->bytes) ==
          folder.path() + "/s" + stores + ".v1.counters: this process counts into " + stores +
              " stores already, and may into " + stores + " (OUTGROWN_STORES_MAX can say more)");
  }
}

TEST_CASE("OUTGROWN_STORES_MAX is the number of stores that a process counts into") {
  for (const auto& row : {std::pair{"3", 3}, {"70", 70}, {"0", 64}, {"3x", 64}, {"", 64}}) {
    const auto& asked = row.first;
    const auto& stores = row.second;
    CAPTURE(asked);
    const BlockFolder folder;
    CHECK(RunInChild([&] {
            if (::setenv("OUTGROWN_STORES_MAX", asked, 1) != 0) return 1;
            std::vector<Writer> open;
            for (int number = 0; number < stores; ++number) {
              Result<Writer> writer = Writer::Open("s" + std::to_string(number), folder.Options());
              if (!writer.ok()) return 2;
              open.push_back(std::move(*writer));
            }
            return Writer::Open("more", folder.Options()).ok() ? 3 : 0;
          }) == "exit 0");
  }
}

TEST_CASE("no block is opened while half of the descriptors are in use") {
  const BlockFolder folder;
  const auto take = [](int free_below_half) {
    const struct rlimit files = {200, 200};
    if (::close_range(3, ~0U, 0) != 0 || ::setrlimit(RLIMIT_NOFILE, &files) != 0) return false;
    int last = 2;
    while (last < 99 - free_below_half) last = ::open("/", O_PATH);
    return last == 99 - free_below_half;
  };
  CHECK(ProblemAfter(folder, 16, [&] { return take(0); }) ==
        folder.block_path() +
            ": half of the descriptors that this process may open are in use (RLIMIT_NOFILE is 200), and the "
            "rest is the "
            "application's");
  CHECK(FilesIn(folder.path()) == 0);
  CHECK(ProblemAfter(folder, 16, [&] { return take(1); }).empty());
}

TEST_CASE("a forked child without descriptors counts in the overflow slot") {
  const BlockFolder folder;
  Writer writer = folder.Open();
  CHECK(RunInChild([&] {
          const struct rlimit files = {0, 0};
          ::setrlimit(RLIMIT_NOFILE, &files);
          writer.Record(Outcome::kOk, 1, 1);
          return 0;
        }) == "exit 0");
  CHECK(WritesOf(folder.Read(), Outcome::kOk) == 1);
  CHECK(folder.Read().overflow_records == 1);
}
