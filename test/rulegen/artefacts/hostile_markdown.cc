// Prints hostile texts as Markdown in every place where generated documents put them, or the texts themselves.
//
// Usage: hostile_markdown markdown|texts SEED COUNT
#include <cstdio>
#include <random>
#include <string>
#include <string_view>

#include "common/text.h"
#include "rulegen/artefacts/documents.h"
#include "rulegen/artefacts/escape.h"
#include "test/rulegen/support/hostile.h"

namespace {

using namespace outgrown;

void Print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void PrintMarkdown(const std::string& text) {
  Print("# x" + artefacts::MarkdownText(text) + "x\n\n- **x" + artefacts::MarkdownText(text) + "x** x" +
        artefacts::MarkdownText(text) + "x\n\n");
  Print(artefacts::MarkdownTable(
      {"a", "b"}, {{"x" + artefacts::MarkdownText(text) + "x", artefacts::MarkdownCode("x" + text + "x")}}));
  Print("\n");
}

}  // namespace

int main(int argc, char** argv) {
  const auto seed = argc == 4 ? ParseNumber(argv[2]) : std::nullopt;
  const auto count = argc == 4 ? ParseNumber(argv[3]) : std::nullopt;
  if (!seed || !count) return 2;
  std::mt19937_64 random(static_cast<std::uint64_t>(*seed));
  for (int i = 0; i < static_cast<int>(*count); ++i) {
    const std::string text = test::HostileString(random);
    if (std::string_view(argv[1]) == "markdown") {
      PrintMarkdown(text);
    } else {
      Print(text);
      std::fputc('\x1e', stdout);
    }
  }
  return 0;
}
