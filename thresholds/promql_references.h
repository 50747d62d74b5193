// What an expression names: series with their matchers, labels it groups or joins by, ranges, functions. Found from
// tokens alone, so it judges names and not types; what it can't know, Prometheus' own tools say (promtool).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/duration.h"
#include "thresholds/promql_lexer.h"

namespace outgrown::spec {

struct NameUse {
  std::string_view name;
  std::size_t offset;
};

struct Matcher {
  NameUse label;
  std::string_view operation;  // "=", "!=", "=~" or "!~"
  std::string_view value;      // with its quotes
};

struct Selector {
  NameUse metric;  // an empty name for {a="b"}
  std::vector<Matcher> matchers;
  std::string_view function;  // `rate` in rate(x[5m]), the name in front of "(x"; may be empty
  bool has_range = false;     // name{...}[5m]
};

struct RangeUse {
  Milliseconds duration;
  std::string_view text;
  std::size_t offset;
};

// Views into the expression.
struct References {
  std::vector<Selector> selectors;
  std::vector<NameUse> grouping_labels;  // of by, without, on, ignoring, group_left, group_right
  std::vector<std::string> made_labels;  // by label_replace, label_join and count_values
  std::vector<NameUse>
      source_labels;               // that label_replace and label_join read; none whose string has an escape
  std::vector<RangeUse> ranges;    // of [5m] and of subqueries [1h:1m]
  std::vector<NameUse> functions;  // that are called; without aggregations
  std::vector<Problem> problems;   // not PromQL: what doesn't lex or close
};

References FindReferences(std::string_view expression);

}  // namespace outgrown::spec
