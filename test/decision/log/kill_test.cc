// Kills processes that append to one decision log at random moments: nothing that was acknowledged is lost, nothing
// is there twice, and the chain holds across rotations.
//
//   decision_log_kill_test KILLS      how many SIGKILLs (100 in `./run test`, 10,000 in `./run soak`)
//
// Each record names its process and its number there. A process notes in shared memory that AppendRecords has returned,
// which is the moment from which rulegen prints a decision.
#include <signal.h>
#include <time.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "decision/log/decision_log.h"
#include "test/common/temporary_folder.h"
#include "test/support/child.h"

namespace {

namespace fs = std::filesystem;
using namespace outgrown::decision_log;  // NOLINT(google-build-using-namespace): a test
using outgrown::test::Fork;
using outgrown::test::Kill;
using outgrown::test::Shared;
using outgrown::test::TemporaryFolder;
using outgrown::test::Wait;

constexpr int kProcesses = 4;
constexpr std::size_t kRecordsMax = 1U << 20U;
constexpr std::int64_t kRotateBytes = 20'000;  // some fifty records: rotations are killed too

struct Process {
  std::atomic<std::size_t> begun;  // records that were handed to AppendRecords
  std::array<std::atomic<bool>, kRecordsMax> acknowledged;
};

struct State {
  std::array<Process, kProcesses> processes;
  std::atomic<bool> stop;
};

std::string Members(int process, std::size_t record) {
  return fmt::format(R"("process":"{:02}","record":"{:07}","padding":"{}")", process, record,
                     std::string(200, 'x'));
}

int AppendUntilStopped(const fs::path& log, State& state, int process) {
  Process& own = state.processes.at(static_cast<std::size_t>(process));
  while (!state.stop) {
    const std::size_t record = own.begun++;
    if (record == kRecordsMax) return 0;
    const auto appended = AppendRecords(log, {Members(process, record)}, 0, kRotateBytes);
    if (!appended) {
      std::printf("FAILED: %s: %s\n", appended.error().where.c_str(), appended.error().what.c_str());
      return 1;
    }
    own.acknowledged.at(record) = true;
  }
  return 0;
}

void SleepMicroseconds(long microseconds) {
  const timespec pause = {0, microseconds * 1000};
  ::nanosleep(&pause, nullptr);
}

// Every record of the log as (process, record); exits if the chain is broken or a record is there twice.
std::set<std::pair<int, std::size_t>> ReadBack(const fs::path& log) {
  std::set<std::pair<int, std::size_t>> records;
  Link before;
  const auto files = LogFiles(log);
  for (const fs::path& file : files.value()) {
    const auto read = ForEachLine(file, [&](const LogLine& line) {
      const auto opened = OpenRecord(line.bytes);
      const bool chained =
          opened.ok() && opened->previous == before.hash && opened->link.sequence == before.sequence + 1;
      // The very last line may be one that a kill cut short: never acknowledged.
      if (!chained && line.last_of_file && file == files->back() &&
          ClassifyRemainder(line.bytes, line.ends_with_newline) == Remainder::kUnfinished) {
        return;
      }
      if (!chained) {
        std::printf("FAILED: %s:%lld: the chain is broken\n", file.c_str(),
                    static_cast<long long>(line.number));
        std::exit(1);
      }
      before = opened->link;
      const auto number = [&](std::string_view key, std::size_t digits) {
        const std::size_t at = line.bytes.find(key) + key.size();
        return std::stoul(line.bytes.substr(at, digits));
      };
      const auto id = std::pair(static_cast<int>(number(R"("process":")", 2)), number(R"("record":")", 7));
      if (!records.insert(id).second) {
        std::printf("FAILED: process %d, record %zu is there twice\n", id.first, id.second);
        std::exit(1);
      }
    });
    if (!read.ok()) {
      std::printf("FAILED: %s\n", read.error().what.c_str());
      std::exit(1);
    }
  }
  return records;
}

}  // namespace

int main(int argc, char** argv) {
  const int kills = argc > 1 ? std::atoi(argv[1]) : 300;
  const unsigned seed = argc > 2 ? static_cast<unsigned>(std::atoi(argv[2])) : std::random_device()();
  std::printf("seed %u\n", seed);
  std::mt19937 random(seed);
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  Shared<State> state;

  const auto start = [&](int process) {
    return Fork([&, process] { return AppendUntilStopped(log, *state, process); });
  };
  std::array<pid_t, kProcesses> children = {};
  for (int process = 0; process < kProcesses; ++process)
    children.at(static_cast<std::size_t>(process)) = start(process);
  const auto acknowledged_in_all = [&] {
    std::size_t count = 0;
    for (const Process& one : state->processes) {
      for (std::size_t record = 0; record < one.begun && record < kRecordsMax; ++record)
        count += one.acknowledged.at(record) ? 1 : 0;
    }
    return count;
  };
  // On a slow disk it takes more kills until enough has been done between them.
  for (int kill = 0; kill < kills || acknowledged_in_all() < static_cast<std::size_t>(kills) / 2; ++kill) {
    SleepMicroseconds(static_cast<long>(random() % 6000));
    const auto victim = random() % kProcesses;
    Kill(children.at(victim));
    children.at(victim) = start(static_cast<int>(victim));
  }
  state->stop = true;
  bool failed = false;
  for (const pid_t child : children) failed |= Wait(child) != "exit 0";

  const auto records = ReadBack(log);
  std::size_t acknowledged = 0;
  std::size_t lost = 0;
  for (int process = 0; process < kProcesses; ++process) {
    const Process& one = state->processes.at(static_cast<std::size_t>(process));
    for (std::size_t record = 0; record < one.begun && record < kRecordsMax; ++record) {
      if (!one.acknowledged.at(record)) continue;
      ++acknowledged;
      if (!records.contains({process, record})) ++lost;
    }
  }
  std::printf("%d kills, %zu records, %zu of them acknowledged, %zu lost, %zu segments\n", kills,
              records.size(), acknowledged, lost, LogSegments(log).value().size());
  const auto newest = ReadNewest(log);
  if (!newest.ok() || !newest->has_value() || LogSegments(log).value().empty()) {
    std::printf("FAILED: there is no segment, or no whole file of the newest decisions\n");
    failed = true;
  }
  return failed || lost > 0 ? 1 : 0;
}
