// One scrape: finds the stores, runs every collector, and decides in one place what timing, success and logging are.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "exporter/collectors/collector.h"
#include "exporter/collectors/samples.h"
#include "exporter/log.h"
#include "exporter/store_probes.h"
#include "exporter/stores.h"

namespace outgrown::exporter {

struct ScrapedStore {
  std::string name;
  std::string database;  // the path in use; empty if nobody said one
};

struct ScrapeResult {
  std::vector<ScrapedStore> stores;
  Samples samples;
};

class Scraper {
 public:
  // `log` must outlive this.
  Scraper(Settings settings, StoreSources sources, const Log& log);

  const Settings& settings() const { return *settings_; }

  // Always gives a result, after about a second at the latest: a collector that fails costs its own samples from the
  // failure on, sets its checkpoint_collector_success to 0 and is logged, and nothing else. Safe to call from several
  // threads at once.
  ScrapeResult Scrape();

 private:
  const std::shared_ptr<const Settings> settings_;
  const StoreSources sources_;
  const Log& log_;
  StoreProbes probes_;
};

}  // namespace outgrown::exporter
