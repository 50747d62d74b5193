#include "decision/history/series_choice.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/time_text.h"
#include "prometheus/ask.h"
#include "thresholds/names.h"

namespace outgrown::history {
namespace {

// The expression by which `spec` records `series`; nothing if it does not.
std::optional<std::string> ExprOf(const spec::Spec& spec, const std::string& series) {
  for (const spec::Signal& signal : spec.signals) {
    if (spec::RecordedSeries(spec.store, signal.id) == series) return signal.expr;
  }
  if (spec.coverage && spec::CoverageSeries(spec.store) == series) return spec.coverage->expr;
  return std::nullopt;
}

// Why the recorded series is not what `expr` gives; "" if it is.
std::string WhyApproximate(const std::string& series, const std::string& expr, const spec::Spec& spec,
                           const spec::Spec* reference, const Recordings& recordings) {
  const auto loaded = recordings.loaded.find(series);
  if (loaded != recordings.loaded.end()) {
    const auto differs = [&](const std::string& other) { return !recordings.same(other, expr); };
    if (std::ranges::any_of(loaded->second, differs)) return "Prometheus records another expression";
  } else if (reference != nullptr) {
    const std::optional<std::string> other = ExprOf(*reference, series);
    if (!other) return "the other spec does not record it";
    if (!recordings.same(*other, expr)) return "the expression differs from the other spec's";
  }
  if (reference != nullptr && reference->rules.interval != spec.rules.interval) {
    return "the interval differs from the other spec's";
  }
  if (reference != nullptr && reference->store.identity != spec.store.identity) {
    return "the identity differs from the other spec's";
  }
  return recordings.has_samples(series) ? "" : "Prometheus has not recorded it";
}

SeriesChoice Choose(std::string title, const std::string& series, const std::string& expr,
                    const spec::Spec& spec, const spec::Spec* reference, const Recordings& recordings) {
  std::string reason = WhyApproximate(series, expr, spec, reference, recordings);
  return {std::move(title), reason.empty() ? "" : expr, std::move(reason)};
}

}  // namespace

bool HasSamples(prometheus_api::QuerySource& source, const Grid& grid, const std::string& series) {
  const std::int64_t piece_ms = std::max<std::int64_t>(60'000, (grid.to_ms - grid.from_ms) / 50);
  const std::string promql =
      fmt::format("count(last_over_time({}[{}]))", series, FormatDuration(Milliseconds(piece_ms)));
  prometheus_api::Notes notes;  // the walk asks for the same samples and notes what it gets
  const prometheus_api::Reply reply =
      prometheus_api::AskRange(source, promql, grid.from_ms, grid.to_ms, piece_ms, notes);
  return !reply.usable() || !reply.series.empty();
}

SeriesChoices ChooseSeries(const spec::Spec& spec, const spec::Spec* reference,
                           const Recordings& recordings) {
  SeriesChoices choices;
  for (const spec::Signal& signal : spec.signals) {
    // What is not judged makes no verdict approximate.
    if (std::ranges::find(spec.thresholds, signal.id, &spec::Threshold::signal) == spec.thresholds.end()) {
      choices.signals.push_back({signal.title, "", ""});
      continue;
    }
    choices.signals.push_back(Choose(signal.title, spec::RecordedSeries(spec.store, signal.id), signal.expr,
                                     spec, reference, recordings));
  }
  if (spec.coverage) {
    choices.coverage = Choose("Coverage", spec::CoverageSeries(spec.store), spec.coverage->expr, spec,
                              reference, recordings);
  }
  return choices;
}

}  // namespace outgrown::history
