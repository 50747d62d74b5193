// What one run found about one table's stores: the inputs, the decisions and the state of the alerts beside them.
// Reports, records and the exit status are made from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "decision/alerts.h"
#include "decision/engine/decide.h"
#include "decision/given.h"
#include "decision/measure/measure.h"
#include "decision/measure/period.h"
#include "decision/trend.h"
#include "thresholds/table.h"

namespace outgrown::decision {

enum class Origin {
  kPrometheus,  // measured
  kGiven,       // --measurements: values that are taken as sustained
};

// A reason's share of a split signal.
struct Share {
  std::string reason;  // "busy_snapshot"
  double part = 0;     // above 0, up to 1
};

struct StoreDecision {
  Labels labels;  // what names the store, in the order to show
  StoreSamples samples;
  std::vector<engine::Finding> findings;  // by index of Table::thresholds
  engine::Decision decision;
  std::optional<Period>
      period;                // --since: the decision is over it; samples and findings are those of its end
  std::vector<Share> split;  // of the signal that the verdict, or what is pending, rests on; largest first
  std::vector<AlertComparison> alerts;  // by index of Table::thresholds; empty if they were not asked for
  std::vector<Trend> trends;            // by index of Table::thresholds; empty if they were not asked for
  std::vector<std::optional<Trend>>
      ceiling_trends;                     // likewise, by index of Table::signals; of those with a ceiling
  std::optional<std::int64_t> logged_as;  // the record's sequence number
};

struct Evaluation {
  const Table* table = nullptr;
  Origin origin = Origin::kPrometheus;
  std::string server;        // the URL; "" for given values
  std::int64_t time_ms = 0;  // T
  bool at = false;           // T was given with --at: a later --since last does not start from it
  FleetSamples fleet;        // its stores have moved into `stores`
  bool alerts_compared = false;
  std::vector<StoreDecision> stores;  // by identity; reports choose their own order
};

// The first presence query without a complete answer, which leaves unknown which stores there are; null if
// there is none.
const QueryDone* PresenceProblem(const FleetSamples& fleet);

// Asks `source` and decides about every store there was within the last 26 hours, or within `period_ms` if that is
// longer. The table must outlive the result. `rules`: what their server says of them.
Evaluation EvaluateMeasured(const Table& table, prometheus_api::QuerySource& source, std::int64_t time_ms,
                            std::int64_t period_ms = 0, const prometheus_api::RuleFindings& rules = {});

// Makes the decisions those over the period from `from_ms` to the evaluation's time (--since), whose stores
// EvaluateMeasured has looked for. With several, each store's period begins at the one of its index.
void LookBack(Evaluation& evaluation, prometheus_api::QuerySource& source, std::int64_t from_ms);
void LookBack(Evaluation& evaluation, prometheus_api::QuerySource& source,
              std::span<const PeriodBegin> begins);

// Fills StoreDecision::trends and ceiling_trends. What could not be asked is noted among the fleet's warnings.
void AddTrends(Evaluation& evaluation, prometheus_api::QuerySource& source);

// Decides about stores whose values were given.
Evaluation EvaluateGiven(const Table& table, const std::vector<GivenStore>& given, std::int64_t time_ms);

// Fills a store's findings and decision from its samples.
void DecideStore(const Table& table, Origin origin, std::int64_t time_ms, StoreDecision& store);

// The newest sample of a signal; nothing if there is none to judge.
std::optional<Sample> Newest(const StoreDecision& store, std::size_t signal);

// The signal whose split says more of the store's verdict, or of what is pending; nothing if there is none.
std::optional<std::size_t> SplitSignal(const Table& table, const StoreDecision& store);

// Whether the verdict is sufficient while a limit is exceeded, not yet for long enough.
bool IsPending(const StoreDecision& store);

// "sufficient", "pending", "breached" or "undetermined": the name of JSON.
std::string_view StateOf(const StoreDecision& store);

// For "worst first": 0 for sufficient, 1 for one with a limit that is exceeded already, up to the most severe verdict;
// undetermined comes just below that one.
int Badness(const Table& table, const StoreDecision& store);

}  // namespace outgrown::decision
