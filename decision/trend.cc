#include "decision/trend.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <map>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/horizons.h"
#include "common/text.h"
#include "common/time_text.h"
#include "prometheus/ask.h"

namespace outgrown::decision {
namespace {

// The label that separates the parts of an answer: a threshold's id or kCeiling, absent for how well the line fits.
constexpr std::string_view kPart = "outgrown_trend";
constexpr std::string_view kCeiling = "ceiling";

// A ratio of two series is not recorded: it is computed at so many instants of the window.
constexpr std::int64_t kCeilingStepMs = 600'000;

// The history must begin within the first sixth of the window, so that a restart in those hours does not
// remove the trend.
constexpr std::int64_t kBeginningMs = kTrendMs / 6;

// The variance of times that are spread evenly over the window, in s².
constexpr std::int64_t kTimeVariance = (kTrendMs / 1000) * (kTrendMs / 1000) / 12;

// What the answer says of one store; nothing where it says something twice.
struct Line {
  bool fit_seen = false;
  std::optional<double> fit;
  std::map<std::string, std::optional<double>, std::less<>> seconds;  // by threshold id
};

std::map<Identity, Line> ReadLines(const Table& table, const std::vector<prometheus_api::Series>& all) {
  std::map<Identity, Line> lines;
  for (const prometheus_api::Series& series : all) {
    Line& line = lines[IdentityOf(table, series.labels)];
    const double value = series.samples.back().value;
    const std::string_view part = prometheus_api::LabelValue(series.labels, kPart);
    if (part.empty()) {
      line.fit = line.fit_seen ? std::nullopt : std::optional(value);
      line.fit_seen = true;
    } else {
      const auto [entry, first] = line.seconds.try_emplace(std::string(part), value);
      // Two series for one store: neither is taken.
      if (!first) entry->second.reset();
    }
  }
  return lines;
}

Trend PickTrend(const Line& line, std::string_view threshold) {
  const auto found = line.seconds.find(threshold);
  if (!line.fit_seen && found == line.seconds.end()) return {TrendKind::kTooLittleHistory};
  // A level series has no variance, so the fit is 0/0: NaN, or no sample at all from servers that drop NaN.
  if (line.fit_seen && !line.fit) return {TrendKind::kUnknown};
  if (!line.fit || !(*line.fit >= kTrendFitMin) || found == line.seconds.end())
    return {TrendKind::kNotApproaching};
  if (!found->second) return {TrendKind::kUnknown};
  const double seconds = *found->second;
  // Not positive: the line has met the limit already, or leads away from it.
  if (!(seconds > 0) || !std::isfinite(seconds)) return {TrendKind::kNotApproaching};
  if (seconds > kTrendMaxMs / 1000.0) return {TrendKind::kLater};
  return {TrendKind::kReached, seconds};
}

// A limit that the line may meet, named by the answer's part about it.
struct Limit {
  std::string_view part;
  double value;
};

// The query about the line through `values`, a series, or an expression that is computed every `step`.
std::string LineQuery(const Table& table, std::string_view values, const std::string& step,
                      std::span<const Limit> limits) {
  const std::string range = fmt::format("{}[{}{}]", values, FormatDuration(Milliseconds(kTrendMs)), step);
  // The share of the variance that the line explains (R²): slope² times the variance of the times, over the
  // variance of the values.
  std::string parts =
      fmt::format("deriv({0}) * deriv({0}) * {1} / stdvar_over_time({0})", range, kTimeVariance);
  for (const Limit& limit : limits) {
    parts +=
        fmt::format(" or label_replace(({} - predict_linear({}, 0)) / deriv({}), \"{}\", \"{}\", \"\", \"\")",
                    ExactNumber(limit.value), range, range, kPart, limit.part);
  }
  // Only for stores whose series was there at the window's beginning: predict_linear takes whatever samples
  // there are.
  return fmt::format("({}) and on ({}) present_over_time({}[{}{}] offset {})", parts,
                     fmt::join(table.identity, ", "), values, FormatDuration(Milliseconds(kBeginningMs)),
                     step, FormatDuration(Milliseconds(kTrendMs - kBeginningMs)));
}

Result<std::map<Identity, Line>> AskLines(const Table& table, const std::string& query,
                                          prometheus_api::QuerySource& source, std::int64_t time_ms) {
  prometheus_api::Notes notes;  // dropped: a trend's warnings must not appear as the decision's
  const prometheus_api::Reply reply = prometheus_api::AskVector(source, query, time_ms, notes);
  if (reply.usable()) return ReadLines(table, reply.series);
  const bool failed = reply.asked.trust == prometheus_api::Trust::kFailed;
  return Error{failed ? reply.asked.problem : "the answer may be incomplete", ""};
}

}  // namespace

std::string_view TrendId(TrendKind kind) {
  switch (kind) {
    case TrendKind::kReached:
      return "reached";
    case TrendKind::kLater:
      return "later";
    case TrendKind::kNotApproaching:
      return "not_approaching";
    case TrendKind::kTooLittleHistory:
      return "too_little_history";
    case TrendKind::kUnknown:
      return "unknown";
  }
  return "unknown";
}

std::string TrendQuery(const Table& table, std::size_t signal) {
  std::vector<Limit> limits;
  for (const ThresholdRow& threshold : table.thresholds) {
    if (threshold.signal == signal) limits.push_back({threshold.id, threshold.limit});
  }
  return LineQuery(table, table.signals[signal].series, "", limits);
}

Result<std::map<Identity, std::vector<Trend>>> FetchTrends(const Table& table, std::size_t signal,
                                                           prometheus_api::QuerySource& source,
                                                           std::int64_t time_ms) {
  const auto lines = AskLines(table, TrendQuery(table, signal), source, time_ms);
  if (!lines) return lines.error();
  std::map<Identity, std::vector<Trend>> trends;
  for (const auto& [identity, line] : *lines) {
    std::vector<Trend>& of_store = trends[identity];
    for (const ThresholdRow& threshold : table.thresholds)
      of_store.push_back(threshold.signal == signal ? PickTrend(line, threshold.id) : Trend{});
  }
  return trends;
}

std::string CeilingTrendQuery(const Table& table, std::size_t signal) {
  const SignalRow& row = table.signals[signal];
  // An idle store has no ceiling then, and uses nothing of it. "0 *" drops the name, which a ratio lacks too.
  const std::string share =
      fmt::format("({0} / {1} or 0 * ({0} == 0))", row.series, table.signals[row.ceiling].series);
  return LineQuery(table, share, ":" + FormatDuration(Milliseconds(kCeilingStepMs)),
                   std::array{Limit{kCeiling, 1}});
}

Result<std::map<Identity, Trend>> FetchCeilingTrends(const Table& table, std::size_t signal,
                                                     prometheus_api::QuerySource& source,
                                                     std::int64_t time_ms) {
  const auto lines = AskLines(table, CeilingTrendQuery(table, signal), source, time_ms);
  if (!lines) return lines.error();
  std::map<Identity, Trend> trends;
  for (const auto& [identity, line] : *lines) trends[identity] = PickTrend(line, kCeiling);
  return trends;
}

}  // namespace outgrown::decision
