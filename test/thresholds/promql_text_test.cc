#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "thresholds/promql.h"

using outgrown::spec::CanonicalPromql;
using outgrown::spec::PromqlNumber;
using outgrown::spec::PromqlString;

TEST_CASE("numbers are written as Prometheus' rules page writes them") {
  struct Row {
    double value;
    std::string_view text;
  };
  constexpr Row kRows[] = {
      {0, "0"},
      {1, "1"},
      {100, "100"},
      {0.01, "0.01"},
      {999999, "999999"},
      {1e6, "1e+06"},
      {0.0001, "0.0001"},
      {0.00001, "1e-05"},
      {5368709120.0, "5.36870912e+09"},
      {-80.5, "-80.5"},
      {123456.7, "123456.7"},
      {1e300, "1e+300"},
      {0.1 + 0.2, "0.30000000000000004"},
  };
  for (const Row& row : kRows) CHECK(PromqlNumber(row.value) == row.text);
}

TEST_CASE("an expression comes out as Prometheus 2.42's rules page showed it") {
  struct Row {
    std::string_view written;
    std::string_view canonical;
  };
  constexpr Row kRows[] = {
      {"x:y > 5368709120", "x:y > 5.36870912e+09"},
      {"\n (  sum by(job,instance)( rate( a{x='1', y=~\"b\"}[60s] ) )  >=0 )\n or sum by (job) (foo) ",
       "(sum by (job, instance) (rate(a{x=\"1\",y=~\"b\"}[1m])) >= 0) or sum by (job) (foo)"},
      {"foo == bool 1e-2 and on(job) (max_over_time(x[1h:5m] offset 1h) > -5)",
       "foo == bool 0.01 and on (job) (max_over_time(x[1h:5m] offset 1h) > -5)"},
      {"a unless -x + s*on(a)group_left()d+1000000^123456789 > 0.000001",
       "a unless -x + s * on (a) group_left () d + 1e+06 ^ 1.23456789e+08 > 1e-06"},
      {"sum without(le) (time()-x{}) # a comment\n", "sum without (le) (time() - x)"},
      {"label_replace(x,\"a\",\"$1\",'b','(.*)\\\\.')",
       "label_replace(x, \"a\", \"$1\", \"b\", '(.*)\\\\.')"},
      {"a{z!=\"1\", b=\"2\",b=~\"1\"} + c{y='1'}", "a{b=\"2\",b=~\"1\",z!=\"1\"} + c{y=\"1\"}"},
      {"{__name__=\"a\",}", "{__name__=\"a\"}"},
      {"rate(x[5m:])", "rate(x[5m:])"},
      {"x offset -5m", "x offset -5m"},
      {"topk(5,x) + +1", "topk(5, x) + +1"},
      {"sum(x{by=\"on\"}) by (on)", "sum(x{by=\"on\"}) by (on)"},
      {"vector(0x1F)", "vector(0x1F)"},
      {"", ""},
      {"\"unfinished", "\"unfinished"},
  };
  for (const Row& row : kRows) {
    CHECK(CanonicalPromql(row.written) == row.canonical);
    CHECK(CanonicalPromql(row.canonical) == row.canonical);
  }
}

TEST_CASE("a hash inside a string is no comment, and blanks there stay") {
  CHECK(CanonicalPromql("x{a=\"b # c  d\"}") == "x{a=\"b # c  d\"}");
  CHECK(CanonicalPromql("x{a='b # \"c'}") == "x{a='b # \"c'}");
}

TEST_CASE("a string literal escapes quotes, backslashes and control characters") {
  CHECK(PromqlString("a\"b\\c\nd\x01") == "\"a\\\"b\\\\c\\nd\\x01\"");
}
