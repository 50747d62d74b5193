// Times and durations as text.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace outgrown {

// Durations in Prometheus' notation, in which specs, rules and options give them.

using Milliseconds = std::chrono::milliseconds;

// "90s" -> 90000 ms; units y w d h m s ms, each at most once and in that order, as Prometheus'
// model.ParseDuration takes them ("1h30m"); "0" too. Nothing if it is not one or exceeds 292 years.
// Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/ (<duration>).
std::optional<Milliseconds> ParseDuration(std::string_view text);

// The canonical text that Prometheus itself prints (model.Duration.String): 90000 ms -> "1m30s", 0 -> "0s".
// Precondition: not negative.
std::string FormatDuration(Milliseconds duration);

// "2026-11-23T14:00:00.250Z", for machines (RFC 3339). Years 0 to 9999.
std::string Rfc3339(std::int64_t time_ms);

// "2026-11-23 14:00:00 UTC", for texts; whole seconds, rounded down.
std::string UtcText(std::int64_t time_ms);

// RFC 3339 with any offset ("2026-11-23T14:00:00Z", "…14:00:00.5+01:00"), or Unix seconds with up to three decimals.
std::optional<std::int64_t> ParseTime(std::string_view text);

// A length of time, for texts: "12 s", "12 min", "5 h", "4 days". Precondition: not negative.
std::string LengthText(std::int64_t length_ms);

// Now, by the system's clock.
std::int64_t NowMs();

}  // namespace outgrown
