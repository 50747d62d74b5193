#include "rulegen/verify/wording.h"

#include <cstddef>

#include "common/text.h"

namespace outgrown::verify {
namespace {

// Room for a whole expression of a shipped signal.
constexpr std::size_t kShownMax = 1000;

}  // namespace

std::string Shown(std::string_view text) { return PlainText(text, kShownMax); }

std::string From(std::string_view file) { return file.empty() ? "" : " (from " + Shown(file) + ")"; }

}  // namespace outgrown::verify
