// What names a store, and finding stores by it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::evaluate {

// The values of Table::identity, in its order; "" for a label that is not there.
using Identity = std::vector<std::string>;

Identity IdentityOf(const Table& table, const prometheus_api::Labels& labels);

// Whether no label is missing. A series that lacks one belongs to no store.
bool IsWhole(const Identity& identity);

// The place of each store in the order in which they were added.
class StoreIndex {
 public:
  // The store's place, and true if it is new.
  std::pair<std::size_t, bool> FindOrAdd(const Identity& identity);
  std::optional<std::size_t> Find(const Identity& identity) const;

 private:
  std::unordered_map<std::string, std::size_t> places_;
};

}  // namespace outgrown::evaluate
