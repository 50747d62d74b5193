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

// What is given to the stream at a time; the label text of one histogram is a small part of it.
constexpr std::size_t kPieceBytes = 16 << 10;
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
  FamilyWriter(const MetricFamily& family, std::string& out) : family_(family), out_(out) {}

  void WriteHead() {
    out_.append("# HELP ").append(family_.name) += ' ';
    AppendHelp(out_, family_.help);
    out_.append("\n# TYPE ").append(family_.name).append(" ").append(TypeText(family_.type)) += '\n';
  }

  void Write(const ClientMetric& metric) {
    labels_.clear();
    for (const ClientMetric::Label& label : metric.label)
      AppendLabel(labels_, labels_.empty(), label.name, label.value);
    if (family_.type == MetricType::Histogram) {
      WriteHistogram(metric.histogram);
      return;
    }
    OUTGROWN_CHECK(family_.type == MetricType::Counter || family_.type == MetricType::Gauge);
    WriteSeries("");
    AppendValue(out_, family_.type == MetricType::Counter ? metric.counter.value : metric.gauge.value);
    out_ += '\n';
  }

 private:
  void WriteSeries(std::string_view suffix) {
    out_.append(family_.name).append(suffix).append(labels_).append(labels_.empty() ? " " : "} ");
  }

  void WriteBucket(double upper_bound, std::uint64_t count) {
    out_.append(family_.name).append("_bucket").append(labels_).append(labels_.empty() ? "{le=\"" : ",le=\"");
    AppendValue(out_, upper_bound);
    out_ += "\"} ";
    AppendCount(out_, count);
    out_ += '\n';
  }

  void WriteHistogram(const ClientMetric::Histogram& histogram) {
    for (const ClientMetric::Bucket& bucket : histogram.bucket)
      WriteBucket(bucket.upper_bound, bucket.cumulative_count);
    // The text format requires the +Inf bucket, equal to _count.
    if (histogram.bucket.empty() || histogram.bucket.back().upper_bound != kInfinity)
      WriteBucket(kInfinity, histogram.sample_count);
    WriteSeries("_sum");
    AppendValue(out_, histogram.sample_sum);
    out_ += '\n';
    WriteSeries("_count");
    AppendCount(out_, histogram.sample_count);
    out_ += '\n';
  }

  const MetricFamily& family_;
  std::string& out_;
  std::string labels_;  // without the closing brace
};

}  // namespace

void ExactTextSerializer::Serialize(std::ostream& out, const std::vector<MetricFamily>& families) const {
  std::string piece;
  const auto flush = [&] {
    // In pieces rather than with a call of the stream for each text.
    out.write(piece.data(), static_cast<std::streamsize>(piece.size()));
    piece.clear();
  };
  for (const MetricFamily& family : families) {
    FamilyWriter writer(family, piece);
    writer.WriteHead();
    for (const ClientMetric& metric : family.metric) {
      writer.Write(metric);
      if (piece.size() >= kPieceBytes) flush();
    }
  }
  flush();
}

}  // namespace outgrown::exporter
