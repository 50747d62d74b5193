#include "exporter/scrape.h"

#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {
namespace {

// Within a second, as far as it is up to the exporter: less than the shortest scrape_timeout that people choose.
constexpr std::chrono::milliseconds kStoreTimeout(900);

// The runs of one collector for all stores add up to one.
struct CollectorSummary {
  std::chrono::nanoseconds duration{0};
  bool success = true;
};

// By collector.
class Summaries {
 public:
  explicit Summaries(const Log& log) : log_(log) {}

  void Add(std::string_view collector, std::string_view store, const CollectorRun& run) {
    CollectorSummary& summary = by_collector_[collector];
    summary.duration += run.duration;
    if (run.done) return;
    summary.success = false;
    const Error& error = run.done.error();
    log_.Warn("Collector failed",
              {{"collector", collector}, {"store", store}, {"where", error.where}, {"err", error.what}});
  }

  void Expose(Samples& samples) const {
    for (const auto& [collector, summary] : by_collector_) {
      samples.Set("checkpoint_collector_duration_seconds", {collector},
                  static_cast<double>(summary.duration.count()) / 1e9);
      samples.Set("checkpoint_collector_success", {collector}, summary.success ? 1 : 0);
    }
  }

 private:
  const Log& log_;
  std::map<std::string_view, CollectorSummary> by_collector_;
};

// The search for stores is judged like a collector, but goes on when a directory can't be listed.
std::vector<StoreTarget> FindAllStores(const StoreSources& sources, Summaries& summaries) {
  const auto start = std::chrono::steady_clock::now();
  FoundStores found = FindStores(sources);
  summaries.Add("stores", "", {std::chrono::steady_clock::now() - start, {}});
  for (const Error& problem : found.problems) summaries.Add("stores", "", {{}, problem});
  return std::move(found.stores);
}

}  // namespace

Scraper::Scraper(Settings settings, StoreSources sources, const Log& log)
    : settings_(std::make_shared<const Settings>(std::move(settings))),
      sources_(std::move(sources)),
      log_(log),
      probes_(kStoreCollectors, kStoreTimeout) {}

ScrapeResult Scraper::Scrape() {
  ScrapeResult result;
  Summaries summaries(log_);
  for (const StoreCollector& collector : kStoreCollectors) summaries.Add(collector.name, "", {});
  const std::vector<StoreTarget> targets = FindAllStores(sources_, summaries);
  std::vector<StoreReport> reports = probes_.Run(settings_, targets);
  for (std::size_t i = 0; i < targets.size(); ++i) {
    result.stores.push_back({targets[i].name, reports[i].database});
    result.samples.Merge(std::move(reports[i].samples));
    for (const auto& [collector, run] : reports[i].runs) summaries.Add(collector, targets[i].name, run);
  }
  for (const ExporterCollector& collector : kExporterCollectors) {
    const auto start = std::chrono::steady_clock::now();
    Result<void> done = collector.collect(*settings_, result.samples);
    summaries.Add(collector.name, "", {std::chrono::steady_clock::now() - start, std::move(done)});
  }
  summaries.Expose(result.samples);
  return result;
}

}  // namespace outgrown::exporter
