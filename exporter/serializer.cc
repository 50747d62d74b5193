#include "exporter/serializer.h"

#include <limits>
#include <ostream>

#include <fmt/format.h>

#include "common/check.h"
#include "common/exposition.h"

namespace outgrown::exporter {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

// A piece of a page, which goes back to the system with its last reader.
constexpr std::size_t kPieceBytes = 2 * kMappingBytes;
// More than a metric takes, or its piece grows, which moves it.
constexpr std::size_t kMetricBytes = 8 << 10;
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string_view TypeText(MetricType type) {
  switch (type) {
    case MetricType::Counter:
      return "counter";
    case MetricType::Gauge:
      return "gauge";
    case MetricType::Histogram:
      return "histogram";
    // No metric of the catalog has another type, and FamilyWriter::Write refuses one.
    default:
      return "untyped";
  }
}

// Without a double in between, which above 2^53 would not be exact.
void AppendCount(std::string& out, std::uint64_t count) {
  const fmt::format_int digits(count);
  out.append(digits.data(), digits.size());
}

// One family's lines. The text of a metric's labels is made once, however many lines it has.
class FamilyWriter {
 public:
  explicit FamilyWriter(const MetricFamily& family) : family_(family) {}

  void WriteHead(std::string& out) {
    out.append("# HELP ").append(family_.name) += ' ';
    AppendHelp(out, family_.help);
    out.append("\n# TYPE ").append(family_.name).append(" ").append(TypeText(family_.type)) += '\n';
  }

  void Write(const ClientMetric& metric, std::string& out) {
    labels_.clear();
    for (const ClientMetric::Label& label : metric.label)
      AppendLabel(labels_, labels_.empty(), label.name, label.value);
    if (family_.type == MetricType::Histogram) {
      WriteHistogram(out, metric.histogram);
    } else {
      OUTGROWN_CHECK(family_.type == MetricType::Counter || family_.type == MetricType::Gauge);
      WriteSeries(out, "");
      AppendValue(out, family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value);
      out += '\n';
    }
  }

 private:
  void WriteSeries(std::string& out, std::string_view suffix) {
    out.append(family_.name).append(suffix).append(labels_).append(labels_.empty() ? " " : "} ");
  }

  void WriteBucket(std::string& out, double upper_bound, std::uint64_t count) {
    out.append(family_.name).append("_bucket").append(labels_).append(labels_.empty() ? "{le=\"" : ",le=\"");
    AppendValue(out, upper_bound);
    out += "\"} ";
    AppendCount(out, count);
    out += '\n';
  }

  void WriteHistogram(std::string& out, const ClientMetric::Histogram& histogram) {
    for (const ClientMetric::Bucket& bucket : histogram.bucket)
      WriteBucket(out, bucket.upper_bound, bucket.cumulative_count);
    // The text format requires the +Inf bucket, equal to _count.
    if (histogram.bucket.empty() || histogram.bucket.back().upper_bound != kInfinity)
      WriteBucket(out, kInfinity, histogram.sample_count);
    WriteSeries(out, "_sum");
    AppendValue(out, histogram.sample_sum);
    out += '\n';
    WriteSeries(out, "_count");
    AppendCount(out, histogram.sample_count);
    out += '\n';
  }

  const MetricFamily& family_;
  std::string labels_;  // without the closing brace
};

}  // namespace

void ExactTextSerializer::Serialize(std::ostream& out, const std::vector<MetricFamily>& families) const {
  std::string text;
  for (const MetricFamily& family : families) {
    FamilyWriter writer(family);
    writer.WriteHead(text);
    for (const ClientMetric& metric : family.metric) writer.Write(metric, text);
    out.write(text.data(), static_cast<std::streamsize>(text.size()));
    text.clear();
  }
}

void ExactTextSerializer::Append(const FamilySamples& family, std::vector<std::string>& pieces) const {
  const auto piece = [&pieces]() -> std::string& {
    if (pieces.empty() || pieces.back().size() > kPieceBytes - kMetricBytes)
      pieces.emplace_back().reserve(kPieceBytes);
    return pieces.back();
  };
  const MetricFamily head = family.CollectHead();
  FamilyWriter writer(head);
  writer.WriteHead(piece());
  family.CollectEach([&](const ClientMetric& metric) { writer.Write(metric, piece()); });
}

}  // namespace outgrown::exporter
