#include "decision/held_alerts.h"

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/duration.h"
#include "decision/store_index.h"
#include "decision/stores.h"

namespace outgrown::evaluate {
namespace {

// Going back from the newest of `samples` to a breach, no run of evaluations at which the condition was false is as long
// as keep_firing_for. (A condition that becomes true again in time stops Prometheus' clock, and the alert fires on through
// the new pending time.) A gap in which a breach may have stood leaves it unknown.
Held JudgeHeld(const Table& table, const ThresholdRow& threshold, std::span<const Sample> samples) {
  std::optional<std::int64_t> run_end_ms;  // the newest evaluation of the present run of false ones
  for (std::size_t count = samples.size(); count > 0; --count) {
    const Sample& sample = samples[count - 1];
    const bool beyond = decide::Beyond(threshold, sample.value);
    if (count < samples.size()) {
      const std::int64_t apart_ms = samples[count].time_ms - sample.time_ms;
      const bool missing = 2 * apart_ms > 3 * table.interval_ms;
      const bool may_hide =
          beyond || !run_end_ms || 2 * apart_ms > 2 * threshold.hold_ms + 3 * table.interval_ms;
      if (missing && may_hide) return Held::kUnknown;
    }
    if (!beyond) {
      if (!run_end_ms) run_end_ms = sample.time_ms;
      if (*run_end_ms - sample.time_ms >= table.keep_firing_for_ms) return Held::kNo;
      continue;
    }
    run_end_ms.reset();
    const decide::Clock clock = {sample.time_ms, table.interval_ms};
    const decide::State state =
        decide::JudgeWindow(threshold, {.samples = samples.first(count)}, {}, clock).state;
    if (state == decide::State::kBreached) return Held::kYes;
    if (state == decide::State::kUnknown) return Held::kUnknown;
  }
  return Held::kUnknown;
}

}  // namespace

std::vector<Held> FindHeld(const Table& table, std::size_t signal, const std::vector<Mismatch>& mismatches,
                           const std::vector<AlertSubject>& subjects, prometheus_api::QuerySource& source,
                           FleetSamples& fleet) {
  std::vector<Held> held(mismatches.size(), Held::kUnknown);
  const std::string_view series_name = table.signals[signal].series;
  const std::int64_t range_ms = 2 * WindowMs(table, signal) + table.keep_firing_for_ms;
  const std::string promql = fmt::format("{}[{}]", series_name, FormatDuration(Milliseconds(range_ms)));
  QueryDone done;
  Result<prometheus_api::Answer> answer =
      Ask(source, promql, prometheus_api::ResultType::kMatrix, done, fleet);
  if (!answer || answer->partial) return held;
  if (std::string misfit = Misfit(*answer, series_name, fleet.time_ms, range_ms); !misfit.empty()) {
    Fail(done, decide::Cause::kQueryFailed, std::move(misfit), fleet);
    return held;
  }
  std::map<Identity, SignalSamples> samples;
  for (prometheus_api::Series& series : answer->series)
    AddSeries(std::move(series.samples), samples[IdentityOf(table, series.labels)]);
  std::size_t unknown = 0;
  for (std::size_t index = 0; index < mismatches.size(); ++index) {
    const StoreSamples& subject = *subjects[mismatches[index].subject].samples;
    const SignalSamples& history = samples[subject.identity];
    // The same evaluation as the decision's, or it is another story.
    const bool fits = history.cause == decide::Cause::kNone &&
                      history.samples.back() == subject.signals[signal].samples.back();
    if (fits) held[index] = JudgeHeld(table, table.thresholds[mismatches[index].threshold], history.samples);
    if (held[index] == Held::kUnknown) ++unknown;
  }
  if (unknown > 0) {
    fleet.warnings.push_back(
        fmt::format("{}: of {} firing alert{} it doesn't show whether keep_firing_for holds them", promql,
                    unknown, unknown == 1 ? "" : "s"));
  }
  return held;
}

}  // namespace outgrown::evaluate
