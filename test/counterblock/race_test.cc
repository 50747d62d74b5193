// Reads that race with somebody who truncates, regrows and replaces the file: a right value or a reason,
// nothing else.
//
//   race_test READS [SEED]     20,000 in `./run test`, 10,000,000 in `./run soak`
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <random>
#include <string>
#include <thread>

#include "common/check.h"
#include "common/file.h"
#include "counterblock/reader.h"
#include "counterblock/writer.h"
#include "test/common/temporary_folder.h"
#include "test/support/child.h"

namespace {

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)
using outgrown::ReadFile;
using outgrown::Result;
using outgrown::test::Fork;
using outgrown::test::Kill;
using outgrown::test::RunInChild;
using outgrown::test::TemporaryFolder;

constexpr std::uint32_t kSlots = 40;
constexpr std::uint32_t kSlotsUsed = 24;  // with the header they fill the first 8 pages
constexpr std::uint64_t kRecordsPerSlot = 100;
constexpr std::uint64_t kRecords = kSlotsUsed * kRecordsPerSlot;

// Each thread keeps its slot until the ones below it have ended, so each gets one of its own.
void RecordInSlots(Writer& writer, std::uint32_t slots) {
  for (std::uint64_t i = 0; i < kRecordsPerSlot; ++i) writer.RecordAt(Outcome::kOk, 1, 5'000, 1);
  if (slots > 1) std::thread([&] { RecordInSlots(writer, slots - 1); }).join();
}

void MakeBlock(const std::string& folder) {
  OUTGROWN_CHECK(RunInChild([&] {
                   Result<Writer> writer = Writer::Open("store", {.directory = folder, .slots = kSlots});
                   if (!writer) return 1;
                   RecordInSlots(*writer, kSlotsUsed);
                   return 0;
                 }) == "exit 0");
}

// Puts the block's bytes at `path` in one step.
void Replace(const std::string& path, const std::string& bytes) {
  const std::string temporary = path + ".new";
  const int fd = ::open(temporary.c_str(), O_CREAT | O_WRONLY | O_TRUNC | O_CLOEXEC, 0660);
  OUTGROWN_CHECK(fd >= 0);
  OUTGROWN_CHECK(::write(fd, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  OUTGROWN_CHECK(::fchmod(fd, 0660) == 0 && ::close(fd) == 0);
  OUTGROWN_CHECK(::rename(temporary.c_str(), path.c_str()) == 0);
}

// For ever: one act of damage, then the good file again.
int Vandal(const std::string& path, const std::string& good, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto size = static_cast<off_t>(good.size());
  while (true) {
    switch (random() % 8) {
      case 0:  // shorter, to any size
        OUTGROWN_CHECK(::truncate(path.c_str(), static_cast<off_t>(random()) & (size - 1)) == 0);
        break;
      case 1:  // longer
        OUTGROWN_CHECK(::truncate(path.c_str(), size + 1 + static_cast<off_t>(random() % 100'000)) == 0);
        break;
      case 2:
      case 4:  // cut off between two slots in use, and grown again: zeros where the counts were
        OUTGROWN_CHECK(::truncate(path.c_str(), static_cast<off_t>(SlotOffset(random() % kSlotsUsed))) == 0);
        OUTGROWN_CHECK(::truncate(path.c_str(), size) == 0);
        break;
      case 3:
        ::unlink(path.c_str());
        break;
      default:  // nothing: the good file stays for a turn
        break;
    }
    ::sched_yield();  // a reader may look at it now
    Replace(path, good);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t reads = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 20'000;
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  const TemporaryFolder folder;
  const std::string directory = folder.path().string();
  MakeBlock(directory);
  const std::string path = directory + "/store.v1.counters";
  const Result<std::string> good = ReadFile(path);
  OUTGROWN_CHECK(good.ok());

  const pid_t vandal = Fork([&] { return Vandal(path, *good, seed); });
  std::uint64_t right = 0;
  std::uint64_t wrong = 0;
  std::map<std::string, std::uint64_t> reasons;
  for (std::uint64_t i = 0; i < reads; ++i) {
    const Result<Snapshot> snapshot = ReadBlock(directory, {"store"});
    if (!snapshot) {
      ++reasons[snapshot.error().what.substr(0, snapshot.error().what.find_first_of("0123456789"))];
    } else if (WritesOf(*snapshot, Outcome::kOk) == kRecords && snapshot->bytes == kRecords &&
               snapshot->duration_sum_ns == kRecords * 5'000) {
      ++right;
    } else {
      ++wrong;
      std::printf("WRONG: %llu writes, %llu bytes\n",
                  static_cast<unsigned long long>(WritesOf(*snapshot, Outcome::kOk)),
                  static_cast<unsigned long long>(snapshot->bytes));
    }
  }
  OUTGROWN_CHECK(Kill(vandal) == "signal 9");
  std::printf("%llu reads: %llu right, %llu wrong\n", static_cast<unsigned long long>(reads),
              static_cast<unsigned long long>(right), static_cast<unsigned long long>(wrong));
  for (const auto& [reason, count] : reasons) {
    std::printf("  %8llu × %s…\n", static_cast<unsigned long long>(count), reason.c_str());
  }
  // A race that never met the damage, or nothing else, would show nothing.
  return wrong == 0 && right > 0 && reasons.size() >= 3 ? 0 : 1;
}
