#include "thresholds/promql.h"

#include <cstddef>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using outgrown::spec::Lexed;
using outgrown::spec::LexPromql;
using outgrown::spec::NormalisePromql;
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
