#include "decision/period.h"

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
#include "decision/walk.h"

namespace outgrown::decision {
namespace {

using engine::Cause;
using engine::Finding;
using engine::Outcome;
using engine::State;

using Gap = std::pair<std::int64_t, std::int64_t>;

// A wrong or missing answer, as opposed to samples that were never recorded: what it would have shown is unknown.
bool IsFault(Cause cause) {
  return cause == Cause::kQueryFailed || cause == Cause::kPartialAnswer || cause == Cause::kSeveralSeries;
}

// What the walk through the period finds about one store.
class StorePeriod {
 public:
  // `is_new`: the store was not there before the period.
  StorePeriod(const Table& table, std::int64_t from_ms, std::int64_t to_ms, bool is_new) : table_(table) {
    if (!is_new) BeginAt(from_ms);
    period_.from_ms = from_ms;
    period_.to_ms = to_ms;
    period_.thresholds.resize(table.thresholds.size());
  }

  // The evaluations of the stretch that the samples show, as far as it is of the period. Those before the
  // period show in which state it begins.
  std::vector<std::int64_t> Evaluations(const Store& store, const Stretch& stretch) {
    std::vector<std::int64_t> times;
    if (period_.from_ms >= stretch.until_ms) return times;
    const bool begins = period_.from_ms >= stretch.after_ms;
    for (std::size_t index = 0; index < table_.signals.size(); ++index) {
      const std::int64_t begin_ms = begins ? period_.from_ms - WindowMs(table_, index) : stretch.after_ms;
      for (const std::vector<Sample>& series : store.signals[index].series) {
        for (const Sample& sample : series) {
          if (sample.time_ms > begin_ms) times.push_back(sample.time_ms);
        }
      }
    }
    std::ranges::sort(times);
    times.erase(std::unique(times.begin(), times.end()), times.end());
    if (known_.empty() && !times.empty()) {
      period_.measured_since_ms = times.front();
      BeginAt(std::min(period_.to_ms, times.front() + RateWindowMs(table_)));
    }
    for (std::size_t index = 0; index < known_.size(); ++index) {
      const Fetched& signal = store.signals[table_.thresholds[index].signal];
      if (IsFault(signal.cause)) known_[index].NotKnown(signal.cause);
    }
    return times;
  }

  // Decides at such an evaluation.
  void Take(const Store& store, std::int64_t time_ms, StoreAt& at) {
    at.Read(store, time_ms);
    at.Decide(Cause::kNone);
    for (std::size_t index = 0; index < table_.thresholds.size(); ++index) {
      const Finding& finding = at.findings()[index];
      const engine::Reading& reading = at.signal(table_.thresholds[index].signal);
      if (reading.cause == Cause::kSeveralSeries) known_[index].NotKnown(reading.cause);
      if (reading.samples.empty()) continue;
      // An older sample was taken at its own evaluation already: rules in several groups have times of their own.
      if (reading.samples.back().time_ms != time_ms) continue;
      TakeCondition(index, finding, at.coverage(), time_ms);
      if (finding.state == State::kUnknown || time_ms <= period_.from_ms) continue;
      TakeFinding(index, finding, reading.samples.back(), time_ms);
      if (finding.state == State::kBreached && Leads(index)) Keep(index, store, time_ms, at);
    }
  }

  void End() {
    if (known_.empty()) BeginAt(period_.from_ms);
    for (KnownTime& known : known_) known.End(period_.to_ms);
  }

  // The gaps of a threshold.
  std::set<Gap> Gaps() const {
    std::set<Gap> gaps;
    for (const KnownTime& known : known_) {
      for (const Gap& gap : known.Gaps()) gaps.insert(gap);
    }
    return gaps;
  }

  void Stopped(const Gap& gap) {
    for (KnownTime& known : known_) known.Stopped(gap);
    if (!period_.stopped.empty() && gap.first <= period_.stopped.back().second) {
      period_.stopped.back().second = std::max(period_.stopped.back().second, gap.second);
    } else {
      period_.stopped.push_back(gap);
    }
  }

  Period Finish() {
    for (std::size_t index = 0; index < known_.size(); ++index)
      period_.thresholds[index].unknown = known_[index].Finish();
    return std::move(period_);
  }

 private:
  // From when on what is missing counts.
  void BeginAt(std::int64_t from_ms) {
    for (const ThresholdRow& threshold : table_.thresholds)
      known_.emplace_back(threshold, table_.interval_ms, from_ms);
  }

  // Whether the condition was known at this threshold's sample of `time_ms`.
  void TakeCondition(std::size_t index, const Finding& finding, const engine::Reading& coverage,
                     std::int64_t time_ms) {
    KnownTime& known = known_[index];
    if (finding.state == State::kNotBreached) {
      known.Known(time_ms, KnownTime::Condition::kFalse);
    } else if (finding.state == State::kBreached) {
      known.Known(time_ms, KnownTime::Condition::kBreached);
    } else if (finding.state == State::kPending || finding.samples_used > 1 ||
               finding.cause == Cause::kTooFewSamples) {
      known.Known(time_ms, KnownTime::Condition::kTrue);  // what is unknown of it lies before this sample
    } else if (finding.cause == Cause::kCoverageUnknown) {
      const bool there = !Upto(coverage.samples, time_ms, 2 * table_.interval_ms).empty();  // and no number
      known.NotKnown(IsFault(coverage.cause) ? coverage.cause
                     : there                 ? Cause::kCoverageUnknown
                                             : Cause::kUnmeasured);
    } else {
      known.NotKnown(finding.cause);
    }
  }

  void TakeFinding(std::size_t index, const Finding& finding, const Sample& sample, std::int64_t time_ms) {
    ThresholdPeriod& threshold = period_.thresholds[index];
    const bool above = table_.thresholds[index].direction == Direction::kAbove;
    if (!threshold.extreme ||
        (above ? sample.value > threshold.extreme->value : sample.value < threshold.extreme->value)) {
      threshold.extreme = sample;
    }
    if (finding.state != State::kNotBreached) {
      threshold.longest_beyond_ms = std::max(threshold.longest_beyond_ms, sample.time_ms - finding.since_ms);
    }
    if (finding.state == State::kBreached) {
      if (threshold.breached_evaluations == 0) threshold.breached_first_ms = time_ms;
      threshold.breached_last_ms = time_ms;
      ++threshold.breached_evaluations;
    }
  }

  // Whether this threshold's first breach would be what the verdict rests on, as far as the walk has come.
  bool Leads(std::size_t index) const {
    if (period_.thresholds[index].breached_evaluations != 1) return false;
    if (!lead_) return true;
    const std::uint16_t verdict = table_.thresholds[index].verdict;
    const std::uint16_t other = table_.thresholds[*lead_].verdict;
    return verdict > other || (verdict == other && index < *lead_);
  }

  void Keep(std::size_t index, const Store& store, std::int64_t time_ms, const StoreAt& at) {
    lead_ = index;
    Instant instant;
    instant.time_ms = time_ms;
    instant.findings = at.findings();
    instant.samples.identity = store.identity;
    const auto copy = [](const engine::Reading& reading) {
      return SignalSamples{.cause = reading.cause,
                           .samples = {reading.samples.begin(), reading.samples.end()}};
    };
    for (std::size_t signal = 0; signal < table_.signals.size(); ++signal)
      instant.samples.signals.push_back(copy(at.signal(signal)));
    instant.samples.coverage = copy(at.coverage());
    period_.first_breach = std::move(instant);
  }

  const Table& table_;
  Period period_;
  std::vector<KnownTime> known_;  // by index of Table::thresholds
  std::optional<std::size_t> lead_;
};

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
