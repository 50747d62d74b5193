// promtool's notation for the samples of a test series: "0+1x40", "_x3 5", "1 stale 2".
// Source: https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/#series; what promtool 2.42
// takes and what this takes was compared.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "thresholds/promql_lexer.h"

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

}  // namespace outgrown::spec
