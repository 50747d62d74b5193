// Rotation: segments, the file that goes on after them, and what a log that was moved away leaves.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "decision/log/decision_log.h"
#include "decision/log/log_reader.h"
#include "test/common/temporary_folder.h"
#include "test/decision/log/log_lines.h"

namespace fs = std::filesystem;
using namespace outgrown;                // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision_log;  // NOLINT(google-build-using-namespace)
using outgrown::test::kOneRecord;
using outgrown::test::Lines;
using outgrown::test::TemporaryFolder;
using outgrown::test::VerifyChain;

namespace {

// The number of the last record in the log's segments; -1 if their chain is broken.
std::int64_t VerifySegments(const fs::path& log) {
  std::vector<std::string> lines;
  const std::vector<fs::path> segments = LogSegments(log).value();
  for (const fs::path& segment : segments) {
    for (const std::string& line : Lines(segment)) lines.push_back(line);
  }
  return VerifyChain(lines);
}

}  // namespace

TEST_CASE("a full log is rotated, and the chain goes on from the segment") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  for (int record = 0; record < 20; ++record) REQUIRE(AppendRecords(log, kOneRecord, 0, 1000).ok());
  const std::vector<fs::path> segments = LogSegments(log).value();
  REQUIRE(segments.size() > 2);
  std::vector<std::string> lines;
  for (const fs::path& segment : segments) {
    for (const std::string& line : Lines(segment)) lines.push_back(line);
    CHECK(segment.extension().string() == fmt::format(".{:012}", lines.size()));
  }
  for (const std::string& line : Lines(log)) lines.push_back(line);
  CHECK(VerifyChain(lines) == 20);
  // A crash between the renaming and the new file's first record.
  fs::remove(log);
  const auto next = AppendRecords(log, kOneRecord, 0, 1000);
  REQUIRE(next.ok());
  CHECK(OpenRecord(Lines(log).front())->previous == OpenRecord(Lines(segments.back()).back())->link.hash);
}

TEST_CASE(
    "a record that goes on after a segment because the log is gone or empty says so, one after a rotation "
    "doesn't") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  const auto says_so = [](const std::string& line) {
    return line.find("\"log_missing\":true") != std::string::npos;
  };
  for (int record = 0; record < 20; ++record) REQUIRE(AppendRecords(log, kOneRecord, 0, 1000).ok());
  const std::int64_t last_of_segments = VerifySegments(log);
  REQUIRE(last_of_segments > 0);
  const std::vector<fs::path> files = LogFiles(log).value();
  for (const fs::path& file : files) CHECK(std::ranges::none_of(Lines(file), says_so));
  const fs::path moved = folder.path() / "elsewhere";
  fs::rename(log, moved);
  REQUIRE(AppendRecords(log, {kOneRecord[0], kOneRecord[0]}, 0).ok());
  CHECK(Lines(log).size() == 2);
  CHECK(says_so(Lines(log)[0]));
  CHECK_FALSE(says_so(Lines(log)[1]));
  // That number stands in the moved log too.
  CHECK(OpenRecord(Lines(log)[0])->link.sequence == last_of_segments + 1);
  CHECK(OpenRecord(Lines(moved)[0])->link.sequence == last_of_segments + 1);
  std::ofstream(log, std::ios::trunc).close();
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  CHECK(says_so(Lines(log)[0]));
  // Moved away with its segments it is begun anew.
  fs::remove(log);
  for (const fs::path& file : files) fs::remove(file);
  CHECK(AppendRecords(log, kOneRecord, 0).value()[0].sequence == 1);
  CHECK_FALSE(says_so(Lines(log)[0]));
}

TEST_CASE("four processes at once lose nothing and number nothing twice, across rotations") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  constexpr int kProcesses = 4;
  constexpr int kRecords = 20;
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    const pid_t child = ::fork();
    if (child == 0) {
      for (int record = 0; record < kRecords; ++record) {
        const std::string members = fmt::format("\"process\":{},\"record\":{}", process, record);
        if (!AppendRecords(log, {members}, 0, 3000).ok()) ::_exit(1);
      }
      ::_exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  std::vector<std::string> lines;
  const std::vector<fs::path> segments = LogSegments(log).value();
  for (const fs::path& segment : segments) {
    for (const std::string& line : Lines(segment)) lines.push_back(line);
  }
  if (fs::exists(log)) {
    for (const std::string& line : Lines(log)) lines.push_back(line);
  }
  CHECK(VerifyChain(lines) == kProcesses * kRecords);
  // Whoever begins the new file, it was a rotation.
  for (const std::string& line : lines) CHECK(line.find("log_missing") == std::string::npos);
  std::set<std::string> members;
  for (const std::string& line : lines) members.insert(line.substr(line.find("\"process\""), 30));
  CHECK(members.size() == kProcesses * kRecords);
}
