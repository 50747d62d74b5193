#include "rulegen/warnings.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "common/text.h"

namespace outgrown::commands {
namespace {

// A fleet's warnings repeat themselves; more than these nobody reads.
constexpr std::size_t kWarningsMax = 20;

}  // namespace

void Warnings::Add(const std::vector<std::string>& texts, bool answered) {
  // Where nothing answers, one query's words tell it all.
  const std::size_t count = answered ? texts.size() : std::min<std::size_t>(1, texts.size());
  texts_.insert(texts_.end(), texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(count));
}

void Warnings::Print() const {
  const std::size_t shown = std::min(texts_.size(), kWarningsMax);
  for (std::size_t index = 0; index < shown; ++index)
    fmt::print(stderr, "rulegen: warning: {}\n", PlainText(texts_[index]));
  if (texts_.size() > shown) fmt::print(stderr, "rulegen: and {} more warnings\n", texts_.size() - shown);
}

}  // namespace outgrown::commands
