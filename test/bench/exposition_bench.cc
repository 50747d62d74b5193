// Writing the page of 1,000 stores: prometheus-cpp's serializer beside the exporter's, and making the families alone.
#include <limits>
#include <sstream>
#include <string>

#include <benchmark/benchmark.h>
#include <prometheus/text_serializer.h>

#include "exporter/collectors/samples.h"
#include "exporter/serializer.h"
#include "thresholds/catalog.h"

namespace {

using namespace outgrown;  // NOLINT(google-build-using-namespace): a benchmark

// Every metric of the catalog once for each store, with a histogram of 24 bounds.
exporter::Samples MakeSamples(int stores) {
  exporter::HistogramValue histogram;
  for (int i = 1; i <= 24; ++i)
    histogram.buckets.push_back({0.0007 * i, static_cast<std::uint64_t>(i) * 1000});
  histogram.buckets.push_back({std::numeric_limits<double>::infinity(), 25000});
  histogram.sum = 1234.56789;
  exporter::Samples samples;
  for (int store = 0; store < stores; ++store) {
    const std::string name = "checkpoints-" + std::to_string(store);
    for (const metrics::Metric& metric : metrics::Catalog()) {
      if (metric.type == metrics::Type::kHistogram) {
        samples.SetHistogram(metric.name, {name}, histogram);
      } else {
        const std::vector<std::string_view> labels(metric.labels.size(), name);
        samples.Set(metric.name, labels, store % 3 == 0 ? 1795473190.123 + store : 1000.0 * store);
      }
    }
  }
  return samples;
}

template <typename Serializer>
void WritePage(benchmark::State& state) {
  const exporter::Samples samples = MakeSamples(static_cast<int>(state.range(0)));
  std::size_t bytes = 0;
  for (auto _ : state) {
    std::ostringstream page;
    for (const exporter::FamilySamples& family : samples.families())
      Serializer().Serialize(page, family.Collect());
    bytes = static_cast<std::size_t>(page.tellp());
  }
  state.counters["page_bytes"] = static_cast<double>(bytes);
}

void CollectFamilies(benchmark::State& state) {
  const exporter::Samples samples = MakeSamples(static_cast<int>(state.range(0)));
  for (auto _ : state) {
    for (const exporter::FamilySamples& family : samples.families())
      benchmark::DoNotOptimize(family.Collect());
  }
}

BENCHMARK(WritePage<prometheus::TextSerializer>)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(WritePage<exporter::ExactTextSerializer>)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK(CollectFamilies)->Arg(1000)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
