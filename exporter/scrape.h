// One scrape: finds the stores, runs every collector, and decides in one place what timing, success and
// logging are.
#pragma once

#include <string>
#include <vector>

#include "exporter/collectors/collector.h"
#include "exporter/collectors/samples.h"
#include "exporter/log.h"
#include "exporter/stores.h"

namespace outgrown::exporter {

struct ScrapedStore {
  StoreTarget target;
  std::string database;  // the path in use; empty if nobody said one
};

struct ScrapeResult {
  std::vector<ScrapedStore> stores;
  Samples samples;
};

// Always gives a result: a collector that fails costs its own samples from the failure on, sets its
// checkpoint_collector_success to 0 and is logged, and nothing else. Safe to call from several threads at
// once.
ScrapeResult Scrape(const Settings& settings, const StoreSources& sources, const Log& log);

}  // namespace outgrown::exporter
