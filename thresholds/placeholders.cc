#include "thresholds/placeholders.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/horizons.h"
#include "common/text.h"
#include "common/time_text.h"
#include "thresholds/diagnostic.h"
#include "thresholds/names.h"

namespace outgrown::spec {
namespace {

// The last two only where there is a [coverage].
constexpr std::array<std::string_view, 8> kOfWatches = {"digest",   "identity",         "window",  "missing",
                                                        "lookback", "lookback_seconds", "minimum", "maximum"};
constexpr std::size_t kOfCoverage = 2;
constexpr std::array<std::string_view, 2> kOfPanels = {"identity", "shown"};

std::string Identity(const Spec& spec) {
  std::string labels;
  for (const std::string& label : spec.store.identity) labels += (labels.empty() ? "" : ", ") + label;
  return labels;
}

// Behind each title that {missing} names but the last.
constexpr const char* kSeparator = ", ";

// `text` as the replacement of a regular expression, in which $1 is a group's match.
// label_replace expands $1 and ${name} in it (Go's regexp.Expand); $$ is a dollar sign.
std::string Replacement(std::string_view text) {
  std::string replacement;
  for (const char c : text) replacement += c == '$' ? "$$" : std::string(1, c);
  return replacement;
}

// One series a store, as an alert on one fires once however many signals are gone: the factor of a signal
// that is there is 1, else 2 with the signal's title in a label of its own, which are joined in the end.
std::string MissingSignals(const Spec& spec) {
  const std::string identity = Identity(spec);
  // Thresholds alone count: a signal that no threshold compares changes no verdict, and its absence no alert.
  const std::string on = " on (" + identity + ") ";
  const std::string stores = "group by (" + identity + ") (" + spec.store.present + ")";
  std::string product;
  std::string labels;
  int judged = 0;
  for (const Signal& signal : spec.signals) {
    if (std::ranges::find(spec.thresholds, signal.id, &Threshold::signal) == spec.thresholds.end()) continue;
    const std::string label = "missing_" + std::to_string(++judged);
    if (judged > 1) product += " *" + on + "group_left (" + label + ") ";
    // abs(x) < +Inf is false for NaN and both infinities, so only a finite value counts as recorded. `unless`
    // and `or` keep one series a store on the left and on the right of every product.
    product += "(label_replace(2 * (" + stores + " unless" + on + "abs(" +
               RecordedSeries(spec.store, signal.id) + ") < +Inf), \"" + label + "\", " +
               spec::PromqlString(Replacement(signal.title) + kSeparator) + ", \"\", \"\") or" + on + stores +
               ")";
    labels += ", \"" + label + "\"";
  }
  // No signal can be missing where none is judged.
  if (judged == 0) return stores + " < 1";
  // label_join puts all titles into one label, of which the last separator is cut off; max drops the labels
  // in between.
  return "max by (" + identity + ", missing) (label_replace(label_join((" + product +
         ") > 1, \"missing\", \"\"" + labels + "), \"missing\", \"$1\", \"missing\", \"(.*)" + kSeparator +
         "\"))";
}

std::string ValueOf(std::string_view name, const Spec& spec, std::string_view digest) {
  if (name == "digest") return std::string(digest);
  if (name == "missing") return MissingSignals(spec);
  if (name == "lookback") return FormatDuration(Milliseconds(kLookbackMs));
  if (name == "lookback_seconds") return std::to_string(kLookbackMs / 1000);
  if (name == "minimum") return ExactNumber(spec.coverage->minimum);
  if (name == "maximum") return ExactNumber(spec.coverage->maximum);
  if (name == "window") {
    // The same four scrapes that validation demands of a window.
    return FormatDuration(std::max<Milliseconds>(std::chrono::minutes(5), 4 * spec.rules.scrape_interval));
  }
  return Identity(spec);
}

// The word of a "{word}" that `text` begins with; empty if it is something else. PromQL has no such thing
// outside of strings, where "${word}" is a part of a regular expression's replacement and not meant.
std::string_view WordInBraces(std::string_view text) {
  const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz_", 1);
  if (end == std::string_view::npos || end == 1 || text[end] != '}') return {};
  return text.substr(1, end - 1);
}

// `value_of` gives the value of a name that is one of `names`; a diagnostic lists them as `listed`.
Filled Fill(std::string_view text, std::span<const std::string_view> names, std::string_view listed,
            const std::function<std::string(std::string_view)>& value_of) {
  Filled filled;
  std::size_t at = 0;
  while (at < text.size()) {
    // One pass from the left: what a placeholder's value contains is not looked at again.
    const std::size_t brace = std::min(text.find('{', at), text.size());
    filled.text += text.substr(at, brace - at);
    at = brace;
    if (at == text.size()) break;
    const std::string_view word = WordInBraces(text.substr(at));
    const bool is_known = std::ranges::find(names, word) != names.end();
    if (!is_known) {
      const bool is_replacement = at > 0 && text[at - 1] == '$';
      if (!word.empty() && !is_replacement && !filled.problem) {
        const std::vector<std::string_view> candidates(names.begin(), names.end());
        filled.problem = Problem{at, "the unknown placeholder " + Quoted(text.substr(at, word.size() + 2)),
                                 "one of " + std::string(listed) + DidYouMean(word, candidates)};
      }
      filled.text += text[at++];
      continue;
    }
    const std::size_t begin = filled.text.size();
    filled.text += value_of(word);
    filled.values.push_back({begin, filled.text.size(), at, at + word.size() + 2});
    at += word.size() + 2;
  }
  return filled;
}

}  // namespace

std::size_t Filled::Origin(std::size_t offset) const {
  std::size_t origin = offset;
  for (const Value& value : values) {
    if (offset < value.begin) break;
    // Inside of a value there is no place in the original but the placeholder's.
    if (offset < value.end) return value.original;
    origin = value.behind + (offset - value.end);
  }
  return origin;
}

Filled FillPlaceholders(std::string_view text, const Spec& spec, std::string_view digest) {
  const std::span<const std::string_view> names(kOfWatches);
  return Fill(
      text, names.first(names.size() - (spec.coverage ? 0 : kOfCoverage)),
      "{digest}, {identity}, {window}, {missing}, {lookback}, {lookback_seconds}, and beside a [coverage] "
      "{minimum} and {maximum}",
      [&](std::string_view name) { return ValueOf(name, spec, digest); });
}

std::string FillPlaceholders(std::string_view text, const Spec& spec) {
  return FillPlaceholders(text, spec, spec.digest).text;
}

Filled FillPanelQuery(std::string_view query, const Spec& spec, const std::string& shown) {
  return Fill(query, kOfPanels, "{identity} and {shown}",
              [&](std::string_view name) { return name == "shown" ? shown : Identity(spec); });
}

}  // namespace outgrown::spec
