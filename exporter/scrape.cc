#include "exporter/scrape.h"

#include <chrono>
#include <map>
#include <string_view>

#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {
namespace {

struct CollectorRun {
  std::chrono::nanoseconds duration{0};
  bool success = true;
};

// By collector; a store collector's runs for all stores add up to one.
using CollectorRuns = std::map<std::string_view, CollectorRun>;

template <typename Function>
void Run(std::string_view collector, std::string_view store, const Log& log, CollectorRuns& runs,
         const Function& collect) {
  CollectorRun& run = runs[collector];
  const auto start = std::chrono::steady_clock::now();
  const Result<void> done = collect();
  run.duration += std::chrono::steady_clock::now() - start;
  if (done) return;
  run.success = false;
  log.Warn(
      "Collector failed",
      {{"collector", collector}, {"store", store}, {"file", done.error().where}, {"err", done.error().what}});
}

}  // namespace

ScrapeResult Scrape(const Settings& settings, const StoreSources& sources, const Log& log) {
  ScrapeResult result{FindStores(sources), {}};
  CollectorRuns runs;
  for (const StoreCollector& collector : kStoreCollectors) runs[collector.name] = {};
  for (const StoreTarget& target : result.stores) {
    StoreScrape store{settings, target, target.database};
    for (const StoreCollector& collector : kStoreCollectors) {
      Run(collector.name, target.name, log, runs, [&] { return collector.collect(store, result.samples); });
    }
  }
  for (const ExporterCollector& collector : kExporterCollectors) {
    Run(collector.name, "", log, runs, [&] { return collector.collect(settings, result.samples); });
  }
  for (const auto& [collector, run] : runs) {
    result.samples.Set("checkpoint_collector_duration_seconds", {collector},
                       static_cast<double>(run.duration.count()) / 1e9);
    result.samples.Set("checkpoint_collector_success", {collector}, run.success ? 1 : 0);
  }
  return result;
}

}  // namespace outgrown::exporter
