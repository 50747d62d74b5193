#include "decision/measure/measure_period.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/check.h"
#include "common/time_text.h"
#include "decision/measure/store_period.h"
#include "decision/measure/walk.h"

namespace outgrown::decision {
namespace {

// The stores asked about were added to the list first, so they have the lowest indices; any further store is ignored.
class PeriodVisitor : public Visitor {
 public:
  PeriodVisitor(StoreList& list, std::vector<StorePeriod>& periods) : list_(list), periods_(periods) {}

  Result<void> Begin(const Stretch& /*stretch*/) override { return {}; }
  std::vector<std::int64_t> Instants(std::size_t store, const Stretch& stretch) override {
    if (store >= periods_.size()) return {};
    return periods_[store].Evaluations(list_.stores()[store], stretch);
  }
  void Visit(std::size_t store, std::int64_t time_ms, StoreAt& at) override {
    periods_[store].Take(list_.stores()[store], time_ms, at);
  }

 private:
  StoreList& list_;
  std::vector<StorePeriod>& periods_;
};

// Each distinct beginning costs one query about the whole fleet; a fleet's runs leave a handful. With more,
// none is asked.
constexpr std::size_t kBeginningsMax = 16;

// Which of the stores were there before their period: decided about, or seen within 26 hours. Unknown counts as "was
// there": missing samples then count as missing, which is the cautious side.
std::vector<bool> ThereBefore(const Table& table, prometheus_api::QuerySource& source,
                              std::span<const PeriodBegin> begins, std::int64_t to_ms, StoreList& list,
                              FleetNotes& notes) {
  std::vector<bool> there(list.stores().size(), true);
  std::set<std::int64_t> beginnings;
  for (const PeriodBegin& begin : begins) {
    if (!begin.decided_before) beginnings.insert(begin.from_ms);
  }
  if (beginnings.size() > kBeginningsMax) return there;
  for (const std::int64_t begin_ms : beginnings) {
    const prometheus_api::Reply reply =
        prometheus_api::AskVector(source,
                                  fmt::format("count{} (last_over_time({}[{}] offset {}))", ByIdentity(table),
                                              table.present, FormatDuration(Milliseconds(kLookbackMs)),
                                              FormatDuration(Milliseconds(to_ms - begin_ms))),
                                  to_ms, notes);
    if (!reply.usable()) continue;
    std::vector<bool> shown(there.size(), false);
    for (const prometheus_api::Series& series : reply.series) {
      const Store* const store = list.Find(series.labels);
      if (store != nullptr) shown[list.IndexOf(*store)] = true;
    }
    for (std::size_t index = 0; index < there.size(); ++index) {
      if (begins[index].from_ms == begin_ms) there[index] = shown[index] || begins[index].decided_before;
    }
  }
  return there;
}

// Each gap is a query. A host's stop gives two or three gaps for all of its stores, since rates end later than sizes.
constexpr std::size_t kGapsMax = 32;

// A gap is a stop if the file's time at its end is not after the last scrape before it: nothing was written
// meanwhile. One scrape interval is allowed between the last scrape and the last write, as between any two
// scrapes. What is written before the gap ends, so before anything is recorded again, proves no stop: nobody
// has judged it. The host's clock is compared with Prometheus'.
//
// The last scrape is looked for in steps, so that a target's end (a staleness marker) is seen, and from well
// before the gap on: a rate is recorded for as long as its window holds samples.
void FindStops(const Table& table, prometheus_api::QuerySource& source, StoreList& list,
               std::vector<StorePeriod>& stores, FleetNotes& notes) {
  if (table.modified.empty()) return;
  std::map<Gap, std::set<std::size_t>> stores_of;
  for (std::size_t index = 0; index < stores.size(); ++index) {
    for (const Gap& gap : stores[index].Gaps()) stores_of[gap].insert(index);
  }
  if (stores_of.size() > kGapsMax) return;
  const std::string by = ByIdentity(table);
  for (const auto& [gap, indices] : stores_of) {
    const prometheus_api::Reply last_scrapes = prometheus_api::AskVector(
        source,
        fmt::format("max{} (max_over_time(timestamp({})[{}:{}]))", by, table.modified,
                    FormatDuration(Milliseconds(RateWindowMs(table) + kBridgedMs)),
                    FormatDuration(Milliseconds(table.scrape_interval_ms))),
        gap.first, notes);
    const prometheus_api::Reply modified =
        prometheus_api::AskVector(source,
                                  fmt::format("max{} (max_over_time({}[{}]))", by, table.modified,
                                              FormatDuration(Milliseconds(gap.second - gap.first))),
                                  gap.second, notes);
    if (!last_scrapes.usable() || !modified.usable()) continue;
    std::map<const Store*, double> scraped_s;
    for (const prometheus_api::Series& series : last_scrapes.series)
      scraped_s[list.Find(series.labels)] = series.samples.front().value;
    for (const prometheus_api::Series& series : modified.series) {
      const Store* const store = list.Find(series.labels);
      const auto scraped = scraped_s.find(store);
      if (store == nullptr || scraped == scraped_s.end()) continue;
      const double allowed_s = scraped->second + static_cast<double>(table.scrape_interval_ms) / 1000;
      const std::size_t index = list.IndexOf(*store);
      if (series.samples.front().value <= allowed_s && indices.contains(index)) stores[index].Stopped(gap);
    }
  }
}

}  // namespace

engine::Decision ConcludePeriod(const Table& table, const Period& period, const engine::Decision& at_end) {
  std::vector<engine::PeriodFinding> findings;
  for (const ThresholdPeriod& threshold : period.thresholds)
    findings.push_back({threshold.breached_evaluations > 0, !threshold.unknown.stretches.empty()});
  return engine::ConcludePeriod(table, findings, at_end);
}

std::vector<Period> MeasurePeriod(const Table& table, prometheus_api::QuerySource& source,
                                  std::span<const PeriodBegin> begins, std::int64_t to_ms,
                                  const std::vector<Identity>& identities, FleetNotes& notes) {
  OUTGROWN_CHECK(begins.size() == identities.size());
  StoreList list(table);
  for (const Identity& identity : identities) list.Add(identity);
  const std::vector<bool> there_before = ThereBefore(table, source, begins, to_ms, list, notes);
  std::vector<StorePeriod> stores;
  stores.reserve(identities.size());
  for (std::size_t index = 0; index < identities.size(); ++index)
    stores.emplace_back(table, begins[index].from_ms, to_ms, !there_before[index]);
  const std::int64_t first_ms =
      begins.empty() ? to_ms : std::ranges::min(begins, {}, &PeriodBegin::from_ms).from_ms;
  const Course course = {.after_ms = first_ms, .to_ms = to_ms};
  PeriodVisitor visitor(list, stores);
  const Result<void> walked = Walk(table, AllRecorded(table), course, source, list, notes, visitor);
  OUTGROWN_CHECK(walked);  // Begin has no error
  for (StorePeriod& store : stores) store.End();
  FindStops(table, source, list, stores, notes);
  std::vector<Period> periods;
  periods.reserve(stores.size());
  for (StorePeriod& store : stores) periods.push_back(store.Finish());
  return periods;
}

}  // namespace outgrown::decision
