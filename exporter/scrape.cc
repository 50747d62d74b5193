#include "exporter/scrape.h"

#include <chrono>
#include <map>
#include <string_view>
#include <utility>

#include "exporter/collectors/collectors.h"

namespace outgrown::exporter {
namespace {

struct CollectorRun {
  std::chrono::nanoseconds duration{0};
  bool success = true;
};

// By collector; a store collector's runs for all stores add up to one.
using CollectorRuns = std::map<std::string_view, CollectorRun>;

// The search for stores is timed and judged like a collector, but goes on when a directory can't be listed.
void FindAllStores(const StoreSources& sources, const Log& log, CollectorRuns& runs,
                   std::vector<ScrapedStore>& stores) {
  CollectorRun& run = runs["stores"];
  const auto start = std::chrono::steady_clock::now();
  FoundStores found = FindStores(sources);
  run.duration = std::chrono::steady_clock::now() - start;
  run.success = found.problems.empty();
  for (const Error& problem : found.problems) {
    log.Warn("Directory of counter blocks not listed", {{"directory", problem.where}, {"err", problem.what}});
  }
  for (StoreTarget& target : found.stores) stores.push_back({std::move(target), {}});
}

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
  ScrapeResult result;
  CollectorRuns runs;
  FindAllStores(sources, log, runs, result.stores);
  for (const StoreCollector& collector : kStoreCollectors) runs[collector.name] = {};
  for (ScrapedStore& scraped : result.stores) {
    StoreScrape store{settings, scraped.target, scraped.target.database};
    for (const StoreCollector& collector : kStoreCollectors) {
      Run(collector.name, scraped.target.name, log, runs,
          [&] { return collector.collect(store, result.samples); });
    }
    scraped.database = store.database;
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
