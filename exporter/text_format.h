// Metric families as Prometheus' text exposition format 0.0.4.
//
// prometheus-cpp 1.0.1 has a serializer of its own (TextSerializer), which is not used: it does not escape
// help texts, so that a newline in one makes the whole scrape invalid, and it prints 16 digits, so that 0.1 +
// 0.2 arrives as 0.3. Here every double arrives bit for bit. Source:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format
#pragma once

#include <span>
#include <string>
#include <string_view>

#include <prometheus/metric_family.h>

namespace outgrown::exporter {

inline constexpr std::string_view kTextFormatContentType = "text/plain; version=0.0.4; charset=utf-8";

// Families in the order given, one HELP and one TYPE line each. A histogram whose last bucket is not infinity
// gets that bucket from its sample count. Precondition: names are valid ones; counters, gauges and histograms
// only.
std::string TextFormat(std::span<const prometheus::MetricFamily> families);

}  // namespace outgrown::exporter
