// Text in a Grafana dashboard: Grafana has no escape for its variables, so a character without width parts what would be
// one.
#include <cstddef>
#include <string>
#include <string_view>

#include "rulegen/artefacts/escape.h"

namespace outgrown::emit {
namespace {

constexpr std::string_view kWordJoiner = "\xE2\x81\xA0";  // U+2060

// $name, ${name} and [[name]].
bool BeginsVariable(std::string_view text, std::size_t at) {
  if (at + 1 >= text.size()) return false;
  const char next = text[at + 1];
  if (text[at] == '[') return next == '[';
  return text[at] == '$' && (next == '{' || next == '_' || (next >= '0' && next <= '9') ||
                             (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'));
}

}  // namespace

std::string GrafanaText(std::string_view text) {
  std::string escaped;
  for (std::size_t i = 0; i < text.size(); ++i) {
    escaped += text[i];
    if (BeginsVariable(text, i)) escaped += kWordJoiner;
  }
  return escaped;
}

}  // namespace outgrown::emit
