// Samples as OpenMetrics text, which `promtool tsdb create-blocks-from openmetrics` takes back bit for bit.
// Source: https://github.com/OpenObservability/OpenMetrics/blob/main/specification/OpenMetrics.md.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "common/sample.h"
#include "prometheus/prometheus_answer.h"

namespace outgrown::archive {

// The head of a metric family. All of its samples follow, those of one label set together, ascending in time.
std::string FamilyHead(std::string_view name);

// `name{label="value",...}`: what each sample of a label set begins with. `labels` without the name.
std::string SeriesText(std::string_view name, const prometheus_api::Labels& labels);

// "SERIES VALUE TIME\n"
std::string SampleLine(std::string_view series, const Sample& sample);

// Seconds that give back the millisecond both by rounding and as Prometheus' parser takes it, which multiplies by 1000
// and cuts off.
std::string SecondsText(std::int64_t time_ms);

inline constexpr std::string_view kEnd = "# EOF\n";

}  // namespace outgrown::archive
