#include "thresholds/promql.h"

#include <algorithm>
#include <string>
#include <string_view>

#include <doctest/doctest.h>


using outgrown::spec::FindReferences;
using outgrown::spec::FunctionNames;
using outgrown::spec::IsInVictoriaMetrics;
using outgrown::spec::References;

namespace {

// "rate(x{a,b}[])" for a selector with labels a and b and a range inside of rate.
std::string Selectors(const References& references) {
  std::string text;
  for (const auto& selector : references.selectors) {
    if (!text.empty()) text += ' ';
    if (!selector.function.empty()) text += std::string(selector.function) + "(";
    text += selector.metric.name;
    if (!selector.matchers.empty()) text += '{';
    for (std::size_t i = 0; i < selector.matchers.size(); ++i) {
      if (i > 0) text += ',';
      text += std::string(selector.matchers[i].label.name) + std::string(selector.matchers[i].operation);
    }
    if (!selector.matchers.empty()) text += '}';
    if (selector.has_range) text += "[]";
  }
  return text;
}

std::string Groupings(const References& references) {
  std::string text;
  for (const auto& label : references.grouping_labels)
    text += (text.empty() ? "" : " ") + std::string(label.name);
  return text;
}

std::string Ranges(const References& references) {
  std::string text;
  for (const auto& range : references.ranges) text += (text.empty() ? "" : " ") + std::string(range.text);
  return text;
}

}  // namespace

TEST_CASE("series, labels and ranges are found wherever an expression names them") {
  struct Row {
    std::string_view expression, selectors, groupings, ranges;
  };
  for (const Row& row : {
           Row{"x", "x", "", ""},
           Row{"rate(x[5m])", "rate(x[]", "", "5m"},
           Row{"rate(x{a=\"1\",b=~\"2\",}[5m])", "rate(x{a=,b=~}[]", "", "5m"},
           Row{"sum by (a, b,) (x) / on (c) group_left (d) sum without (e) (y)", "x y", "a b c d e", ""},
           Row{"sum(x) by (a)", "sum(x", "a", ""},
           Row{"SUM BY (a) (x) OR y", "x y", "a", ""},
           Row{"x * on (a) group_left y", "x y", "a", ""},
           Row{"x + ignoring () y", "x y", "", ""},
           Row{"max_over_time(sum(rate(x[5m]))[1h:1m])", "rate(x[]", "", "5m 1h"},
           Row{"x[1h:]", "x[]", "", "1h"},
           Row{"x offset 5m and y @ end() unless z @ 12", "x y z", "", ""},
           Row{"x > bool 1", "x", "", ""},
           Row{"Inf + NaN + x", "x", "", ""},
           Row{"topk(3, x)", "x", "", ""},
           Row{"histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))", "rate(x_bucket[]", "le", "5m"},
           Row{"{a=\"b\"}", "{a=}", "", ""},
           Row{"sum + count", "sum count", "", ""},  // series may be called so
           Row{"vector(1)", "", "", ""},
       }) {
    CAPTURE(row.expression);
    const References references = FindReferences(row.expression);
    CHECK(references.problems.empty());
    std::string selectors = Selectors(references);
    CHECK(selectors == row.selectors);
    CHECK(Groupings(references) == row.groupings);
    CHECK(Ranges(references) == row.ranges);
  }
}

TEST_CASE("the labels that functions make are known") {
  const auto made = [](std::string_view expression) {
    std::string text;
    for (const std::string& label : FindReferences(expression).made_labels) text += label + " ";
    return text;
  };
  CHECK(made("label_replace(x, \"new\", \"$1\", \"old\", \"(.*)\")") == "new ");
  CHECK(made("label_join(sum by (a, b) (x{c=\"d\",e=\"f\"}), 'made', '-', 'a', 'b')") == "made ");
  CHECK(made("count_values(\"version\", x)") == "version ");
  CHECK(made("count_values by (job) (\"version\", x)") == "version ");
  CHECK(made("label_replace(label_replace(x, \"a\", \"1\", \"\", \"\"), \"b\", \"2\", \"\", \"\")") ==
        "b a ");
  CHECK(made("x").empty());
}

TEST_CASE("functions are what stands before a parenthesis, and neither aggregations nor keywords") {
  const auto functions = [](std::string_view expression) {
    std::string text;
    for (const auto& function : FindReferences(expression).functions)
      text += std::string(function.name) + " ";
    return text;
  };
  CHECK(functions("sum by (a) (rate(x[5m])) / on () count(y) > (1)") == "rate ");
  CHECK(functions("vector(time()) @ end()") == "vector time ");
  CHECK(functions("Sum(x) OR Rate(x[5m])") == "Rate ");  // functions are spelled exactly
}

TEST_CASE("a function that not every engine knows is told apart") {
  const auto known = FunctionNames();
  for (const std::string_view name :
       {"rates", "holt_winters", "double_exponential_smoothing", "mad_over_time", "Rate"}) {
    CAPTURE(name);
    CHECK(std::ranges::find(known, name) == known.end());
  }
  CHECK(IsInVictoriaMetrics("rate"));
  CHECK_FALSE(IsInVictoriaMetrics("day_of_year"));
}

TEST_CASE("what doesn't close or begin is said once, at its place") {
  struct Row {
    std::string_view expression;
    std::size_t offset;
  };
  for (const Row& row : {Row{"", 0},
                         Row{"sum(x", 3},
                         Row{"x)", 1},
                         Row{"x]", 1},
                         Row{"x}", 1},
                         Row{"x{", 2},
                         Row{"x{a", 3},
                         Row{"x{a=", 4},
                         Row{"x{a=1}", 4},
                         Row{"x{a==\"b\"}", 3},
                         Row{"x{a=\"b\" c=\"d\"}", 8},
                         Row{"x[", 2},
                         Row{"x[5]", 2},
                         Row{"x[5m", 4},
                         Row{"x[5m 1m]", 5},
                         Row{"x[5m:1m", 7},
                         Row{"sum by a (x)", 7},
                         Row{"sum by (a (x)", 10},
                         Row{"sum by (1) (x)", 8},
                         Row{"x{a=\"b", 4},
                         Row{"x on", 4},
                         Row{"(((x))", 0}}) {
    CAPTURE(row.expression);
    const References references = FindReferences(row.expression);
    REQUIRE(references.problems.size() == 1);
    CHECK(references.problems[0].offset == row.offset);
  }
}
