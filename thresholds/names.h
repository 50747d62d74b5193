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

// What the alerts about the measurement remember. "checkpoint:present": the spec's `present` of each store.
std::string PresentSeries(const Store& store);
// "checkpoint:decision_timestamp_seconds": of each `subject` that the exporters show a decision about.
std::string DecidedSeries(const Store& store);
// "checkpoint:decided_stores": how many subjects those are.
std::string DecidedStoresSeries(const Store& store);

// The ids whose recorded series rulegen makes itself, which no signal may take.
std::span<const std::string_view> OwnSeriesIds();
// Those of them that no memory of a [[watch]] may take either.
std::span<const std::string_view> CoverageSeriesIds();

// "checkpoint" + "WriteErrors" -> "CheckpointWriteErrors"; snake_case store names become PascalCase.
std::string AlertName(const Store& store, std::string_view threshold_id);

// The ids of the generated alerts about the measurement itself ("ExporterDown"), which no threshold may take.
std::span<const std::string_view> MeasurementAlertIds();

// A label's value in the store that generated tests are about: "database" -> "database-a".
std::string ExampleValue(std::string_view label);

// The runbook's anchor for an alert, as GitHub makes it from the heading: "CheckpointWriteErrors" ->
// "checkpointwriteerrors".
std::string RunbookAnchor(std::string_view alert_name);

}  // namespace outgrown::spec
