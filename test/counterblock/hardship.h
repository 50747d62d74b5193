// What tests of a hostile system share: opening a block in a child process that was made to lack something.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "test/counterblock/block_folder.h"
#include "test/support/child.h"

namespace outgrown::test {

struct ProblemText {
  char bytes[512];
};

// What WriteProblem says in a child that has run `prepare` first, or how the child ended; "exit 77" if `prepare` was
// false.
template <typename Prepare>
std::string ProblemAfter(const BlockFolder& folder, std::uint32_t slots, Prepare&& prepare) {
  const Shared<ProblemText> problem;
  const std::string ended = RunInChild([&] {
    if (!prepare()) return 77;
    const std::string text = folder.WriteProblem(slots);
    text.copy(problem->bytes, sizeof problem->bytes - 1);
    return 0;
  });
  return ended == "exit 0" ? std::string(problem->bytes) : ended;
}

inline int FilesIn(const std::string& folder) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    static_cast<void>(entry);
    ++files;
  }
  return files;
}

}  // namespace outgrown::test
