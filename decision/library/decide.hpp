// The migration decision inside a C++20 program: the thresholds of the spec that this library was built from, judged by
// the same engine as `rulegen --evaluate`, so that a program's decision and an operator's can't differ.
//
//   outgrown::Decide({{"write_error_ratio", 0.02}, {"writes_per_second", 12}, ...})
//
//   c++ -std=c++20 program.cc $(pkg-config --cflags --libs outgrown-decide)
//
// The values are the caller's, and stand for ones that were sustained as long as the spec's `for` says; a program that has
// time series asks Prometheus, through rulegen. Every function is pure: no allocation, no I/O, no clock, no exception;
// safe from any thread and from a signal handler. Views that are returned live until the library is unloaded.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string_view>

namespace outgrown {

// One signal's value, in the signal's unit (Signals()). NaN or infinite: unknown.
struct Measurement {
  std::string_view signal;  // its id in the spec: "write_error_ratio"
  double value = 0;
};

enum class VerdictKind {
  kSufficient,    // all signals with a threshold were given, and none is beyond its limit
  kMigrate,       // a limit is breached: `id`, `text` and `justification` say which verdict, and why
  kUndetermined,  // no limit is known to be breached, and something is unknown: never read this as healthy
};

struct Verdict {
  VerdictKind kind = VerdictKind::kUndetermined;
  std::string_view id;    // "migrate_now", "sufficient", "undetermined"
  std::string_view text;  // "MIGRATE NOW", "SQLite sufficient", "UNDETERMINED"
  std::string_view
      justification;  // kMigrate: "Write errors >1% (SQLite saturated)"; kUndetermined: "not given"
  std::string_view signal_title;  // kUndetermined: the signal that is unknown: "Write errors"
  bool worse_unknown = false;     // something unknown could have made the verdict more severe
  // Measurements that are ignored: their id names no signal; or one that was given before (which is then unknown,
  // because either value could be the right one); or their value is negative, which no unit allows.
  std::size_t measurements_refused = 0;
};

// A signal that a measurement can be given of.
struct SignalInfo {
  std::string_view id;     // "write_p99_seconds"
  std::string_view title;  // "P99 write latency"
  std::string_view unit;   // "ratio", "per_second", "seconds", "bytes" or "count"
};

// The decision; a signal that is left out is unknown. The order of measurements doesn't matter.
Verdict Decide(std::span<const Measurement> measurements) noexcept;
inline Verdict Decide(std::initializer_list<Measurement> measurements) noexcept {
  return Decide(std::span(measurements.begin(), measurements.size()));
}

// The line that rulegen prints for it, "MIGRATE NOW - Write errors >1% (SQLite saturated)", into `buffer`. As snprintf:
// always ends with a NUL if size_bytes > 0, and returns the whole line's length without it, so that a result of
// size_bytes or more means that the line was cut.
std::size_t FormatVerdict(const Verdict& verdict, char* buffer, std::size_t size_bytes) noexcept;

// How many signals the spec has, and each of them, in the spec's order. Precondition: index < SignalCount().
std::size_t SignalCount() noexcept;
SignalInfo Signal(std::size_t index) noexcept;

// The spec's digest, 64 hexadecimal digits: what rules, exporter and decision log carry as well.
std::string_view SpecDigest() noexcept;

}  // namespace outgrown
