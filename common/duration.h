// Durations in Prometheus' notation, in which specs, rules and options give them.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace outgrown {

using Milliseconds = std::chrono::milliseconds;

// "90s" -> 90000 ms; units y w d h m s ms, each at most once and in that order, as Prometheus'
// model.ParseDuration takes them ("1h30m"); "0" too. Nothing if it is not one or exceeds 292 years.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/ (<duration>).
std::optional<Milliseconds> ParseDuration(std::string_view text);

// The canonical text that Prometheus itself prints (model.Duration.String): 90000 ms -> "1m30s", 0 -> "0s".
// Precondition: not negative.
std::string FormatDuration(Milliseconds duration);

}  // namespace outgrown
