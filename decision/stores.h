// Which stores there are: those that the table's `present` series has shown over the last 26 hours, so that one that
// has fallen silent since yesterday's decision is reported, not dropped; over a longer period those of all of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "decision/measure.h"
#include "decision/store_index.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::evaluate {

// Finds a store by its identity labels, and makes the ones that are missing.
class StoreList {
 public:
  explicit StoreList(const Table& table) : table_(table) {}

  // The store that the labels name, new if it was not there (with the given presence); null if one of the table's
  // identity labels is missing, since such a series belongs to no store. Valid until the next call.
  StoreSamples* FindOrAdd(const prometheus_api::Labels& labels, decide::Cause presence_if_new);

  // The same without making one: null too if there is none.
  StoreSamples* Find(const prometheus_api::Labels& labels);

  // Adds a store that is known to report.
  void Add(Identity identity);

  std::vector<StoreSamples>& stores() { return stores_; }

 private:
  StoreSamples& FindOrAdd(Identity identity, decide::Cause presence_if_new);

  const Table& table_;
  std::vector<StoreSamples> stores_;
  StoreIndex index_;
};

// Asks one query and notes it in `done`; what went wrong stands among the fleet's warnings too. A partial answer is
// given back, with done.cause saying so.
Result<prometheus_api::Answer> Ask(prometheus_api::QuerySource& source, const std::string& promql,
                                   prometheus_api::ResultType expected, QueryDone& done, FleetSamples& fleet);

// Notes that the query's answer is worth nothing.
void Fail(QueryDone& done, decide::Cause cause, std::string problem, FleetSamples& fleet);

// Fills `list` and the fleet's presence queries, looking back as far as FleetSamples::lookback_ms says.
void FindStores(const Table& table, prometheus_api::QuerySource& source, StoreList& list,
                FleetSamples& fleet);

}  // namespace outgrown::evaluate
