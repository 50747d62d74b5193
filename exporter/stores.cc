#include "exporter/stores.h"

#include <map>

namespace outgrown::exporter {

std::vector<StoreTarget> FindStores(const StoreSources& sources) {
  std::map<std::string, StoreTarget> by_name;
  for (const NamedStore& named : sources.named) {
    StoreTarget& target = by_name[named.name];
    target.name = named.name;
    target.database = named.database;
  }
  std::vector<StoreTarget> stores;
  for (auto& [name, target] : by_name) stores.push_back(std::move(target));
  return stores;
}

}  // namespace outgrown::exporter
