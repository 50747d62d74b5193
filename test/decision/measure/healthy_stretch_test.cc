// A stretch in which all evaluations were healthy is taken at once (store_period.h): on drawn histories that gives what
// judging each of them gives.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "decision/evaluation.h"
#include "decision/measure/measure_period.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"
#include "test/support/rounds.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using outgrown::test::kMemoryE;
using outgrown::test::kMemoryT;
using outgrown::test::kSampleSignals;
using outgrown::test::kSampleTable;
using outgrown::test::kSampleThresholds;
using outgrown::test::MemorySource;
using outgrown::test::Rounds;

namespace {

using Random = std::mt19937_64;
constexpr int kDrawnStores = 12;
const std::string kSentinel = "checkpoint:sentinel";

int Draw(Random& random, int from, int to) { return std::uniform_int_distribution(from, to)(random); }
bool OneIn(Random& random, int cases) { return Draw(random, 1, cases) == 1; }

// The sample table and one threshold more, which is beyond its limit at each evaluation: nothing is healthy then.
const Table& WithSentinel(const Table& table) {
  static std::vector<SignalRow> signals;
  static std::vector<ThresholdRow> thresholds;
  static Table changed;
  changed = table;
  signals.assign(table.signals.begin(), table.signals.end());
  thresholds.assign(table.thresholds.begin(), table.thresholds.end());
  thresholds.push_back({"Sentinel", "CheckpointSentinel", static_cast<std::uint16_t>(signals.size()), 0,
                        Direction::kAbove, 1, 0, "never healthy"});
  signals.push_back({"sentinel", "Sentinel", kSentinel, Unit::kCount, Uncovered::kValid});
  changed.signals = signals;
  changed.thresholds = thresholds;
  return changed;
}

// Also a limit from below, of a lower bound, and no limit at all.
const Table& DrawTable(Random& random) {
  static std::vector<SignalRow> signals;
  static std::vector<ThresholdRow> thresholds;
  static Table table;
  table = kSampleTable;
  signals.assign(kSampleSignals.begin(), kSampleSignals.end());
  thresholds.assign(kSampleThresholds.begin(), kSampleThresholds.end());
  table.coverage_window_ms = OneIn(random, 2) ? 300'000 : 0;
  if (OneIn(random, 2)) table.coverage_maximum = 1.05;
  if (OneIn(random, 3)) {
    thresholds[outgrown::test::kThroughputApproaching].direction = Direction::kBelow;
    thresholds[outgrown::test::kThroughputApproaching].limit = 15;
  }
  if (OneIn(random, 4)) thresholds.pop_back();
  if (OneIn(random, 6)) table.coverage_series = {};
  table.signals = signals;
  table.thresholds = thresholds;
  return table;
}

// Something that happened to a series: for some evaluations it was missing, or had another value.
void Disturb(Random& random, MemorySource::Samples& samples) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  constexpr std::array kValues = {0.02,      90.0,      150.0, 2.0,  1e10,
                                  0.0,       0.5,       1.5,   -1.0, std::numeric_limits<double>::quiet_NaN(),
                                  kInfinity, -kInfinity};
  const std::int64_t from_ms = kMemoryE - Draw(random, 0, 240) * kSampleTable.interval_ms;
  const std::int64_t to_ms = from_ms + Draw(random, 1, 25) * kSampleTable.interval_ms;
  const auto within = [&](const Sample& sample) {
    return sample.time_ms >= from_ms && sample.time_ms < to_ms;
  };
  switch (Draw(random, 0, 3)) {
    case 0:
      std::erase_if(samples, within);
      break;
    case 1:  // later, as after a restart with another beginning
      std::erase_if(samples, [&](Sample& sample) {
        if (sample.time_ms >= from_ms) sample.time_ms += 10'000;
        return sample.time_ms > kMemoryT;
      });
      break;
    default: {
      const double value = kValues.at(static_cast<std::size_t>(Draw(random, 0, kValues.size() - 1)));
      for (Sample& sample : samples)
        if (within(sample)) sample.value = value;
    }
  }
}

// The sentinel at each evaluation that any signal shows.
void AddSentinel(MemorySource& source, const std::string& store) {
  std::set<std::int64_t> times;
  for (const SignalRow& signal : kSampleSignals) {
    for (const Sample& sample : source.recorded[std::string(signal.series)][store])
      times.insert(sample.time_ms);
  }
  for (const std::int64_t time_ms : times) source.recorded[kSentinel][store].push_back({time_ms, 2});
}

MemorySource DrawSource(Random& random) {
  MemorySource source;
  for (int number = 0; number < kDrawnStores; ++number) {
    const std::string store = "store-" + std::to_string(number);
    source.AddHealthyStore(store);
    if (OneIn(random, 4)) source.began[store] = kMemoryE - Draw(random, 0, 100) * kSampleTable.interval_ms;
    const int only = OneIn(random, 2) ? Draw(random, 0, 5) : -1;  // a single fault is what is easily missed
    int place = 0;
    for (auto& [series, stores] : source.recorded) {
      for (Sample& sample : stores[store]) sample.value *= 1 + 0.01 * Draw(random, 0, 3);
      if (only == place++) Disturb(random, stores[store]);
      if (only >= 0) continue;
      if (OneIn(random, 10)) stores[store].clear();
      while (OneIn(random, 3)) Disturb(random, stores[store]);
    }
    AddSentinel(source, store);
  }
  return source;
}

