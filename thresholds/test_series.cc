#include "thresholds/test_series.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <functional>
#include <map>
#include <span>
#include <string>

#include "common/horizons.h"
#include "common/text.h"
#include "common/time_text.h"
#include "thresholds/diagnostic.h"
#include "thresholds/names.h"

namespace outgrown::spec {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kExpected =
    R"(promtool's notation, such as "0+1x40", "5x40", "1 _ 3" or "_x3 stale")";

// The next item between white space, taken off `rest`; empty at the end.
std::string_view NextItem(std::string_view& rest) {
  const std::size_t begin = rest.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return rest = {};
  const std::size_t end = std::min(rest.find_first_of(kSpace, begin), rest.size());
  const std::string_view item = rest.substr(begin, end - begin);
  rest.remove_prefix(end);
  return item;
}

bool TakeDigits(std::string_view& text) {
  const std::size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(count);
  return count > 0;
}

// Takes an unsigned decimal number off the front: 12, 1.5, .5, 1e3, 2.5e-4.
// By hand, because numbers, signs and xN follow each other without separators; from_chars would also take
// inf, nan and a minus sign here.
bool TakeNumber(std::string_view& text) {
  bool digits = TakeDigits(text);
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits = TakeDigits(text) || digits;
  }
  if (!digits) return false;
  if (text.starts_with('e') || text.starts_with('E')) {
    text.remove_prefix(1);
    if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
    return TakeDigits(text);
  }
  return true;
}

// The N of a trailing xN, which must be all that is left.
std::optional<std::size_t> TakeTimes(std::string_view text) {
  if (!text.starts_with('x')) return std::nullopt;
  text.remove_prefix(1);
  std::size_t times = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), times);
  // Too many is said as such, not as a wrong notation; the caller adds up without overflow, because each item
  // is capped.
  if (error == std::errc::result_out_of_range) return kSamplesMax;
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::min(times, kSamplesMax);
}

// The places in time that one item fills; nothing if it is wrong.
std::optional<std::size_t> CountSamples(std::string_view item) {
  if (item == "stale" || item == "NaN" || item == "Inf" || item == "+Inf" || item == "-Inf") return 1;
  if (item.starts_with('_')) return item.size() == 1 ? 1 : TakeTimes(item.substr(1));
  if (item.starts_with('+') || item.starts_with('-')) item.remove_prefix(1);
  if (!TakeNumber(item)) return std::nullopt;
  if (item.empty()) return 1;
  if (item.starts_with('+') || item.starts_with('-')) {
    item.remove_prefix(1);
    if (!TakeNumber(item)) return std::nullopt;
  }
  const std::optional<std::size_t> times = TakeTimes(item);
  if (!times) return std::nullopt;
  // VALUExN is the value and N repetitions of it.
  return *times + 1;
}

}  // namespace

Notation ReadNotation(std::string_view text) {
  Notation notation;
  std::string_view rest = text;
  for (std::string_view item = NextItem(rest); !item.empty(); item = NextItem(rest)) {
    const auto offset = static_cast<std::size_t>(item.data() - text.data());
    const std::optional<std::size_t> samples = CountSamples(item);
    if (!samples) {
      notation.problem = Problem{offset, Quoted(item), std::string(kExpected)};
      return notation;
    }
    notation.samples += *samples;
    if (notation.samples > kSamplesMax) {
      notation.problem =
          Problem{offset, Quoted(item), "at most " + std::to_string(kSamplesMax) + " samples a series"};
      return notation;
    }
  }
  if (notation.samples == 0) notation.problem = Problem{0, "no sample", std::string(kExpected)};
  return notation;
}

std::string NormaliseNotation(std::string_view text) {
  std::string normalised;
  std::string_view rest = text;
  for (std::string_view item = NextItem(rest); !item.empty(); item = NextItem(rest)) {
    if (!normalised.empty()) normalised += ' ';
    normalised += item;
  }
  return normalised;
}

std::optional<TestSeries> ReadTestSeries(std::string_view text) {
  const References references = FindReferences(text);
  const Lexed lexed = LexPromql(text);
  if (!references.problems.empty() || references.selectors.size() != 1 || lexed.tokens.empty() ||
      lexed.tokens[0].kind != TokenKind::kName) {
    return std::nullopt;
  }
  // A series is a name, or a name and one pair of braces at the end: no range, no function, no operator.
  const bool is_series =
      lexed.tokens.size() == 1 || (lexed.tokens[1].text == "{" && lexed.tokens.back().text == "}" &&
                                   std::ranges::count(lexed.tokens, "{", &Token::text) == 1);
  if (!is_series) return std::nullopt;
  TestSeries series{references.selectors[0].metric.name, {}};
  for (const Matcher& matcher : references.selectors[0].matchers) {
    // A series has values; patterns only select.
    if (matcher.operation != "=") return std::nullopt;
    series.labels.push_back({matcher.label.name, matcher.value});
  }
  return series;
}

std::optional<std::string_view> PlainValue(std::string_view literal) {
  const std::string_view value = literal.substr(1, literal.size() - 2);
  if (value.find('\\') != std::string_view::npos) return std::nullopt;
  return value;
}

bool NamesSeveralStores(const Store& store, const SignalTest& test) {
  std::map<std::string_view, std::string> values;
  for (const auto& [selector, samples] : test.series) {
    const std::optional<TestSeries> series = ReadTestSeries(selector);
    if (!series) return false;
    for (const std::string& label : store.identity) {
      const auto named = std::ranges::find(series->labels, label, &TestLabel::name);
      std::string value = ExampleValue(label);
      if (named != series->labels.end()) value = PlainValue(named->literal).value_or("");
      if (value.empty()) continue;
      // An empty value is a label that the series lacks: it belongs to no store.
      const auto [first, is_new] = values.emplace(label, value);
      if (!is_new && first->second != value) return true;
    }
  }
  return false;
}

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
