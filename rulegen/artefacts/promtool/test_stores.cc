#include "rulegen/artefacts/promtool/test_stores.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/check.h"
#include "common/text.h"
#include "thresholds/names.h"
#include "thresholds/placeholders.h"
#include "thresholds/promql.h"
#include "thresholds/test_series.h"

namespace outgrown::artefacts {
namespace {

// Far more than a case needs. "0x4000000000" in a spec must not exhaust the memory.
constexpr std::size_t kValuesMax = 1'000'000;

std::optional<std::size_t> ParseCount(std::string_view text) {
  const std::optional<double> count = ParseNumber(text);
  if (!count || *count < 0 || *count > static_cast<double>(kValuesMax) || *count != std::floor(*count))
    return {};
  return static_cast<std::size_t>(*count);
}

// The place of the step's sign in "a+b": not the leading sign, not an exponent's. npos if there is none.
std::size_t StepSign(std::string_view text) {
  for (std::size_t i = 1; i < text.size(); ++i) {
    if ((text[i] == '+' || text[i] == '-') && text[i - 1] != 'e' && text[i - 1] != 'E') return i;
  }
  return std::string_view::npos;
}

// Appends one word; false if it is none of the notation's.
bool ExpandWord(std::string_view word, SeriesValues& values) {
  if (word == "stale") {
    values.emplace_back();
    return true;
  }
  std::size_t times = 0;  // after the first value
  const std::size_t x = word.find('x');
  if (x != std::string_view::npos) {
    const std::optional<std::size_t> count = ParseCount(word.substr(x + 1));
    if (!count) return false;
    times = *count;
    word = word.substr(0, x);
  }
  if (values.size() + times >= kValuesMax) return false;
  if (word == "_") {
    // "_x4" is four gaps, where "1x4" is five values.
    values.resize(values.size() + (x == std::string_view::npos ? 1 : times));
    return true;
  }
  const std::size_t sign = StepSign(word);
  const std::optional<double> start = ParseNumber(word.substr(0, sign));
  std::optional<double> step = 0;
  if (sign != std::string_view::npos) {
    if (x == std::string_view::npos) return false;
    step = ParseNumber(word.substr(sign + 1));
    if (step && word[sign] == '-') step = -*step;
  }
  if (!start || !step) return false;
  double value = *start;
  for (std::size_t i = 0; i <= times; ++i) {
    values.emplace_back(value);
    value += *step;
  }
  return true;
}

// How many values from `at` on go in equal steps, as promtool adds them up.
// Compared by ==: the notation must give back the very same values. Where the sum of a long run differs in
// its last bits, the run is written in two words.
std::size_t RunLength(const SeriesValues& values, std::size_t at) {
  if (at + 1 >= values.size() || !values[at] || !values[at + 1]) return 1;
  const double step = *values[at + 1] - *values[at];
  std::size_t end = at + 1;
  double value = *values[at] + step;
  while (end < values.size() && values[end] && *values[end] == value) {
    value += step;
    ++end;
  }
  return end - at;
}

std::string WriteRun(double start, double step, std::size_t count) {
  std::string word = ExactNumber(start);
  if (count == 1) return word;
  if (step > 0) word += "+" + ExactNumber(step);
  if (step < 0) word += "-" + ExactNumber(-step);
  return word + "x" + std::to_string(count - 1);
}

}  // namespace

std::vector<Pair> ExampleStore(const spec::Spec& spec) {
  std::vector<Pair> labels;
  for (const std::string& label : spec.store.identity) labels.push_back({label, spec::ExampleValue(label)});
  return labels;
}

// An example value ends in "-a"; a value that the case names itself gets the ending added.
std::vector<Pair> OtherStore(std::vector<Pair> store, std::string_view label) {
  for (Pair& pair : store) {
    if (pair.name != label) continue;
    if (pair.value.ends_with("-a")) pair.value.resize(pair.value.size() - 2);
    pair.value += "-b";
  }
  return store;
}

// The last label, since that is what names the store in texts and legends, as the database does.
std::vector<Pair> StoreNamed(const spec::Spec& spec, std::string_view what) {
  std::vector<Pair> labels = ExampleStore(spec);
  labels.back().value = what;
  return labels;
}

// The store's labels come first: the text is also a key, by which a series of several stores is found to be
// the same.
std::string Selector(std::string_view selector, const std::vector<Pair>& labels) {
  const std::size_t brace = selector.find('{');
  std::string_view matchers;
  if (brace != std::string_view::npos) {
    matchers = selector.substr(brace + 1);
    matchers = matchers.substr(0, matchers.rfind('}'));
  }
  std::string text(selector.substr(0, brace));
  while (text.ends_with(' ')) text.pop_back();
  std::string inside;
  for (const Pair& label : labels) {
    if (!inside.empty()) inside += ',';
    inside += label.name + "=" + spec::PromqlString(label.value);
  }
  if (matchers.find_first_not_of(' ') != std::string_view::npos) {
    if (!inside.empty()) inside += ',';
    inside += matchers;
  }
  if (!inside.empty()) text += "{" + inside + "}";
  return text;
}

// A selector that names no label of the identity is kept as it was written; else it is put together again
// without them.
std::vector<CaseSeries> SeriesOfCase(const spec::Spec& spec, const spec::SignalTest& from) {
  std::vector<CaseSeries> all;
  for (const auto& [written, notation] : from.series) {
    const std::string selector = spec::FillPlaceholders(written, spec);
    CaseSeries series{selector, ExampleStore(spec), {}, notation};
    // Not null: the spec's validation has read the same text.
    const std::optional<spec::TestSeries> read = spec::ReadTestSeries(selector);
    OUTGROWN_CHECK(read.has_value());
    std::string others;
    bool names_identity = false;
    for (const spec::TestLabel& label : read->labels) {
      const std::string value(spec::PlainValue(label.literal).value_or(""));
      const auto own = std::ranges::find(series.store, label.name, &Pair::name);
      if (own != series.store.end()) {
        names_identity = true;
        own->value = value;
        continue;
      }
      if (!others.empty()) others += ',';
      others += std::string(label.name) + "=" + std::string(label.literal);
      series.more.push_back({std::string(label.name), value});
    }
    if (names_identity) series.text = std::string(read->metric) + (others.empty() ? "" : "{" + others + "}");
    all.push_back(std::move(series));
  }
  return all;
}

std::vector<std::vector<Pair>> StoresOfCase(const spec::Spec& spec, const std::vector<std::string>& labels,
                                            const spec::SignalTest& from) {
  std::vector<std::vector<Pair>> stores;
  std::set<std::string> seen;
  std::vector<Pair> example;
  for (const std::string& label : labels) {
    const auto made = std::ranges::find(from.labels, label, &std::pair<std::string, std::string>::first);
    example.push_back({label, made == from.labels.end() ? spec::ExampleValue(label) : made->second});
  }
  for (const CaseSeries& series : SeriesOfCase(spec, from)) {
    std::vector<Pair> store = example;
    const bool is_whole = std::ranges::all_of(store, [&](Pair& label) {
      for (const std::vector<Pair>* own : {&series.store, &series.more}) {
        const auto found = std::ranges::find(*own, label.name, &Pair::name);
        if (found != own->end()) label.value = found->value;
        if (found != own->end()) return !label.value.empty();
      }
      return std::ranges::count(from.labels, label.name, &std::pair<std::string, std::string>::first) > 0;
    });
    if (is_whole && seen.insert(Selector("", store)).second) stores.push_back(std::move(store));
  }
  // A case without a whole series, such as absent(), is about the store that the alert's labels name.
  if (stores.empty()) stores.push_back(std::move(example));
  return stores;
}

std::optional<SeriesValues> ExpandSeries(std::string_view notation) {
  SeriesValues values;
  std::size_t at = notation.find_first_not_of(' ');
  while (at != std::string_view::npos) {
    const std::size_t end = notation.find(' ', at);
    if (!ExpandWord(notation.substr(at, end - at), values)) return {};
    at = notation.find_first_not_of(' ', end);
  }
  return values;
}

std::string WriteSeries(const SeriesValues& values) {
  std::string notation;
  for (std::size_t at = 0; at < values.size();) {
    if (!notation.empty()) notation += ' ';
    if (!values[at]) {
      std::size_t end = at;
      while (end < values.size() && !values[end]) ++end;
      notation += "_x" + std::to_string(end - at);
      at = end;
      continue;
    }
    const std::size_t length = RunLength(values, at);
    const double step = length > 1 ? *values[at + 1] - *values[at] : 0;
    notation += WriteRun(*values[at], step, length);
    at += length;
  }
  return notation;
}

// Every increase stays as it was, also the one across the reset: rate() and increase() take the first value
// after it for what was counted since 0.
SeriesValues WithReset(SeriesValues values, std::size_t at) {
  double lost = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    if (i < at) {
      lost = *values[i];
    } else {
      *values[i] -= lost;
    }
  }
  return values;
}

}  // namespace outgrown::artefacts