// Something was wrong with an answer.
void DisturbAnswers(Random& random, const std::vector<std::string>& asked, MemorySource& source,
                    std::vector<PeriodBegin>& begins) {
  if (!OneIn(random, 2)) return;
  const std::string& promql =
      asked.at(static_cast<std::size_t>(Draw(random, 0, static_cast<int>(asked.size()) - 1)));
  if (promql.starts_with(kSentinel)) return;
  const auto drawn = static_cast<std::size_t>(Draw(random, 0, kDrawnStores - 1));
  switch (Draw(random, 0, 2)) {
    case 0:
      source.failing[promql] = "no answer within 2s";
      // Or the sentinel alone would show since when a new store is measured.
      for (PeriodBegin& begin : begins) begin.decided_before = true;
      break;
    case 1:
      source.changing[promql] = [](prometheus_api::Answer& answer) { answer.partial = true; };
      break;
    default:
      source.changing[promql] = [drawn](prometheus_api::Answer& answer) {
        for (std::size_t store = drawn; store < std::min<std::size_t>(drawn + 3, kDrawnStores); ++store) {
          if (store >= answer.series.size()) return;
          prometheus_api::Series second = answer.series[store];
          second.labels.emplace_back("replica", "b");
          const auto half = static_cast<std::ptrdiff_t>(second.samples.size() / 2);
          second.samples.erase(second.samples.begin(), second.samples.begin() + half);
          answer.series.push_back(second);
        }
      };
  }
}

std::vector<std::vector<std::string>> Identities(std::size_t count) {
  std::vector<std::vector<std::string>> identities;
  for (std::size_t number = 0; number < count; ++number)
    identities.push_back({"app", "app-1:9108", "store-" + std::to_string(number)});
  return identities;
}

void CheckSame(const ThresholdPeriod& at_once, const ThresholdPeriod& each) {
  CHECK(at_once.breached_evaluations == each.breached_evaluations);
  CHECK(at_once.breached_first_ms == each.breached_first_ms);
  CHECK(at_once.breached_last_ms == each.breached_last_ms);
  CHECK(at_once.longest_beyond_ms == each.longest_beyond_ms);
  CHECK(at_once.extreme == each.extreme);
  CHECK(at_once.unknown.stretches == each.unknown.stretches);
  CHECK(at_once.unknown.cause == each.unknown.cause);
  CHECK(at_once.unknown.total_ms == each.unknown.total_ms);
}

// The periods of the first stores, taken at once and evaluation by evaluation.
void CheckSamePeriods(const Table& table, MemorySource& source, const std::vector<PeriodBegin>& begins,
                      const std::vector<std::vector<std::string>>& identities) {
  FleetSamples notes;
  const auto at_once = MeasurePeriod(table, source, begins, kMemoryT, identities, notes);
  const auto each = MeasurePeriod(WithSentinel(table), source, begins, kMemoryT, identities, notes);
  for (std::size_t store = 0; store < std::min<std::size_t>(identities.size(), kDrawnStores); ++store) {
    CAPTURE(store);
    CHECK(at_once[store].measured_since_ms == each[store].measured_since_ms);
    for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
      CAPTURE(index);
      CheckSame(at_once[store].thresholds[index], each[store].thresholds[index]);
    }
  }
}

}  // namespace

TEST_CASE("a stretch that was healthy is taken at once, as if each of its evaluations were judged") {
  const std::uint64_t seed = std::random_device()();
  CAPTURE(seed);
  Random random(seed);
  for (int round = 0; round < Rounds(20, 2000); ++round) {
    CAPTURE(round);
    MemorySource source = DrawSource(random);
    const Table& table = DrawTable(random);
    // With so many the hour takes several stretches; most of them have never been seen.
    const auto identities = Identities(round % 20 == 0 ? 17'000 : kDrawnStores);
    std::vector<PeriodBegin> begins;
    for (std::size_t index = 0; index < identities.size(); ++index) {
      const int back = index < kDrawnStores && round % 2 == 0 ? Draw(random, 10, 120) : 120;
      begins.push_back({kMemoryT - back * table.interval_ms, OneIn(random, 2)});
    }
    FleetSamples notes;
    static_cast<void>(MeasurePeriod(table, source, begins, kMemoryT, identities, notes));
    DisturbAnswers(random, source.asked, source, begins);
    CheckSamePeriods(table, source, begins, identities);
  }
}

TEST_CASE("an evaluation before a period counts only where it is one of its beginning's") {
  // The last error ratio before the period is older than its own window, and within that of the rate, which is recorded at
  // other times.
  MemorySource source;
  source.AddHealthyStore("store-0");
  source.AddHealthyStore("store-1");
  const std::int64_t from_ms = kMemoryE - 60 * kSampleTable.interval_ms - 40'000;
  for (auto& [series, stores] : source.recorded) {
    if (series == kSampleSignals[outgrown::test::kErrorRatio].series) {
      std::erase_if(stores["store-0"], [&](const Sample& sample) {
        return sample.time_ms > from_ms - 500'000 && sample.time_ms < from_ms + 40'000;
      });
    } else {
      for (Sample& sample : stores["store-0"]) sample.time_ms -= 10'000;
    }
  }
  for (const char* store : {"store-0", "store-1"}) AddSentinel(source, store);
  CheckSamePeriods(kSampleTable, source, {{from_ms, true}, {from_ms - 1'800'000, true}}, Identities(2));
}
