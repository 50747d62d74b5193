#include "decision/store_index.h"

#include <algorithm>
#include <string_view>

namespace outgrown::evaluate {
namespace {

std::string KeyOf(const Identity& identity) {
  std::string key;
  for (const std::string& value : identity) {
    key += value;
    key += '\xFF';  // in no UTF-8, so in no label value
  }
  return key;
}

}  // namespace

Identity IdentityOf(const Table& table, const prometheus_api::Labels& labels) {
  Identity identity;
  for (const std::string_view name : table.identity)
    identity.emplace_back(prometheus_api::LabelValue(labels, name));
  return identity;
}

bool IsWhole(const Identity& identity) {
  return std::ranges::none_of(identity, [](const std::string& value) { return value.empty(); });
}

std::pair<std::size_t, bool> StoreIndex::FindOrAdd(const Identity& identity) {
  const auto [found, added] = places_.try_emplace(KeyOf(identity), places_.size());
  return {found->second, added};
}

std::optional<std::size_t> StoreIndex::Find(const Identity& identity) const {
  const auto found = places_.find(KeyOf(identity));
  return found == places_.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace outgrown::evaluate
