// The specs under test/golden/bad: a base, and in each NAME.txt cases that say what is different from it and which diagnostics
// that gives:
//
//   === expr-bad-range                   the case's name, which is the spec's file name in its diagnostics
//   @37                                  at this line of the base
//   -expr = "sum by (job) (queue_up)"    these lines are gone
//   +expr = "rate(queue_jobs[five])"     and these stand there
//   ---
//   expr-bad-range.toml:37:...           its diagnostics, up to the next case
//
// "@whole": the lines are the whole spec. "~" is "+" with \xNN for bytes that a text file should not have.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "common/check.h"
#include "common/file.h"

namespace outgrown::test {

struct BadSpec {
  std::string name;
  std::string change;    // as the file has it, up to and with "---"
  std::string toml;      // the base, changed
  std::string expected;  // diagnostics
};

inline std::vector<std::string> LinesOf(std::string_view text) {
  std::vector<std::string> lines;
  for (std::size_t end = text.find('\n'); end != std::string_view::npos; end = text.find('\n')) {
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end + 1);
  }
  OUTGROWN_CHECK(text.empty());
  return lines;
}

inline std::string Unescaped(std::string_view text) {
  std::string bytes;
  while (!text.empty()) {
    if (!text.starts_with("\\x")) {
      bytes += text[0];
      text.remove_prefix(1);
      continue;
    }
    unsigned byte = 0;
    std::from_chars(text.data() + 2, text.data() + 4, byte, 16);
    bytes += static_cast<char>(byte);
    text.remove_prefix(4);
  }
  return bytes;
}

// `base` with the change in it. A line that is to go and isn't there is a mistake of the file.
inline std::string Changed(std::vector<std::string> base, const std::vector<std::string>& change) {
  std::vector<std::string> changed;
  std::size_t at = 0;  // of the base, what is not yet taken
  for (const std::string& line : change) {
    const std::string_view rest = std::string_view(line).substr(1);
    if (line == "@whole") {
      at = base.size();
    } else if (line[0] == '@') {
      std::size_t number = 0;
      std::from_chars(rest.data(), rest.data() + rest.size(), number);
      OUTGROWN_CHECK(number > at && number <= base.size() + 1);
      while (at + 1 < number) changed.push_back(base[at++]);
    } else if (line[0] == '-') {
      OUTGROWN_CHECK(at < base.size() && base[at] == rest);
      ++at;
    } else {
      OUTGROWN_CHECK(line[0] == '+' || line[0] == '~');
      changed.push_back(line[0] == '+' ? std::string(rest) : Unescaped(rest));
    }
  }
  while (at < base.size()) changed.push_back(base[at++]);
  std::string text;
  for (const std::string& line : changed) text += line + "\n";
  return text;
}

// The cases of one file, in its order. base.toml is beside it.
inline std::vector<BadSpec> ReadBadSpecs(const std::filesystem::path& file) {
  const std::vector<std::string> base = LinesOf(ReadFile(file.parent_path() / "base.toml").value());
  std::vector<BadSpec> specs;
  std::vector<std::string> change;
  bool in_change = false;
  for (const std::string& line : LinesOf(ReadFile(file).value())) {
    if (line.starts_with("=== ")) {
      specs.push_back({line.substr(4), "", "", ""});
      change.clear();
      in_change = true;
    }
    OUTGROWN_CHECK(!specs.empty());
    BadSpec& spec = specs.back();
    (in_change ? spec.change : spec.expected) += line + "\n";
    if (in_change && line == "---") {
      in_change = false;
      spec.toml = Changed(base, change);
    } else if (in_change && !line.starts_with("=== ")) {
      change.push_back(line);
    }
  }
  // The blank line before the next case is none of the diagnostics.
  for (std::size_t i = 0; i + 1 < specs.size(); ++i) {
    OUTGROWN_CHECK(specs[i].expected.ends_with("\n\n"));
    specs[i].expected.pop_back();
  }
  return specs;
}

// Every file of cases in the folder, sorted.
inline std::vector<std::filesystem::path> BadSpecFiles(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".txt") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

}  // namespace outgrown::test
