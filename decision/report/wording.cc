#include "decision/report/wording.h"

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/text.h"
#include "common/time_text.h"

namespace outgrown::decision {
namespace {

using engine::Cause;
using engine::Outcome;
using engine::State;

// "from 2026-11-23 12:01:30 UTC to 2026-11-23 12:14:00 UTC"
std::string FromTo(std::int64_t from_ms, std::int64_t to_ms) {
  return fmt::format("from {} to {}", UtcText(from_ms), UtcText(to_ms));
}

std::string BreachedText(const ThresholdPeriod& threshold) {
  return fmt::format("{}, at {} evaluation{}",
                     FromTo(threshold.breached_first_ms, threshold.breached_last_ms),
                     threshold.breached_evaluations, threshold.breached_evaluations == 1 ? "" : "s");
}

// "not measured from 2026-11-23 12:01:30 UTC to 2026-11-23 12:14:00 UTC", and for how long in all if that is not all.
std::string UnmeasuredText(const Unknown& unknown) {
  const auto [from_ms, to_ms] = unknown.stretches.front();
  std::string text = unknown.cause == Cause::kUnmeasured
                         ? "not measured "
                         : fmt::format("{}, ", engine::CauseText(unknown.cause));
  text += FromTo(from_ms, to_ms);
  if (unknown.total_ms > to_ms - from_ms) text += fmt::format(", {} in all", LengthText(unknown.total_ms));
  return text;
}

// "File size: no recorded series", "Write errors: the recorded series has stopped"; nothing if it is known.
std::optional<std::string> UnknownText(const Table& table, const StoreDecision& store,
                                       std::size_t threshold) {
  const std::string_view title = table.signals[table.thresholds[threshold].signal].title;
  if (store.findings[threshold].state == State::kUnknown) {
    return fmt::format("{}: {}", title, engine::CauseText(store.findings[threshold].cause));
  }
  if (store.period && !store.period->thresholds[threshold].unknown.stretches.empty())
    return fmt::format("{}: {}", title, UnmeasuredText(store.period->thresholds[threshold].unknown));
  return std::nullopt;
}

// "measured since 2026-11-23 12:14:00 UTC, the window of 5 min is not full"
std::string WindowText(const StoreSamples& samples) {
  if (!samples.measured_since_ms) return std::string(engine::CauseText(Cause::kWindowNotFull));
  return fmt::format("measured since {}, the window of {} is not full", UtcText(*samples.measured_since_ms),
                     LengthText(samples.window_ms));
}

// Whether the verdict is undetermined because of the coverage, and a reason is recorded that says why. Without a counter
// block nothing is recorded of the writes, for the same reason.
bool ReasonKnown(const StoreDecision& store) {
  const Cause cause = store.decision.cause;
  return (cause == Cause::kCoverageUnknown || cause == Cause::kNotCovered || cause == Cause::kOvercounted ||
          cause == Cause::kAbsent) &&
         !store.samples.coverage_reasons.empty();
}

// "no data since 2026-11-23 12:14:00 UTC"
std::string NoDataText(const StoreDecision& store) {
  std::string text(engine::CauseText(Cause::kSilent));
  if (store.samples.last_seen_ms) text += " since " + UtcText(*store.samples.last_seen_ms);
  return text;
}

// "Throughput >100/sec (capacity ceiling) since 14:02 UTC, 3 min of 10 min, and 1 more"; without samples, as
// in a backtest, "Throughput >100/sec (capacity ceiling)".
std::string PendingText(const Table& table, const StoreDecision& store) {
  const std::size_t lead = store.decision.pending;
  const engine::Finding& finding = store.findings[lead];
  if (store.samples.signals.empty()) return std::string(table.thresholds[lead].because);
  const std::int64_t newest_ms = store.samples.signals[table.thresholds[lead].signal].samples.back().time_ms;
  const std::int64_t lasting_ms = newest_ms - finding.since_ms;
  constexpr std::int64_t kDayMs = 86'400'000;
  // "14:02", and with its date where that could be another day's.
  const std::string since = UtcText(finding.since_ms).substr(lasting_ms < kDayMs ? 11 : 0);
  std::string text = fmt::format("{} since {}{} UTC, {} of {}", table.thresholds[lead].because,
                                 finding.since_exact ? "" : "at least ", since.substr(0, since.rfind(':')),
                                 LengthText(lasting_ms), LengthText(table.thresholds[lead].hold_ms));
  const auto others = std::ranges::count(store.findings, State::kPending, &engine::Finding::state) - 1;
  if (others > 0) text += fmt::format(", and {} more", others);
  return text;
}

}  // namespace

std::string VerdictShort(const Table& table, const StoreDecision& store) {
  return fmt::format("{}{}", engine::VerdictText(table, store.decision), IsPending(store) ? ", pending" : "");
}

// What names the store comes first, job and instance are where it was scraped. Labels come from the server,
// so each is made plain and cut before it reaches a terminal.
std::string StoreTitle(const Labels& labels) {
  std::string name;
  std::string_view instance;
  std::string_view job;
  for (const auto& [label, value] : labels) {
    if (label == "instance") {
      instance = value;
    } else if (label == "job") {
      job = value;
    } else {
      name += (name.empty() ? "" : " ") + PlainText(value, 80);
    }
  }
  if (!instance.empty()) name += (name.empty() ? "" : " @ ") + PlainText(instance, 80);
  if (!job.empty()) name += (name.empty() ? "" : " ") + fmt::format("({})", PlainText(job, 80));
  return name.empty() ? "given values" : name;
}

std::string VerdictLine(const Table& table, const StoreDecision& store) {
  const std::string_view verdict = engine::VerdictText(table, store.decision);
  switch (store.decision.outcome) {
    case Outcome::kSufficient:
      if (store.period && store.period->measured_since_ms) {
        return fmt::format("{} - measured since {}{}", verdict, UtcText(*store.period->measured_since_ms),
                           IsPending(store) ? "; pending: " + PendingText(table, store) : "");
      }
      if (IsPending(store)) return fmt::format("{} - pending: {}", verdict, PendingText(table, store));
      return std::string(verdict);
    case Outcome::kBreached:
      return fmt::format("{} - {}", verdict, engine::Because(table, store.decision));
    case Outcome::kUndetermined:
      break;
  }
  // The first reason in the spec's order: it says what to do, where "writes go uncounted" only says that.
  if (ReasonKnown(store)) return fmt::format("{} - {}", verdict, store.samples.coverage_reasons.front());
  if (store.decision.cause == Cause::kWindowNotFull)
    return fmt::format("{} - {}", verdict, WindowText(store.samples));
  if (store.decision.lead != engine::kNoThreshold) {
    const std::optional<std::string> unknown = UnknownText(table, store, store.decision.lead);
    return fmt::format("{} - {}", verdict,
                       unknown.value_or(std::string(engine::CauseText(store.decision.cause))));
  }
  if (store.decision.cause == Cause::kSilent) return fmt::format("{} - {}", verdict, NoDataText(store));
  return fmt::format("{} - {}", verdict, engine::CauseText(store.decision.cause));
}

std::string NoStoreLine(const Evaluation& evaluation) {
  if (!evaluation.fleet.answered)
    return fmt::format("UNDETERMINED - {} answered no query", evaluation.server);
  if (const QueryDone* problem = PresenceProblem(evaluation.fleet)) {
    return fmt::format("UNDETERMINED - which stores there are is not known: {}", PlainText(problem->problem));
  }
  if (evaluation.fleet.without_identity) {
    return fmt::format(
        "UNDETERMINED - no store found: the series lack one of the labels that name a store ({})",
        fmt::join(evaluation.table->identity, ", "));
  }
  return fmt::format("UNDETERMINED - no store found: {}", NoneShownText(evaluation));
}

std::string NoneShownText(const Evaluation& evaluation) {
  constexpr std::int64_t kHourMs = 3'600'000;
  return fmt::format("no series {} for {} hours", evaluation.table->present,
                     (evaluation.fleet.lookback_ms + kHourMs - 1) / kHourMs);
}

std::string SilenceText(const StoreDecision& store) {
  const bool in_verdict_line =
      store.decision.outcome == Outcome::kUndetermined && store.decision.cause == Cause::kSilent;
  return store.samples.presence == Cause::kSilent && !in_verdict_line ? NoDataText(store) : "";
}

std::vector<std::string> AlsoLines(const Table& table, const StoreDecision& store) {
  std::vector<std::string> lines;
  for (std::size_t index = 0; index < store.findings.size(); ++index) {
    if (index == store.decision.lead) continue;
    if (store.period && store.period->thresholds[index].breached_evaluations > 0) {
      lines.push_back(fmt::format("{}, {}", table.thresholds[index].because,
                                  BreachedText(store.period->thresholds[index])));
    } else if (!(store.period && store.period->first_breach) &&
               store.findings[index].state == State::kBreached) {
      lines.emplace_back(table.thresholds[index].because);
    }
  }
  return lines;
}

std::vector<std::string> UnknownLines(const Table& table, const StoreDecision& store) {
  std::vector<std::string> lines;
  const std::string verdict_line = VerdictLine(table, store);
  for (std::size_t index = 0; index < store.findings.size(); ++index) {
    std::optional<std::string> text = UnknownText(table, store, index);
    // What the verdict's line says is not repeated.
    if (text && !verdict_line.ends_with(" - " + *text) && std::ranges::find(lines, *text) == lines.end()) {
      lines.push_back(std::move(*text));
    }
  }
  return lines;
}

std::string BreachTimesText(const StoreDecision& store) {
  if (!store.period || store.decision.outcome != Outcome::kBreached) return "";
  const ThresholdPeriod& lead = store.period->thresholds[store.decision.lead];
  return lead.breached_evaluations == 0 ? "" : BreachedText(lead);
}

std::vector<std::string> StoppedLines(const StoreDecision& store) {
  std::vector<std::string> lines;
  if (!store.period) return lines;
  for (const auto& [from_ms, to_ms] : store.period->stopped)
    lines.push_back(fmt::format("stopped {}: nothing was written", FromTo(from_ms, to_ms)));
  return lines;
}

std::string SplitText(const StoreDecision& store) {
  std::string text;
  for (const Share& share : store.split) {
    // A small share is shown as "<1%" instead of "0%".
    const double percent = std::max(1.0, std::round(100 * share.part));
    text += fmt::format("{}{} {}{}%", text.empty() ? "by reason: " : ", ", PlainText(share.reason, 40),
                        share.part < 0.005 ? "<" : "", percent);
  }
  return text;
}

std::string_view Advice(const Table& table, const StoreDecision& store) {
  const std::optional<std::size_t> signal = SplitSignal(table, store);
  if (!signal || store.split.empty()) return "";
  const auto row = std::ranges::find_if(table.advice, [&](const AdviceRow& advice) {
    return advice.signal == *signal && advice.reason == store.split.front().reason;
  });
  return row == table.advice.end() ? "" : row->sentence;
}

}  // namespace outgrown::decision
