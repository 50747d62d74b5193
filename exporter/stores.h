// Which stores there are: found anew for each scrape, because applications come and go and the exporter keeps
// no state.
#pragma once

#include <string>
#include <vector>

#include "common/result.h"
#include "exporter/collectors/collector.h"

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
// as they exist: the places where applications put their blocks by themselves (counterblock/directory.h).
std::vector<std::string> DefaultBlockDirectories(const std::string& system_directory = "/run/outgrown");

}  // namespace outgrown::exporter
