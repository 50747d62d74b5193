// Expressions as tokens, and what is found in them.
#include "thresholds/promql.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using outgrown::spec::FindReferences;
using outgrown::spec::FunctionNames;
using outgrown::spec::IsInVictoriaMetrics;
using outgrown::spec::Lexed;
using outgrown::spec::LexPromql;
using outgrown::spec::NormalisePromql;
using outgrown::spec::References;
using outgrown::spec::Token;
using outgrown::spec::TokenKind;

namespace {

// "n:rate p:( n:x": each token's kind and text.
std::string Tokens(std::string_view expression) {
  std::string text;
  for (const Token& token : LexPromql(expression).tokens) {
    constexpr std::string_view kKinds = "n#dsp";  // name, number, duration, string, punctuation
    if (!text.empty()) text += ' ';
    text += kKinds[static_cast<std::size_t>(token.kind)];
    text += ':';
    text += token.text;
  }
  return text;
}

}  // namespace

TEST_CASE("expressions are read as tokens") {
  struct Row {
    std::string_view expression, tokens;
  };
  for (const Row& row : {
           Row{"", ""},
           Row{" \t\r\n# comment", ""},
           Row{"rate(x[5m])", "n:rate p:( n:x p:[ d:5m p:] p:)"},
           Row{"x{a=\"b\",c!~'d'}", "n:x p:{ n:a p:= s:\"b\" p:, n:c p:!~ s:'d' p:}"},
           Row{"job:x:rate5m", "n:job:x:rate5m"},
           Row{":leading", "n::leading"},
           Row{"x[1h30m:15s]", "n:x p:[ d:1h30m p:: d:15s p:]"},
           Row{"x[5m:]", "n:x p:[ d:5m p:: p:]"},
           Row{"x offset 5m", "n:x n:offset d:5m"},
           Row{"a>=b!=c==d<=e=~f", "n:a p:>= n:b p:!= n:c p:== n:d p:<= n:e p:=~ n:f"},
           Row{"1e3 + 1.5e-3 - .5 * 0x1F", "#:1e3 p:+ #:1.5e-3 p:- #:.5 p:* #:0x1F"},
           Row{"1e+3", "#:1e+3"},
           Row{"-1^2%3@4", "p:- #:1 p:^ #:2 p:% #:3 p:@ #:4"},
           Row{"x # rest\n+ 1", "n:x p:+ #:1"},
           Row{"'a\\'b' `c\\`", "s:'a\\'b' s:`c\\`"},
           Row{"`two\nlines`", "s:`two\nlines`"},
           Row{"\"#\" x", "s:\"#\" n:x"},
           Row{"\"é\"", "s:\"é\""},
       }) {
    CAPTURE(row.expression);
    CHECK_FALSE(LexPromql(row.expression).problem.has_value());
    CHECK(Tokens(row.expression) == row.tokens);
  }
}

TEST_CASE("what is no token is named with its place") {
  struct Row {
    std::string_view expression;
    std::size_t offset;
    std::string_view found;
  };
  for (const Row& row : {
           Row{"x + \"open", 4, "a string that doesn't end"},
           Row{"'a\n'", 0, "a string that doesn't end"},
           Row{"\"a\\", 0, "a string that doesn't end"},
           Row{"x > 10x", 4, "\"10x\""},
           Row{"1.5.2", 0, "\"1.5.2\""},
           Row{"0x", 0, "\"0x\""},
           Row{"5m5h", 0, "\"5m5h\""},
           Row{"x ? y", 2, "\"?\""},
           Row{"a; b", 1, "\";\""},
           Row{"x & y", 2, "\"&\""},
           Row{"é", 0, "\"é\""},
           Row{"x !y", 2, "\"!\""},
       }) {
    CAPTURE(row.expression);
    const Lexed lexed = LexPromql(row.expression);
    REQUIRE(lexed.problem.has_value());
    CHECK(lexed.problem->offset == row.offset);
    CHECK(lexed.problem->found == row.found);
  }
}

TEST_CASE("the normalised form forgets white space and comments, and nothing else") {
  CHECK(NormalisePromql("sum by(a)(rate( x{b=\"c d\"} [5m] )) # why\n/ 2\n") ==
        "sum by ( a ) ( rate ( x { b = \"c d\" } [ 5m ] ) ) / 2");
  CHECK(NormalisePromql("a-1") == NormalisePromql("a - 1"));
  CHECK(NormalisePromql("a 1") != NormalisePromql("a1"));
  CHECK(NormalisePromql("x{a=\"b  c\"}") != NormalisePromql("x{a=\"b c\"}"));
  CHECK(NormalisePromql("x ? ") == "x ? ");  // no PromQL stays what it is
}

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

TEST_CASE("functions are what is before a parenthesis, and neither aggregations nor keywords") {
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

TEST_CASE("a function that not every engine knows is distinguished") {
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
