// The series of a spec's tests: promtool's notation for their samples ("0+1x40", "_x3 5", "1 stale 2"), each
// taken apart, and what a [[watch]] leaves open in them and in its expression.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series; what promtool 2.42
// takes and what this takes was compared.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "thresholds/model.h"
#include "thresholds/promql.h"

namespace outgrown::spec {

// More is a mistake, and would only fill promtool's memory.
inline constexpr std::size_t kSamplesMax = 100'000;

struct Notation {
  std::size_t samples = 0;         // places in time that the text fills, empty ones (_) counted
  std::optional<Problem> problem;  // of the first item that is wrong
};

// Items between white space: VALUE, VALUExN, VALUE+STEPxN, VALUE-STEPxN (N + 1 samples each), _ and _xN (N empty
// places), stale. A VALUE is a decimal number, NaN, Inf or -Inf; the last two without xN.
Notation ReadNotation(std::string_view text);

// The items with one space between them.
std::string NormaliseNotation(std::string_view text);

struct TestLabel {
  std::string_view name;
  std::string_view literal;  // the value as it is written, with its quotes
};

// Views into the text.
struct TestSeries {
  std::string_view metric;
  std::vector<TestLabel> labels;
};

// Nothing if it is something else.
std::optional<TestSeries> ReadTestSeries(std::string_view text);

// The value of a literal that holds no escape; nothing if it holds one.
std::optional<std::string_view> PlainValue(std::string_view literal);

// Whether the case's series have more than one value of a label of the identity; where none is named, they have the
// example store's.
bool NamesSeveralStores(const Store& store, const SignalTest& test);

// What a [[watch]] leaves open in its expression and in the series of its tests, with the values in it:
//
//   {digest}    the spec's digest
//   {identity}  the labels of store.identity: job, instance, database
//   {window}    the range that a rate needs: 5m, or four times rules.scrape_interval if that is more
//   {missing}   an expression: for each store that is present and lacks signals that a threshold compares, one
//               series with the labels of the identity and `missing`: the titles of those that are not recorded as
//               finite numbers
//   {lookback}  how long alerts and decisions remember a store that fell silent (common/horizons.h): 1d2h, as a
//               range; {lookback_seconds} is the same as a number
//   {minimum}   coverage.minimum
//   {maximum}   coverage.maximum
struct Filled {
  std::string text;
  // What {word} is no placeholder, at its place in the original.
  std::optional<Problem> problem;

  // The place in the original of a byte of `text`: within a value that of its placeholder.
  std::size_t Origin(std::size_t offset) const;

  struct Value {
    std::size_t begin;     // in `text`
    std::size_t end;       // in `text`
    std::size_t original;  // where the placeholder begins
    std::size_t behind;    // where it ends
  };
  std::vector<Value> values;
};

// `digest` is used for the spec's own, which is not known before the spec is validated.
Filled FillPlaceholders(std::string_view text, const Spec& spec, std::string_view digest);

// The text for a validated spec.
std::string FillPlaceholders(std::string_view text, const Spec& spec);

// The same in a query of a [[panel]], which has {identity} and {shown} alone; `shown`: the matchers of the dashboard's
// variables.
Filled FillPanelQuery(std::string_view query, const Spec& spec, const std::string& shown);

}  // namespace outgrown::spec
