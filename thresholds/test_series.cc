#include "thresholds/test_series.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>

#include "common/text.h"
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

}  // namespace outgrown::spec
