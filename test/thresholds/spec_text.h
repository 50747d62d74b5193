// A small valid spec as text, for tests that change one thing in it.
#pragma once

#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "thresholds/parse.h"

namespace outgrown::spec {

// For doctest's messages.
inline doctest::String toString(const Position& position) {
  return (std::to_string(position.line) + ":" + std::to_string(position.column)).c_str();
}

}  // namespace outgrown::spec

namespace outgrown::test {

inline constexpr std::string_view kSpecText = R"toml(schema = 1

[store]
name = "queue"
title = "File queue"
sufficient = "File queue sufficient"
next = "a broker"
identity = ["job", "instance", "path"]
present = "queue_up"

[rules]
scrape_interval = "15s"
interval = "30s"

[output]
rules = "gen"

[alertmanager]
base = "alertmanager.base.yml"

[[verdict]]
id = "soon"
text = "MOVE SOON"
severity = "warning"
exit_code = 10

[[verdict]]
id = "now"
text = "MOVE NOW"
severity = "critical"
exit_code = 20

[[metric]]
name = "queue_up"
type = "gauge"
help = "1 if the queue was read."

[[metric]]
name = "queue_jobs_total"
type = "counter"
help = "Jobs by status."
labels = ["status", "kind"]

[[metric]]
name = "queue_wait_seconds"
type = "histogram"
help = "Time that jobs wait."

[[metric]]
name = "queue_size_bytes"
type = "summary"
help = "Size of jobs."

[[signal]]
id = "jobs_per_second"
title = "Jobs per second"
unit = "per_second"
expr = """
sum by (job, instance, path) (rate(queue_jobs_total[5m]))
"""

[[signal.test]]
series = { 'queue_jobs_total{status="ok"}' = "0+15x80", 'queue_jobs_total{status="failed"}' = "0x80" }
at = "10m"
value = 1

[[signal]]
id = "depth"
title = "Depth"
unit = "count"
expr = "max by (job, instance, path) (queue_up)"

[[signal.test]]
name = "as it is"
series = { queue_up = "1x80" }
at = "10m"
value = 1

[[threshold]]
id = "Jobs"
signal = "jobs_per_second"
above = 100
for = "5m"
verdict = "now"
because = "Jobs >100/sec"

[[threshold]]
id = "JobsMany"
signal = "jobs_per_second"
above = 80
for = "5m"
verdict = "soon"
because = "Jobs >80/sec"

[coverage]
expr = "max by (job, instance, path) (queue_up)"
unknown = ["jobs_per_second", "depth"]

[[coverage.test]]
series = { queue_up = "1x80" }
at = "10m"
value = 1
)toml";

// kSpecText with the first `from` replaced by `to`. A `from` that isn't there is a mistake of the test.
inline std::string Changed(std::string_view from, std::string_view to,
                           std::string text = std::string(kSpecText)) {
  const std::size_t at = text.find(from);
  REQUIRE_MESSAGE(at != std::string::npos, "not in the text: " << std::string(from));
  return text.replace(at, from.size(), to);
}

// All diagnostics of a text, one a line; empty if it is valid.
inline std::string DiagnosticsOf(std::string_view toml) {
  std::string text;
  for (const spec::Diagnostic& diagnostic : spec::ParseSpec(toml, "queue.toml").diagnostics) {
    text += FormatDiagnostic(diagnostic) + "\n";
  }
  return text;
}

}  // namespace outgrown::test
