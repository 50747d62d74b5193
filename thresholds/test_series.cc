#include "thresholds/test_series.h"

#include <algorithm>
#include <map>
#include <string>

#include "thresholds/names.h"
#include "thresholds/promql_lexer.h"
#include "thresholds/promql_references.h"

namespace outgrown::spec {

std::optional<TestSeries> ReadTestSeries(std::string_view text) {
  const References references = FindReferences(text);
  const Lexed lexed = LexPromql(text);
  if (!references.problems.empty() || references.selectors.size() != 1 || lexed.tokens.empty() ||
      lexed.tokens[0].kind != TokenKind::kName) {
    return std::nullopt;
  }
  const bool is_series =
      lexed.tokens.size() == 1 || (lexed.tokens[1].text == "{" && lexed.tokens.back().text == "}" &&
                                   std::ranges::count(lexed.tokens, "{", &Token::text) == 1);
  if (!is_series) return std::nullopt;
  TestSeries series{references.selectors[0].metric.name, {}};
  for (const Matcher& matcher : references.selectors[0].matchers) {
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
      const auto [first, is_new] = values.emplace(label, value);
      if (!is_new && first->second != value) return true;
    }
  }
  return false;
}

}  // namespace outgrown::spec
