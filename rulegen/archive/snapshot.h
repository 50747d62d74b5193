// The samples behind a spec's decisions, as they are in Prometheus: its recorded series, the coverage, the series that
// say which stores there are, and the alerts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/sample.h"
#include "prometheus/prometheus_answer.h"
#include "prometheus/prometheus_client.h"
#include "rulegen/archive/folder.h"
#include "thresholds/table.h"

namespace outgrown::archive {

struct Range {
  std::int64_t from_ms = 0;
  std::int64_t to_ms = 0;
};

struct FamilySnapshot {
  std::string name;
  std::size_t series = 0;
  std::size_t samples = 0;
  std::size_t not_a_number = 0;  // of the samples
};

// Called for each series that was written.
using SeriesDone = std::function<void(std::size_t done, std::size_t all)>;

// Writes `file`, one label set after the other, so that memory does not grow with the number of stores. An error if
// a query is not answered completely, since an archive must not have unnoticed gaps.
Result<std::vector<FamilySnapshot>> WriteSnapshot(const Table& table, prometheus_api::QuerySource& source,
                                                  const Range& range, Folder::File& file,
                                                  const SeriesDone& series_done);

// Samples as OpenMetrics text, which `promtool tsdb create-blocks-from openmetrics` takes back bit for bit.
// Source: https://github.com/OpenObservability/OpenMetrics/blob/main/specification/OpenMetrics.md.

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
