// The digests that exporters report, against the spec's.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common/result.h"
#include "prometheus/prometheus_client.h"
#include "rulegen/verify/report.h"
#include "thresholds/model.h"

namespace outgrown::verify {

// One finding for each exporter whose digest differs or that fell silent within the last 26 hours (as long as a silent
// store is remembered, docs/operations.md), or one that says how many agree. An answer that can't be had or is
// partial makes them unknown. None reporting at all is a difference.
std::vector<Finding> CompareExporters(const spec::Spec& spec, prometheus_api::QuerySource& prometheus,
                                      std::int64_t now_ms);

}  // namespace outgrown::verify
