#include "rulegen/tree/unified_diff.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace outgrown::tree {
namespace {

using Lines = std::vector<std::string_view>;

constexpr std::size_t kContext = 3;
// Up to this many changed lines the shortest diff is searched; memory and time grow with the square (a row
// for each edit).
constexpr int kEditsMax = 1'000;

enum class Kind : char { kSame = ' ', kOld = '-', kNew = '+' };

struct Edit {
  Kind kind;
  std::string_view line;
};

// A line keeps its line break, so that a file without one at its end differs from one with it.
Lines Split(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const std::size_t length = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, length));
    text.remove_prefix(length);
  }
  return lines;
}

// Myers, "An O(ND) Difference Algorithm and Its Variations" (1986): for each number of edits the farthest
// point on every diagonal; then back from the end. Nothing if it takes more than kEditsMax edits. Lines are
// counted in int: files that were read are bounded (common/file.h), far below 2^31 lines.
class Myers {
 public:
  Myers(const Lines& old_lines, const Lines& new_lines)
      : old_(old_lines),
        new_(new_lines),
        old_size_(static_cast<int>(old_lines.size())),
        new_size_(static_cast<int>(new_lines.size())) {}

  std::optional<std::vector<Edit>> Run() {
    // One diagonal more on each side than there are edits: the first step reads a neighbour that nothing has
    // written, 0.
    const int edits_max = std::min(old_size_ + new_size_, kEditsMax);
    std::vector<int> farthest(2 * static_cast<std::size_t>(edits_max) + 3, 0);
    const auto at = [&](std::ptrdiff_t diagonal) -> int& {
      return farthest[static_cast<std::size_t>(diagonal + edits_max + 1)];
    };
    for (int edits = 0; edits <= edits_max; ++edits) {
      for (int diagonal = -edits; diagonal <= edits; diagonal += 2) {
        // The neighbour that got farther; at the edges there is only one. Down is an inserted line, right is
        // a deleted one.
        const bool down = diagonal == -edits || (diagonal != edits && at(diagonal - 1) < at(diagonal + 1));
        int x = down ? at(diagonal + 1) : at(diagonal - 1) + 1;
        while (x < old_size_ && x - diagonal < new_size_ && Old(x) == New(x - diagonal)) ++x;
        at(diagonal) = x;
        if (x >= old_size_ && x - diagonal >= new_size_) {
          Remember(farthest, edits, edits_max);
          return Back(edits);
        }
      }
      Remember(farthest, edits, edits_max);
    }
    return {};
  }

 private:
  std::string_view Old(int x) const { return old_[static_cast<std::size_t>(x)]; }
  std::string_view New(int y) const { return new_[static_cast<std::size_t>(y)]; }

  // The row of diagonals -edits..edits.
  // The way back needs the state after each number of edits, hence the square.
  void Remember(const std::vector<int>& farthest, std::ptrdiff_t edits, std::ptrdiff_t edits_max) {
    const auto first = farthest.begin() + (edits_max + 1 - edits);
    trace_.emplace_back(first, first + 2 * edits + 1);
  }

  // -1 where the search has no such diagonal.
  int Farthest(std::ptrdiff_t edits, std::ptrdiff_t diagonal) const {
    if (diagonal < -edits || diagonal > edits) return -1;
    return trace_[static_cast<std::size_t>(edits)][static_cast<std::size_t>(diagonal + edits)];
  }

  std::vector<Edit> Back(int edits) const {
    std::vector<Edit> script;
    int x = old_size_;
    int y = new_size_;
    for (; edits > 0; --edits) {
      const int diagonal = x - y;
      const bool down = diagonal == -edits || (diagonal != edits && Farthest(edits - 1, diagonal - 1) <
                                                                        Farthest(edits - 1, diagonal + 1));
      const int before_x = down ? Farthest(edits - 1, diagonal + 1) : Farthest(edits - 1, diagonal - 1);
      const int before_y = before_x - (down ? diagonal + 1 : diagonal - 1);
      while (x > before_x && y > before_y) {
        script.push_back({Kind::kSame, Old(--x)});
        --y;
      }
      script.push_back(down ? Edit{Kind::kNew, New(--y)} : Edit{Kind::kOld, Old(--x)});
    }
    while (x > 0) script.push_back({Kind::kSame, Old(--x)});
    std::ranges::reverse(script);
    return script;
  }

