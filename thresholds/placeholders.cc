#include "thresholds/placeholders.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "common/duration.h"
#include "common/number.h"
#include "thresholds/diagnostic.h"
#include "thresholds/nearest.h"

namespace outgrown::spec {
namespace {

constexpr std::array<std::string_view, 5> kNames = {"digest", "identity", "window", "minimum", "maximum"};

std::string ValueOf(std::string_view name, const Spec& spec, std::string_view digest) {
  if (name == "digest") return std::string(digest);
  if (name == "minimum") return ExactNumber(spec.coverage.value_or(Coverage()).minimum);
  if (name == "maximum") return ExactNumber(spec.coverage.value_or(Coverage()).maximum);
  if (name == "window") {
    return FormatDuration(std::max<Milliseconds>(std::chrono::minutes(5), 4 * spec.rules.scrape_interval));
  }
  std::string labels;
  for (const std::string& label : spec.store.identity) labels += (labels.empty() ? "" : ", ") + label;
  return labels;
}

// The word of a "{word}" that `text` begins with; empty if it is something else. PromQL has no such thing outside of
// strings, where "${word}" is a part of a regular expression's replacement and not meant.
std::string_view WordInBraces(std::string_view text) {
  const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 1);
  if (end == std::string_view::npos || end == 1 || text[end] != '}') return {};
  return text.substr(1, end - 1);
}

}  // namespace

std::size_t Filled::Origin(std::size_t offset) const {
  std::size_t origin = offset;
  for (const Value& value : values) {
    if (offset < value.begin) break;
    if (offset < value.end) return value.original;
    origin = value.behind + (offset - value.end);
  }
  return origin;
}

Filled FillPlaceholders(std::string_view text, const Spec& spec, std::string_view digest) {
  Filled filled;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t brace = std::min(text.find('{', at), text.size());
    filled.text += text.substr(at, brace - at);
    at = brace;
    if (at == text.size()) break;
    const std::string_view word = WordInBraces(text.substr(at));
    const bool is_known = std::ranges::find(kNames, word) != kNames.end();
    if (!is_known) {
      const bool is_replacement = at > 0 && text[at - 1] == '$';
      if (!word.empty() && !is_replacement && !filled.problem) {
        filled.problem = Problem{
            at, "the unknown placeholder " + Quoted(text.substr(at, word.size() + 2)),
            "one of {digest}, {identity}, {window}, {minimum} and {maximum}" + DidYouMean(word, kNames)};
      }
      filled.text += text[at++];
      continue;
    }
    const std::size_t begin = filled.text.size();
    filled.text += ValueOf(word, spec, digest);
    filled.values.push_back({begin, filled.text.size(), at, at + word.size() + 2});
    at += word.size() + 2;
  }
  return filled;
}

std::string FillPlaceholders(std::string_view text, const Spec& spec) {
  return FillPlaceholders(text, spec, spec.digest).text;
}

}  // namespace outgrown::spec
