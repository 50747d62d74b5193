// Rows that change one place of the spec: what is just right passes, what is just wrong is reported.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "test/thresholds/spec_text.h"

namespace outgrown::test {

inline constexpr std::string_view kRate = "sum by (job, instance, path) (rate(queue_jobs_total[5m]))";
inline constexpr std::string_view kIntervals = "scrape_interval = \"15s\"\ninterval = \"30s\"";

struct Row {
  std::string_view from;
  std::string_view right;  // in its place, and the spec is still valid
  std::string_view wrong;  // in its place, and there is one diagnostic
  std::string_view said;   // part of it
};

inline void Hold(const Row& row) {
  CAPTURE(row.from);
  CAPTURE(row.wrong);
  CHECK(DiagnosticsOf(Changed(row.from, row.right)) == "");
  const std::string found = DiagnosticsOf(Changed(row.from, row.wrong));
  CHECK(std::ranges::count(found, '\n') == 1);
  CHECK_MESSAGE(found.find(row.said) != std::string::npos, found);
}

}  // namespace outgrown::test
