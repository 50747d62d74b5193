// Which stores there are: found anew for each scrape, because applications come and go and the exporter keeps
// no state.
#pragma once

#include <string>
#include <vector>

#include "exporter/collectors/collector.h"

namespace outgrown::exporter {

// --store NAME=PATH
struct NamedStore {
  std::string name;
  std::string database;
};

struct StoreSources {
  std::vector<NamedStore> named;
};

// The stores, ordered by name.
std::vector<StoreTarget> FindStores(const StoreSources& sources);

}  // namespace outgrown::exporter
