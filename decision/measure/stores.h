// Which stores there are: those that the table's `present` series has shown over the last 26 hours, so that one that
// has fallen silent since yesterday's decision is reported, not dropped; over a longer period those of all of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/horizons.h"
#include "common/sample.h"
#include "decision/engine/cause.h"
#include "prometheus/ask.h"
#include "prometheus/rule_timing.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// The values of Table::identity, in its order; "" for a label that is not there.
using Identity = std::vector<std::string>;

Identity IdentityOf(const Table& table, const prometheus_api::Labels& labels);

// " by (job, instance, database)": what an expression aggregates by to have one series a store.
std::string ByIdentity(const Table& table);

// What was fetched of one signal of one store: the series that claim to be it. Usually one; one that changed
// a label is two in a row.
struct Fetched {
  engine::Cause cause = engine::Cause::kNone;  // why nothing of it can be judged
  std::vector<std::vector<Sample>> series;     // each strictly ascending, none empty
};

struct Store {
  Identity identity;
  engine::Cause presence = engine::Cause::kNone;
  std::optional<std::int64_t> last_seen_ms;       // of a silent store; nothing if that is not known
  std::optional<std::int64_t> measured_since_ms;  // where the window is not full (kWindowNotFull); likewise
  std::vector<Fetched> signals;                   // by index of Table::signals
  Fetched coverage;
};

// Finds a store by its identity labels, and makes the ones that are missing. Stores keep the order in which they came.
class StoreList {
 public:
  explicit StoreList(const Table& table) : table_(table) {}

  // The store that the labels name, new if it was not there (with the given presence); null if one of the table's
  // identity labels is missing, since such a series belongs to no store. Valid until the next call.
  Store* FindOrAdd(const prometheus_api::Labels& labels, engine::Cause presence_if_new);

  // The same without making one: null too if there is none.
  Store* Find(const prometheus_api::Labels& labels);

  // The place in stores() of one of them.
  std::size_t IndexOf(const Store& store) const { return static_cast<std::size_t>(&store - stores_.data()); }

  // The store of that identity, new if it was not there. By default one that is known to report. Valid until the next call.
  Store& Add(Identity identity, engine::Cause presence_if_new = engine::Cause::kNone);

  std::vector<Store>& stores() { return stores_; }
  const std::vector<Store>& stores() const { return stores_; }

 private:
  void AddToKey(std::string_view value);

  const Table& table_;
  std::vector<Store> stores_;
  std::unordered_map<std::string, std::size_t> places_;  // by what names a store
  std::size_t next_ = 0;                                 // the place behind the store that was found last
  std::string key_;  // of the store that is looked for; kept, since a fleet is looked for many times
};

using QueryDone = prometheus_api::Asked;

// What a run asked about its stores.
struct FleetNotes : prometheus_api::Notes {
  std::int64_t time_ms = 0;      // T
  std::int64_t lookback_ms = 0;  // how far before T the presence of stores was asked for
  std::int64_t history_ms = 0;   // how much further back than their window a signal's samples were asked for
  std::vector<QueryDone> presence_queries;
  // Recorded series that are recorded by rules with different expressions: nothing of them can be judged.
  std::vector<prometheus_api::RulesDiffer> rules_differ;
  bool without_identity = false;  // a series lacks an identity label: something is there that was not judged
};

// How far the expressions look back from the newest sample, plus one interval, the age that sample may have; 0 if none
// looks back. A rate over a shorter history reads too low.
std::int64_t RateWindowMs(const Table& table);

// Which stores were there that long ago, or up to the tolerated gap earlier; only if RateWindowMs is not 0.
std::string WindowQuery(const Table& table);

// Fills `list` and the fleet's presence queries, looking back as far as FleetNotes::lookback_ms says. False if it is not known
// which stores report.
bool FindStores(const Table& table, prometheus_api::QuerySource& source, StoreList& list, FleetNotes& fleet);

// Since when those stores are silent, or have been there. Precondition: it is known which report.
void FindSince(const Table& table, prometheus_api::QuerySource& source, StoreList& list, FleetNotes& fleet);

}  // namespace outgrown::decision
