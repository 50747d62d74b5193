// Every name that artefacts share, in one place: a recorded series, an alert, an anchor is spelled here and
// nowhere else.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "thresholds/model.h"

namespace outgrown::spec {

// "checkpoint" + "write_error_ratio" -> "checkpoint:write_error_ratio"
std::string RecordedSeries(const Store& store, std::string_view signal_id);

// Of a signal's `split`: "checkpoint:write_error_ratio:split"
std::string SplitSeries(const Store& store, std::string_view signal_id);

// "checkpoint:coverage_ratio"
std::string CoverageSeries(const Store& store);
// "checkpoint:coverage_reason"
std::string ReasonSeries(const Store& store);

// The ids whose recorded series rulegen makes itself, which no signal and no memory may take.
std::span<const std::string_view> OwnSeriesIds();

// "checkpoint" + "WriteErrors" -> "CheckpointWriteErrors"; snake_case store names become PascalCase.
std::string AlertName(const Store& store, std::string_view threshold_id);

// A label's value in the store that generated tests are about: "database" -> "database-a".
std::string ExampleValue(std::string_view label);

// The runbook's anchor for an alert, as GitHub makes it from the heading: "CheckpointWriteErrors" ->
// "checkpointwriteerrors".
std::string RunbookAnchor(std::string_view alert_name);

}  // namespace outgrown::spec
