#include "exporter/text_format.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "common/check.h"
#include "common/number.h"
#include "common/utf8.h"

namespace outgrown::exporter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

std::string_view TypeText(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    default:
      return "untyped";
  }
}

// Help text escapes backslash and newline; label values the double quote as well.
std::string Escaped(std::string_view text, bool is_label_value) {
  // Most of what is written; without an early end, so that the compiler looks at many bytes at once.
  bool plain = true;
  for (const char c : text) plain &= c >= ' ' && c < '\x7F' && c != '\\' && c != '"';
  if (plain) return std::string(text);
  std::string out;
  for (const char c : ValidUtf8(text)) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\' || (is_label_value && c == '"')) {
      out += {'\\', c};
    } else {
      out += c;
    }
  }
  return out;
}

// {a="x",le="0.1"}; "" if there are no labels. `bound` is a histogram's additional label.
std::string Labels(const ClientMetric& metric, const double* bound) {
  std::string out;
  const auto add = [&](std::string_view name, std::string_view value) {
    out += out.empty() ? "{" : ",";
    out += fmt::format("{}=\"{}\"", name, Escaped(value, true));
  };
  for (const ClientMetric::Label& label : metric.label) add(label.name, label.value);
  if (bound != nullptr) add("le", ExactNumber(*bound));
  return out.empty() ? out : out + "}";
}

void AddSample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
               std::string_view value) {
  out += fmt::format("{}{}{} {}\n", name, suffix, labels, value);
}

void AddHistogram(std::string& out, const MetricFamily& family, const ClientMetric& metric) {
  const ClientMetric::Histogram& histogram = metric.histogram;
  double last_bound = -std::numeric_limits<double>::infinity();
  for (const ClientMetric::Bucket& bucket : histogram.bucket) {
    last_bound = bucket.upper_bound;
    AddSample(out, family.name, "_bucket", Labels(metric, &last_bound),
              fmt::to_string(bucket.cumulative_count));
  }
  const std::string count = fmt::to_string(histogram.sample_count);
  if (!std::isinf(last_bound) || last_bound < 0) {
    last_bound = std::numeric_limits<double>::infinity();
    AddSample(out, family.name, "_bucket", Labels(metric, &last_bound), count);
  }
  AddSample(out, family.name, "_sum", Labels(metric, nullptr), ExactNumber(histogram.sample_sum));
  AddSample(out, family.name, "_count", Labels(metric, nullptr), count);
}

}  // namespace

std::string TextFormat(std::span<const MetricFamily> families) {
  std::string out;
  for (const MetricFamily& family : families) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family.name, Escaped(family.help, false), family.name,
                       TypeText(family.type));
    for (const ClientMetric& metric : family.metric) {
      if (family.type == MetricType::Histogram) {
        AddHistogram(out, family, metric);
        continue;
      }
      OUTGROWN_CHECK(family.type == MetricType::Counter || family.type == MetricType::Gauge);
      const double value = family.type == MetricType::Counter ? metric.counter.value : metric.gauge.value;
      AddSample(out, family.name, "", Labels(metric, nullptr), ExactNumber(value));
    }
  }
  return out;
}

}  // namespace outgrown::exporter
