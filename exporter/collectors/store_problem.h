// How collectors report that a number of a SQLite store can't be had: a series with the reason, and an Error
// only where something is broken rather than absent.
#pragma once

#include <string_view>

#include "exporter/collectors/collector.h"
#include "exporter/sqlite/problem.h"

namespace outgrown::exporter {

// Sets `metric`{database, reason} to 1. The error, for problems that an operator has to look at, names the
// file.
Result<void> ReportProblem(const StoreScrape& store, std::string_view metric, sqlite::Problem problem,
                           Samples& samples);

}  // namespace outgrown::exporter
