// Memory that runs out: the library's first allocation fails, then the second, and so on, until a call succeeds without
// a failure. The store is off or there is none, or it counts; nothing else happens.
#include <cstddef>
#include <filesystem>
#include <string>
#include <thread>

#include <doctest/doctest.h>

#include "counterblock/outgrown.h"
#include "test/counterblock/block_folder.h"
#include "test/counterblock/failing_memory.h"

using outgrown::test::FailsAt;

namespace {

std::ptrdiff_t OpenDescriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

}  // namespace

TEST_CASE(
    "whichever allocation of an open fails, the store is off or there is none, and no descriptor is left") {
  const outgrown::test::BlockFolder folder;
  const std::string directory = folder.path();
  outgrown_options options = {};
  options.size = sizeof options;
  options.directory = directory.c_str();
  options.database = "/srv/state.db";
  const std::ptrdiff_t descriptors = OpenDescriptors();
  int n = 0;
  bool was_failure = true;
  while (was_failure) {
    ++n;
    CAPTURE(n);
    const std::string name = "store" + std::to_string(n);  // each opens a file of its own, for the first time
    outgrown_store* store = nullptr;
    was_failure = FailsAt(n, [&] { store = outgrown_open(name.c_str(), &options); });
    CHECK((outgrown_error(store) != nullptr) == was_failure);
    outgrown_end(store, outgrown_begin(store), OUTGROWN_OK, 1);
    outgrown_close(store);
    CHECK(OpenDescriptors() == descriptors);
    // Memory is back: the next open counts.
    store = outgrown_open(name.c_str(), &options);
    CHECK(outgrown_error(store) == nullptr);
    outgrown_record(store, OUTGROWN_BUSY, 1, 1);
    outgrown_close(store);
    CHECK(outgrown::block::WritesOf(folder.Read(name), outgrown::block::Outcome::kBusy) == 1);
  }
  CHECK(n > 10);
}

TEST_CASE("a thread without memory for its slot counts in the overflow slot") {
  const outgrown::test::BlockFolder folder;
  const std::string directory = folder.path();
  outgrown_options options = {};
  options.size = sizeof options;
  options.directory = directory.c_str();
  outgrown_store* store = outgrown_open("store", &options);
  REQUIRE(outgrown_error(store) == nullptr);
  bool was_failure = false;
  std::thread([&] { was_failure = FailsAt(1, [&] { outgrown_record(store, OUTGROWN_OK, 1, 1); }); }).join();
  CHECK(was_failure);
  CHECK(outgrown::block::WritesOf(folder.Read(), outgrown::block::Outcome::kOk) == 1);
  CHECK(folder.Read().overflow_records == 1);
  outgrown_close(store);
}
