// One scrape: finds the stores, runs every collector, and decides in one place what timing, success and logging are.
#pragma once

#include <compare>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "common/result.h"
#include "exporter/collectors/collectors.h"
#include "exporter/collectors/samples.h"
#include "exporter/log.h"
#include "exporter/store_probes.h"

namespace outgrown::exporter {

// --store NAME=PATH
struct NamedStore {
  std::string name;
  std::string database;
};

struct StoreSources {
  std::vector<std::string> block_directories;  // empty: DefaultBlockDirectories at each scrape
  std::vector<NamedStore> named;
};

struct FoundStores {
  std::vector<StoreTarget> stores;  // ordered by name
  std::vector<Error> problems;      // directories that could not be listed
};

// Every store that has a counter block of any major in any of the directories, and every named one. Blocks of
// the same name are one store's.
FoundStores FindStores(const StoreSources& sources);

// $OUTGROWN_DIR if it is set, else every folder in `system_directory` and $XDG_RUNTIME_DIR/outgrown, as far
// as they exist: the places where applications put their blocks by themselves (counterblock/block_file.h).
std::vector<std::string> DefaultBlockDirectories(const std::string& system_directory = "/run/outgrown");

// What fails: by collector, store (empty if it is no store's) and file.
struct FailingSource {
  std::string collector;
  std::string store;
  std::string where;
  // NOLINTNEXTLINE(modernize-use-nullptr): the comparison with 0 that clang-tidy 14 sees is the compiler's
  auto operator<=>(const FailingSource&) const = default;
};
using Failures = std::map<FailingSource, std::string>;

class Scraper {
 public:
  // `log` must outlive this.
  Scraper(Settings settings, StoreSources sources, const Log& log);

  const Settings& settings() const { return *settings_; }

  // Calls `visit` for each store, in the order of their names and one at a time, and gives the samples that are no store's.
  // Ends after about a second at the latest: a collector that fails costs its own samples from the failure
  // on, sets its checkpoint_collector_success to 0 and is logged when that begins and ends, and nothing else.
  // Safe to call from several threads at once.
  Samples Scrape(const std::function<void(const StoreReport&)>& visit);

 private:
  void LogChanges(Failures now);

  const std::shared_ptr<const Settings> settings_;
  const StoreSources sources_;
  const Log& log_;
  StoreProbes probes_;
  std::mutex failures_mutex_;
  Failures failures_;  // of the last scrape
};

}  // namespace outgrown::exporter
