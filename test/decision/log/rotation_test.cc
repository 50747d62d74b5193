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

// The chain over these files; -1 if it is broken.
std::int64_t VerifyFiles(const std::vector<fs::path>& files) {
  std::vector<std::string> lines;
  for (const fs::path& file : files) {
    for (const std::string& line : Lines(file)) lines.push_back(line);
  }
  return VerifyChain(lines);
}

bool SaysMissing(const std::string& line) { return line.find("\"log_missing\":true") != std::string::npos; }

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
  fs::rename(log, fmt::format("{}.{:012}", log.string(), lines.size()));
  const auto next = AppendRecords(log, kOneRecord, 0, 1000);
  REQUIRE(next.ok());
  CHECK(next->links[0].sequence == 21);
  CHECK(next->warnings.empty());
  CHECK(VerifyFiles(LogFiles(log).value()) == 21);
  CHECK_FALSE(SaysMissing(Lines(log)[0]));
}

TEST_CASE(
    "a log that another program rotated, or somebody emptied, goes on with the next number and says so") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  const fs::path moved = folder.path() / "decisions.jsonl.1";
  for (int record = 0; record < 3; ++record) REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  SUBCASE("renamed") { fs::rename(log, moved); }
  SUBCASE("renamed, and made anew") {
    fs::rename(log, moved);
    std::ofstream(log, std::ios::trunc).close();
  }
  SUBCASE("copied and truncated") {
    fs::copy_file(log, moved);
    std::ofstream(log, std::ios::trunc).close();
  }
  const auto next = AppendRecords(log, {kOneRecord[0], kOneRecord[0]}, 0);
  REQUIRE(next.ok());
  CHECK(next->links[0].sequence == 4);
  REQUIRE(next->warnings.size() == 1);
  CHECK(next->warnings[0].find("is new or empty, and #3 was logged before") != std::string::npos);
  CHECK(SaysMissing(Lines(log)[0]));
  CHECK_FALSE(SaysMissing(Lines(log)[1]));
  CHECK(VerifyFiles({moved, log}) == 5);
  CHECK(AppendRecords(log, kOneRecord, 0)->warnings.empty());
}

TEST_CASE(
    "a log that was moved away with its segments goes on too, and only without the newest-decision file "
    "anew") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  for (int record = 0; record < 20; ++record) REQUIRE(AppendRecords(log, kOneRecord, 0, 1000).ok());
  const std::vector<fs::path> files = LogFiles(log).value();
  for (const fs::path& file : files) CHECK(std::ranges::none_of(Lines(file), SaysMissing));
  fs::rename(log, folder.path() / "elsewhere");
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  CHECK(SaysMissing(Lines(log)[0]));
  CHECK(OpenRecord(Lines(log)[0])->link.sequence == 21);
  for (const fs::path& file : files) fs::remove(file);
  CHECK(AppendRecords(log, kOneRecord, 0).value().links[0].sequence == 22);
  fs::remove(log);
  fs::remove(NewestPath(log));
  CHECK(AppendRecords(log, kOneRecord, 0).value().links[0].sequence == 1);
  CHECK_FALSE(SaysMissing(Lines(log)[0]));
}

