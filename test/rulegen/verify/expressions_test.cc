#include <map>
#include <optional>
#include <string>

#include <doctest/doctest.h>

#include "rulegen/verify/loaded_rules.h"

using outgrown::verify::Expressions;

TEST_CASE("expressions that are spelt alike never reach the server") {
  Expressions expressions([](const std::string&) -> std::optional<std::string> {
    FAIL("asked the server");
    return std::nullopt;
  });
  CHECK(expressions.Same("up > 1e-2", "up > 1e-2"));
}

TEST_CASE("the server's form decides, also against ours") {
  Expressions expressions([](const std::string& expr) { return std::optional<std::string>(expr); });
  CHECK_FALSE(expressions.Same("up > 1e-2", "up > 0.01"));
  // It can't parse the other one.
  Expressions partial(
      [](const std::string& expr) { return expr == "up" ? std::optional<std::string>(expr) : std::nullopt; });
  CHECK_FALSE(partial.Same("up", "up +"));
}

TEST_CASE("expressions that only a parser can match are matched by the server's form, asked once each") {
  std::map<std::string, int> asked;
  Expressions expressions([&](const std::string& expr) -> std::optional<std::string> {
    ++asked[expr];
    return expr == "sum(up) by (job)" ? "sum by (job) (up)" : expr;
  });
  CHECK(expressions.Same("sum(up) by (job)", "sum by (job) (up)"));
  CHECK(expressions.Same("sum(up) by (job)", "sum by (job) (up)"));
  CHECK_FALSE(expressions.Same("sum(up) by (job)", "sum by (instance) (up)"));
  for (const auto& row : asked) {
    const auto& expr = row.first;
    const auto& count = row.second;
    CAPTURE(expr);
    CHECK(count == 1);
  }
}

TEST_CASE("without a server's form, what our normal form tells apart is different") {
  Expressions expressions([](const std::string&) { return std::optional<std::string>(); });
  CHECK(expressions.Same("up > 0.010", "up > 0.01"));
  CHECK(expressions.Same("up > 1e-2", "up  > 0.01"));
  CHECK(expressions.Same("rate(up[60s])", "rate( up[1m] )"));
  CHECK(expressions.Same("up > 1 # why", "up > 1"));
  CHECK_FALSE(expressions.Same("up > 0.02", "up > 0.01"));
  CHECK_FALSE(expressions.Same("sum(up) by (job)", "sum by (job) (up)"));
}
