#include "rulegen/artefacts/markdown.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rulegen/artefacts/escape.h"
#include "thresholds/mark.h"

namespace outgrown::emit {

std::string MarkdownHead(const spec::Spec& spec, std::string_view title) {
  return "<!-- " + GeneratedMark(spec) + " -->\n\n# " + MarkdownText(title) + "\n";
}

std::string MarkdownTable(const std::vector<std::string>& heads,
                          const std::vector<std::vector<std::string>>& rows) {
  const auto line = [](const std::vector<std::string>& cells) {
    std::string text = "|";
    for (const std::string& cell : cells) text += " " + cell + " |";
    return text + "\n";
  };
  std::string text = line(heads) + "|";
  for (std::size_t i = 0; i < heads.size(); ++i) text += "---|";
  text += "\n";
  for (const std::vector<std::string>& row : rows) text += line(row);
  return text;
}

std::string MarkdownBlock(std::string_view language, std::string_view code) {
  std::size_t longest = 2;
  std::size_t run = 0;
  for (const char c : code) {
    run = c == '`' ? run + 1 : 0;
    longest = std::max(longest, run);
  }
  const std::string fence(longest + 1, '`');
  return fence + std::string(language) + "\n" + std::string(code) + "\n" + fence + "\n";
}

}  // namespace outgrown::emit
