// Text in a Go template that has to come out as it went in.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "rulegen/artefacts/escape.h"

namespace outgrown::emit {

std::string GoTemplateText(std::string_view text) {
  std::string escaped;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] != '{') {
      escaped += text[at++];
      continue;
    }
    // A whole run of braces becomes one action that prints it, also a single one at the end: an action may
    // follow there.
    const std::size_t end = std::min(text.find_first_not_of('{', at), text.size());
    const bool harmless = end - at == 1 && end < text.size();
    const std::string run(text.substr(at, end - at));
    escaped += harmless ? run : "{{\"" + run + "\"}}";
    at = end;
  }
  return escaped;
}

}  // namespace outgrown::emit
