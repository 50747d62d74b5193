// One stretch of a backtest: some consecutive instants, and everything that deciding at them needs, for all stores at
// once. A backtest holds one stretch at a time, so that its memory does not grow with the period.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/sample.h"
#include "decision/history/readings.h"
#include "decision/history/series_choice.h"
#include "decision/history/timeline.h"
#include "decision/measure.h"
#include "decision/store_index.h"
#include "prometheus/prometheus_client.h"
#include "thresholds/table.h"

namespace outgrown::backtest {

// How long a store that has fallen silent is still reported, as by --evaluate.
inline constexpr std::int64_t kRememberedMs = 26LL * 3'600'000;

struct Store {
  std::vector<std::string> identity;
  std::optional<std::int64_t> last_seen_ms;  // before the stretch's next instant
  std::vector<Sample> seen;      // the stretch: the instants at which it was there, and since when
  std::vector<Fetched> signals;  // by index of Table::signals
  Fetched coverage;
};

// The instants `first` to `last` of the grid.
struct Stretch {
  std::int64_t first = 0;
  std::int64_t last = 0;
};

// All stores that have shown themselves so far, with the data of one stretch.
class Fleet {
 public:
  Fleet(const Table& table, const SeriesChoices& choices, prometheus_api::RangeSource& source,
        const Grid& grid)
      : table_(table), choices_(choices), source_(source), grid_(grid) {}

  // Which stores there were in the 26 hours before the grid, and how many there are at its end: what stretches are
  // measured by.
  void FindEarlier();

  // How many instants one stretch may have, so that an answer stays below some million samples.
  std::int64_t InstantsMax() const;

  // Replaces the data by those of `stretch`.
  void Fetch(const Stretch& stretch);

  std::vector<Store>& stores() { return stores_; }
  bool presence_known() const { return presence_known_; }  // in this stretch
  std::vector<std::string> TakeWarnings() { return std::move(sink_.warnings); }
  bool answered() const { return sink_.answered; }

 private:
  using Answer = Result<prometheus_api::Answer>;

  Store* FindOrAdd(const prometheus_api::Labels& labels);
  void FetchPresence(const Stretch& stretch);
  template <typename FetchedOf>
  void FetchSeries(const Stretch& stretch, const SeriesChoice& choice, std::string_view series,
                   std::int64_t window_ms, FetchedOf fetched_of);
  // Gives the answers for one signal to `take`, whose result is false if they are of no use.
  decide::Cause AskRecorded(const Stretch& stretch, std::string_view series, std::int64_t range_ms,
                            prometheus_api::Answer& answer);
  decide::Cause AskRaw(const Stretch& stretch, const std::string& expr, std::int64_t window_ms,
                       prometheus_api::Answer& answer);
  // Notes what is wrong with an answer; kNone if nothing is.
  decide::Cause Judge(const std::string& promql, const Answer& answer);
  void Warn(const std::string& promql, const std::string& problem);

  const Table& table_;
  const SeriesChoices& choices_;
  prometheus_api::RangeSource& source_;
  const Grid& grid_;
  std::vector<Store> stores_;
  evaluate::StoreIndex index_;
  std::size_t expected_stores_ = 1;
  bool presence_known_ = true;
  evaluate::FleetSamples sink_;  // warnings, and whether anything was answered
};

}  // namespace outgrown::backtest