TEST_CASE("a log that another program rotated together with the newest-decision file is no first start") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  const fs::path newest = NewestPath(log);
  for (int record = 0; record < 3; ++record) REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  fs::copy_file(log, log.string() + ".2");
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  std::int64_t continues = 5;
  SUBCASE("renamed") {
    fs::rename(log, log.string() + ".1");
    fs::rename(newest, newest.string() + ".1");
  }
  SUBCASE("renamed, with a date") {
    fs::rename(log, log.string() + "-20261130");
    fs::rename(newest, newest.string() + "-20261130");
  }
  SUBCASE("copied and truncated") {
    fs::copy_file(log, log.string() + ".1");
    for (const fs::path& file : {log, newest}) std::ofstream(file, std::ios::trunc).close();
  }
  SUBCASE("compressed") {
    for (const fs::path& file : {log, fs::path(log.string() + ".2"), newest}) fs::remove(file);
    std::ofstream(log.string() + ".1.gz") << "\x1f\x8b";
    std::ofstream(newest.string() + ".1.gz") << "\x1f\x8b";
    continues = 1;
  }
  SUBCASE("only the newest decisions are left") {
    fs::remove(log);
    fs::remove(log.string() + ".2");
    fs::rename(newest, newest.string() + ".1");
    continues = 1;
  }
  const auto next = AppendRecords(log, kOneRecord, 0);
  REQUIRE(next.ok());
  CHECK(next->links[0].sequence == continues);
  CHECK(std::ranges::count_if(next->warnings, [](const std::string& warning) {
          return warning.find("new or empty, and ") != std::string::npos;
        }) == 1);
  CHECK(SaysMissing(Lines(log)[0]));
  CHECK(AppendRecords(log, kOneRecord, 0)->warnings.empty());
}

TEST_CASE("without a newest-decision file a log that is gone goes on after its newest segment, and says so") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  for (int record = 0; record < 20; ++record) REQUIRE(AppendRecords(log, kOneRecord, 0, 1000).ok());
  const std::int64_t last_of_segments = VerifySegments(log);
  fs::remove(log);
  fs::remove(NewestPath(log));
  REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
  CHECK(SaysMissing(Lines(log)[0]));
  CHECK(OpenRecord(Lines(log)[0])->link.sequence == last_of_segments + 1);
}

TEST_CASE(
    "a log whose last records were cut off, or that is another one, is recognised by what is known of it") {
  const TemporaryFolder folder;
  const fs::path log = folder.path() / "decisions.jsonl";
  const fs::path other = folder.path() / "other";
  for (int record = 0; record < 3; ++record) {
    REQUIRE(AppendRecords(log, kOneRecord, 0).ok());
    REQUIRE(AppendRecords(other, {R"("kind":"other")"}, 0).ok());
  }
  const Link last = OpenRecord(Lines(log)[2])->link;
  bool exchanged = false;
  SUBCASE("cut") { fs::resize_file(log, fs::file_size(log) - Lines(log)[2].size() - 1); }
  SUBCASE("exchanged for one as long") {
    fs::rename(other, log);
    exchanged = true;
  }
  const auto next = AppendRecords(log, kOneRecord, 0);
  REQUIRE(next.ok());
  CHECK(next->links[0].sequence == (exchanged ? 4 : 3));
  REQUIRE(next->warnings.size() == 1);
  CHECK(next->warnings[0].find("#3 was logged before: it was truncated") != std::string::npos);
  CHECK(Lines(log).back().find(fmt::format(R"("last_known":{{"sequence":3,"hash":"{}"}})", last.hash)) !=
        std::string::npos);
  CHECK(VerifyChain(Lines(log)) == next->links[0].sequence);
}

TEST_CASE("a log that a symbolic link names is rotated where it lies, and the link stays") {
  const TemporaryFolder folder;
  const fs::path disk = folder.path() / "disk";
  fs::create_directory(disk);
  const fs::path link = folder.path() / "decisions.jsonl";
  const fs::path log = disk / "log.jsonl";
  fs::create_symlink("disk/log.jsonl", link);  // of nothing yet
  for (int record = 0; record < 20; ++record) REQUIRE(AppendRecords(link, kOneRecord, 0, 1000).ok());
  CHECK(fs::is_symlink(link));
  CHECK(LogSegments(log).value().size() > 1);
  CHECK(LogFiles(link).value() == LogFiles(log).value());
  CHECK(VerifyFiles(LogFiles(log).value()) == 20);
  // Whoever comes by the other name goes on with the same chain.
  CHECK(AppendRecords(log, kOneRecord, 0, 1000)->links[0].sequence == 21);
  CHECK(ReadNewest(link).value()->last.sequence == 21);
  CHECK(fs::exists(disk / "log.newest.json"));
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
