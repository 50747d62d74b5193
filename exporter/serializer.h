// Metric families as Prometheus' text exposition format 0.0.4, behind prometheus-cpp's interface.
//
// prometheus-cpp's own TextSerializer would do but for three things, of version 1.0.1: it doesn't escape help texts, so
// that a newline in one makes the whole scrape invalid; it prints 16 digits, so that 0.1 + 0.2 arrives as
// 0.3; and on the page of 1,000 stores it takes eight times the CPU (test/bench/exposition_bench.cc). Here
// every double arrives bit for bit.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/serializer.h>

#include "exporter/collectors/samples.h"

namespace outgrown::exporter {

inline constexpr std::string_view kTextFormatContentType = "text/plain; version=0.0.4; charset=utf-8";

class ExactTextSerializer final : public prometheus::Serializer {
 public:
  using prometheus::Serializer::Serialize;

  // Families in the order given, one HELP and one TYPE line each. A histogram whose last bucket is not
  // infinity gets that bucket from its sample count. Precondition: names are valid ones; counters, gauges and
  // histograms only.
  void Serialize(std::ostream& out, const std::vector<prometheus::MetricFamily>& families) const override;

  // The same text of a family that was not collected, appended to the pieces of a page. One metric at a time is made.
  void Append(const FamilySamples& family, std::vector<std::string>& pieces) const;
};

}  // namespace outgrown::exporter
