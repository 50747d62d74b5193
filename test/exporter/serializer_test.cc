#include "exporter/serializer.h"

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <prometheus/text_serializer.h>

#include "common/text.h"
#include "exporter/collectors/samples.h"
#include "thresholds/catalog.h"

using outgrown::ParseNumber;
using outgrown::exporter::ExactTextSerializer;
using outgrown::exporter::FamilySamples;
using outgrown::exporter::HistogramValue;
using outgrown::exporter::Samples;
using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

namespace {

MetricFamily Gauge(std::string help, double value, std::vector<ClientMetric::Label> labels = {}) {
  ClientMetric metric;
  metric.label = std::move(labels);
  metric.gauge.value = value;
  return {"g", std::move(help), MetricType::Gauge, {metric}};
}

std::string Text(const MetricFamily& family) { return ExactTextSerializer().Serialize({family}); }

std::string Text(const Samples& samples) {
  std::vector<std::string> pieces;
  std::string of_collected;
  for (const FamilySamples& family : samples.families()) {
    ExactTextSerializer().Append(family, pieces);
    of_collected += ExactTextSerializer().Serialize(family.Collect());
  }
  std::string text;
  for (const std::string& piece : pieces) text += piece;
  CHECK(text == of_collected);
  return text;
}

}  // namespace

TEST_CASE("help text and label values arrive whole, whatever bytes they have") {
  CHECK(Text(Gauge("two\nlines and a \\ and a \"", 1)) ==
        "# HELP g two\\nlines and a \\\\ and a \"\n# TYPE g gauge\ng 1\n");
  CHECK(Text(Gauge("h", 1, {{"a", "x\"y\\z\n"}, {"b", "\xC3\xA9\xFF"}})) ==
        "# HELP g h\n# TYPE g gauge\ng{a=\"x\\\"y\\\\z\\n\",b=\"\xC3\xA9\xEF\xBF\xBD\"} 1\n");
}

TEST_CASE("every double arrives bit for bit") {
  const unsigned seed = 20261123;
  INFO("seed ", seed);
  std::mt19937_64 random(seed);
  std::vector<double> values = {
      0, -0.0, 0.1 + 0.2, 9007199254740993.0, 5e-324, std::numeric_limits<double>::max()};
  for (int i = 0; i < 2000; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isnan(value)) values.push_back(value);
  }
  for (const double value : values) {
    const std::string text = Text(Gauge("h", value));
    const std::size_t start = text.rfind("\ng ") + 3;
    const std::optional<double> back = ParseNumber(text.substr(start, text.size() - start - 1));
    REQUIRE(back.has_value());
    CHECK(std::bit_cast<std::uint64_t>(*back) == std::bit_cast<std::uint64_t>(value));
  }
  CHECK(Text(Gauge("h", std::numeric_limits<double>::quiet_NaN())).ends_with("g NaN\n"));
}

TEST_CASE("a histogram ends in +Inf, and its count is the sum of its buckets") {
  Samples samples;
  HistogramValue value;
  value.buckets = {{0.1, 3}, {std::numeric_limits<double>::infinity(), 5}};
  value.sum = 1.25;
  samples.SetHistogram("checkpoint_write_duration_seconds", {"s"}, value);
  const std::string text = Text(samples);
  CHECK(text.ends_with(R"(# TYPE checkpoint_write_duration_seconds histogram
checkpoint_write_duration_seconds_bucket{database="s",le="0.1"} 3
checkpoint_write_duration_seconds_bucket{database="s",le="+Inf"} 5
checkpoint_write_duration_seconds_sum{database="s"} 1.25
checkpoint_write_duration_seconds_count{database="s"} 5
)"));
}

TEST_CASE("samples take type, help, label names and order from the catalog") {
  Samples samples;
  samples.Set("process_threads", {}, 3);
  samples.Set("checkpoint_writes_total", {"s", "success"}, 7);
  CHECK(Text(samples) ==
        "# HELP checkpoint_writes_total " +
            std::string(outgrown::metrics::Find("checkpoint_writes_total")->help) +
            "\n# TYPE checkpoint_writes_total counter\n"
            "checkpoint_writes_total{database=\"s\",status=\"success\"} 7\n"
            "# HELP process_threads Threads of the exporter.\n# TYPE process_threads gauge\nprocess_threads "
            "3\n");
  CHECK(samples.Find("checkpoint_writes_total", {"s"}) == 7);
  CHECK(samples.FindLabel("checkpoint_writes_total", {"s"}, 1) == "success");
  CHECK_FALSE(samples.Find("checkpoint_writes_total", {"t"}).has_value());
  CHECK_FALSE(samples.Find("checkpoint_block_up", {"s"}).has_value());
}

TEST_CASE(
    "merged samples are those of one family after the other, each family with the samples in the order of "
    "merging") {
  HistogramValue value;
  value.buckets = {{0.1, 3},
                   {std::numeric_limits<double>::infinity(), std::numeric_limits<std::uint64_t>::max()}};
  Samples first;
  first.Set("checkpoint_block_up", {"a"}, 1);
  first.SetHistogram("checkpoint_write_duration_seconds", {"a"}, value);
  Samples second;
  second.Set("checkpoint_block_writers", {"b"}, 2);
  second.SetHistogram("checkpoint_write_duration_seconds", {"b"}, value);
  second.Set("checkpoint_block_up", {"b"}, 0);
  Samples all;
  all.Merge(first);
  all.Merge(second);
  std::string samples;
  std::istringstream text(Text(all));
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with('#')) samples += line + "\n";
  }
  CHECK(samples == R"(checkpoint_block_up{database="a"} 1
checkpoint_block_up{database="b"} 0
checkpoint_write_duration_seconds_bucket{database="a",le="0.1"} 3
checkpoint_write_duration_seconds_bucket{database="a",le="+Inf"} 18446744073709551615
checkpoint_write_duration_seconds_sum{database="a"} 0
checkpoint_write_duration_seconds_count{database="a"} 18446744073709551615
checkpoint_write_duration_seconds_bucket{database="b",le="0.1"} 3
checkpoint_write_duration_seconds_bucket{database="b",le="+Inf"} 18446744073709551615
checkpoint_write_duration_seconds_sum{database="b"} 0
checkpoint_write_duration_seconds_count{database="b"} 18446744073709551615
checkpoint_block_writers{database="b"} 2
)");
}

TEST_CASE(
    "a family says the same through prometheus-cpp's interface as through its own serializer, where that is "
    "right") {
  Samples samples;
  samples.Set("checkpoint_writes_total", {"s", "success"}, 7);
  samples.Set("checkpoint_writes_total", {"t \"quoted\"", "error"}, 0.25);
  const prometheus::Collectable& collectable = samples.families().front();
  const prometheus::Serializer& ours = ExactTextSerializer();
  CHECK(ours.Serialize(collectable.Collect()) ==
        prometheus::TextSerializer().Serialize(collectable.Collect()));
}