  const Lines& old_;
  const Lines& new_;
  const int old_size_;
  const int new_size_;
  std::vector<std::vector<int>> trace_;
};

std::vector<Edit> Script(const Lines& old_lines, const Lines& new_lines) {
  // Equal lines at both ends need no search, and a changed threshold leaves most of a file equal.
  std::size_t head = 0;
  while (head < old_lines.size() && head < new_lines.size() && old_lines[head] == new_lines[head]) ++head;
  std::size_t tail = 0;
  while (tail < old_lines.size() - head && tail < new_lines.size() - head &&
         old_lines[old_lines.size() - 1 - tail] == new_lines[new_lines.size() - 1 - tail]) {
    ++tail;
  }
  const Lines old_middle(old_lines.begin() + static_cast<std::ptrdiff_t>(head),
                         old_lines.end() - static_cast<std::ptrdiff_t>(tail));
  const Lines new_middle(new_lines.begin() + static_cast<std::ptrdiff_t>(head),
                         new_lines.end() - static_cast<std::ptrdiff_t>(tail));
  std::vector<Edit> script;
  for (std::size_t i = 0; i < head; ++i) script.push_back({Kind::kSame, old_lines[i]});
  // Too different for the shortest script: all of the old, then all of the new. Still a valid diff, in linear
  // time.
  if (const std::optional<std::vector<Edit>> middle = Myers(old_middle, new_middle).Run()) {
    script.insert(script.end(), middle->begin(), middle->end());
  } else {
    for (const std::string_view line : old_middle) script.push_back({Kind::kOld, line});
    for (const std::string_view line : new_middle) script.push_back({Kind::kNew, line});
  }
  for (std::size_t i = old_lines.size() - tail; i < old_lines.size(); ++i) {
    script.push_back({Kind::kSame, old_lines[i]});
  }
  return script;
}

// "12,3", "12" for one line, "11,0" for none (then the line before it is named).
std::string Range(std::size_t start, std::size_t count) {
  if (count == 1) return fmt::format("{}", start + 1);
  return fmt::format("{},{}", count == 0 ? start : start + 1, count);
}

// One hunk: script[first, last).
std::string Hunk(const std::vector<Edit>& script, std::size_t first, std::size_t last, std::size_t old_start,
                 std::size_t new_start) {
  std::size_t old_count = 0;
  std::size_t new_count = 0;
  std::string body;
  for (std::size_t i = first; i < last; ++i) {
    if (script[i].kind != Kind::kNew) ++old_count;
    if (script[i].kind != Kind::kOld) ++new_count;
    body += static_cast<char>(script[i].kind);
    body += script[i].line;
    if (!script[i].line.ends_with('\n')) body += "\n\\ No newline at end of file\n";
  }
  return fmt::format("@@ -{} +{} @@\n", Range(old_start, old_count), Range(new_start, new_count)) + body;
}

// Two changes share a hunk if at most twice the context lies between them, as diff(1) does.
std::string Hunks(const std::vector<Edit>& script) {
  std::string text;
  std::size_t old_line = 0;
  std::size_t new_line = 0;
  for (std::size_t i = 0; i < script.size();) {
    if (script[i].kind == Kind::kSame) {
      ++i;
      ++old_line;
      ++new_line;
      continue;
    }
    const std::size_t before = std::min(kContext, std::min(old_line, new_line));
    std::size_t last = i;  // behind the last change of the hunk
    std::size_t end = i;
    for (; end < script.size() && end < last + 2 * kContext + 1; ++end) {
      if (script[end].kind != Kind::kSame) last = end + 1;
    }
    end = std::min(last + kContext, script.size());
    text += Hunk(script, i - before, end, old_line - before, new_line - before);
    for (; i < end; ++i) {
      if (script[i].kind != Kind::kNew) ++old_line;
      if (script[i].kind != Kind::kOld) ++new_line;
    }
  }
  return text;
}

}  // namespace

std::string UnifiedDiff(std::string_view path, const std::optional<std::string>& on_disk,
                        const std::optional<std::string>& generated) {
  if (on_disk == generated) return "";
  const std::string hunks = Hunks(Script(Split(on_disk.value_or("")), Split(generated.value_or(""))));
  return fmt::format("--- {}\n+++ {}\n", on_disk ? path : "/dev/null", generated ? path : "/dev/null") +
         hunks;
}

}  // namespace outgrown::tree
