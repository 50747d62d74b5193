#include "rulegen/tree/unified_diff.h"

#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/text.h"

using outgrown::tree::UnifiedDiff;

namespace {

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return lines;
}

// Applies a unified diff as patch does, without fuzz: every context and removed line must be where the hunk says.
std::string Apply(const std::string& text, const std::string& diff) {
  const std::vector<std::string> old_lines = Lines(text);
  const std::vector<std::string> patch = Lines(diff);
  std::string result;
  std::size_t at = 0;
  for (std::size_t i = 2; i < patch.size(); ++i) {
    const std::string& line = patch[i];
    if (line.starts_with("@@")) {
      const std::string range = line.substr(4, line.find(' ', 4) - 4);
      const bool empty = range.ends_with(",0");
      const auto start =
          static_cast<std::size_t>(outgrown::ParseNumber(range.substr(0, range.find(','))).value());
      const std::size_t first = empty ? start : start - 1;
      REQUIRE(first >= at);
      for (; at < first; ++at) result += old_lines[at] + "\n";
      continue;
    }
    const std::string rest = line.substr(1);
    if (line[0] != '+') {
      REQUIRE(at < old_lines.size());
      REQUIRE(old_lines[at++] == rest);
    }
    if (line[0] != '-') result += rest + "\n";
  }
  for (; at < old_lines.size(); ++at) result += old_lines[at] + "\n";
  return result;
}

}  // namespace

TEST_CASE("a changed line is shown with three lines around it") {
  CHECK(UnifiedDiff("f", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n") ==
        "--- f\n+++ f\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n");
}

TEST_CASE("changes far apart are hunks of their own, near ones share one") {
  const std::string text = "a\n1\n2\n3\n4\n5\n6\n7\nb\n";
  CHECK(UnifiedDiff("f", text, "A\n1\n2\n3\n4\n5\n6\n7\nB\n") ==
        "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -6,4 +6,4 @@\n 5\n 6\n 7\n-b\n+B\n");
  CHECK(UnifiedDiff("f", "a\n1\n2\n3\n4\nb\n", "A\n1\n2\n3\n4\nB\n") ==
        "--- f\n+++ f\n@@ -1,6 +1,6 @@\n-a\n+A\n 1\n 2\n 3\n 4\n-b\n+B\n");
}

TEST_CASE("a file that is missing on a side is /dev/null there") {
  CHECK(UnifiedDiff("f", {}, "a\n") == "--- /dev/null\n+++ f\n@@ -0,0 +1 @@\n+a\n");
  CHECK(UnifiedDiff("f", "a\n", {}) == "--- f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n");
  CHECK(UnifiedDiff("f", "a\n", "a\n").empty());
}

TEST_CASE("a missing newline at the end is named") {
  CHECK(UnifiedDiff("f", "a", "a\n") == "--- f\n+++ f\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
}

TEST_CASE("a diff of random texts leads from one to the other") {
  const std::uint64_t seed = 20261123;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  const auto text = [&random](std::size_t lines_max, std::uint64_t alphabet) {
    std::string made;
    const std::size_t count = random() % (lines_max + 1);
    for (std::size_t i = 0; i < count; ++i)
      made += std::string(1, static_cast<char>('a' + random() % alphabet)) + "\n";
    return made;
  };
  for (int i = 0; i < 5'000; ++i) {
    const std::string from = text(40, 1 + random() % 20);
    const std::string to = text(40, 1 + random() % 20);
    CAPTURE(from);
    CAPTURE(to);
    REQUIRE(Apply(from, UnifiedDiff("f", from, to)) == to);
  }
  // More changes than the search goes through.
  const std::string from = text(3'000, 26);
  const std::string to = text(3'000, 26);
  CHECK(Apply(from, UnifiedDiff("f", from, to)) == to);
}
