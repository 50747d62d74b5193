// The series of a spec's tests: promtool's notation for their samples ("0+1x40", "_x3 5", "1 stale 2"), each
// taken apart.
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

}  // namespace outgrown::spec
