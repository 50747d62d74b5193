#include "rulegen/report/report_parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/text.h"
#include "common/time_text.h"
#include "rulegen/evaluate/wording.h"
#include "rulegen/report/quantity.h"

namespace outgrown::report {
namespace {

using decide::Finding;
using decide::State;

// Breached before unknown before pending: what a person should see first of a signal's thresholds.
int Rank(State state) {
  switch (state) {
    case State::kBreached:
      return 3;
    case State::kUnknown:
      return 2;
    case State::kPending:
      return 1;
    case State::kNotBreached:
      return 0;
  }
  return 0;
}

// The threshold that a signal's row shows: the most severe breached one, else the first one that the value would meet.
std::size_t ShownThreshold(const Table& table, const evaluate::StoreDecision& store, std::size_t signal) {
  std::size_t shown = decide::kNoThreshold;
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const ThresholdRow& threshold = table.thresholds[index];
    if (threshold.signal != signal) continue;
    if (shown == decide::kNoThreshold) {
      shown = index;
      continue;
    }
    const ThresholdRow& other = table.thresholds[shown];
    const int rank = Rank(store.findings[index].state) - Rank(store.findings[shown].state);
    const bool nearer = threshold.direction == Direction::kAbove ? threshold.limit < other.limit
                                                                 : threshold.limit > other.limit;
    const bool prefer =
        store.findings[index].state == State::kBreached ? threshold.verdict > other.verdict : nearer;
    if (rank > 0 || (rank == 0 && prefer)) shown = index;
  }
  return shown;
}

std::string Lasting(const Finding& finding, std::int64_t now_ms) {
  const std::string length = LengthText(std::max<std::int64_t>(0, now_ms - finding.since_ms));
  return finding.since_exact ? length : "at least " + length;
}

// When the last of the signal's breaches of a period ended; nothing if none stood or one still stands.
std::optional<std::int64_t> BreachedUntil(const Table& table, const evaluate::StoreDecision& store,
                                          std::size_t signal) {
  std::optional<std::int64_t> until_ms;
  if (!store.period) return until_ms;
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const evaluate::ThresholdPeriod& threshold = store.period->thresholds[index];
    if (table.thresholds[index].signal != signal || threshold.breached_evaluations == 0) continue;
    if (store.findings[index].state == State::kBreached) return std::nullopt;
    until_ms = std::max(until_ms.value_or(threshold.breached_last_ms), threshold.breached_last_ms);
  }
  return until_ms;
}

std::string StateText(const evaluate::Evaluation& evaluation, const ThresholdRow& threshold,
                      const Finding& finding) {
  switch (finding.state) {
    case State::kNotBreached:
      return "";
    case State::kUnknown:
      return std::string(decide::CauseText(finding.cause));
    case State::kPending:
      return fmt::format("beyond for {}, counts from {}", Lasting(finding, evaluation.time_ms),
                         LengthText(threshold.hold_ms));
    case State::kBreached:
      break;
  }
  if (evaluation.origin == evaluate::Origin::kGiven || threshold.hold_ms == 0) return "breached";
  return fmt::format("breached for {}", Lasting(finding, evaluation.time_ms));
}

double Fill(const ThresholdRow& threshold, double value) {
  const double share =
      threshold.direction == Direction::kAbove ? value / threshold.limit : threshold.limit / value;
  return std::isfinite(share) ? std::max(0.0, share) : 0;
}

}  // namespace

std::string StoreTitle(const evaluate::StoreDecision& store) {
  std::string name;
  std::string_view instance;
  std::string_view job;
  for (const auto& [label, value] : store.labels) {
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

std::string LabelText(const evaluate::StoreDecision& store) {
  std::string text;
  for (const auto& [name, value] : store.labels) {
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : " ", PlainText(name, 80), PlainText(value, 120));
  }
  return text;
}

std::vector<SignalRowText> SignalRows(const evaluate::Evaluation& evaluation,
                                      const evaluate::StoreDecision& store) {
  const Table& table = *evaluation.table;
  std::vector<SignalRowText> rows;
  for (std::size_t signal = 0; signal < table.signals.size(); ++signal) {
    const std::size_t shown = ShownThreshold(table, store, signal);
    if (shown == decide::kNoThreshold) continue;
    const ThresholdRow& threshold = table.thresholds[shown];
    const Unit unit = table.signals[signal].unit;
    const std::optional<Sample> newest = evaluate::Newest(store, signal);
    const std::optional<std::int64_t> until_ms = BreachedUntil(table, store, signal);
    rows.push_back({
        .title = std::string(table.signals[signal].title),
        .value = newest ? QuantityText(newest->value, unit) : "-",
        .limit = fmt::format("{} {}", threshold.direction == Direction::kAbove ? "limit" : "at least",
                             QuantityText(threshold.limit, unit)),
        .state = until_ms ? fmt::format("breached until {}", UtcText(*until_ms))
                          : StateText(evaluation, threshold, store.findings[shown]),
        .fill = newest ? Fill(threshold, newest->value) : 0,
        .worst = store.findings[shown].state,
    });
  }
  return rows;
}

std::string Bar(double fill, std::size_t limit_at, std::size_t columns) {
  constexpr std::array<std::string_view, 8> kEighths = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  const double wanted = fill * static_cast<double>(limit_at);
  const bool beyond = wanted > static_cast<double>(columns);
  const auto eighths = static_cast<std::size_t>(
      std::lround(8 * std::min(wanted, static_cast<double>(beyond ? columns - 1 : columns))));
  std::string bar;
  for (std::size_t column = 0; column < eighths / 8; ++column) bar += "█";
  bar += kEighths[eighths % 8];
  if (beyond) bar += "▶";
  return Pad(bar, columns);
}

std::vector<std::string> AlertLines(const Table& table, const evaluate::StoreDecision& store) {
  std::vector<std::string> lines;
  for (std::size_t index = 0; index < store.alerts.size(); ++index) {
    const std::string_view alert = table.thresholds[index].alert;
    switch (store.alerts[index].agreement) {
      case evaluate::Agreement::kAgrees:
      case evaluate::Agreement::kNotCompared:
        break;
      case evaluate::Agreement::kDrift: {
        const evaluate::AlertState state = store.alerts[index].alert;
        const State found = store.findings[index].state;
        lines.push_back(
            fmt::format("drift: the alert {} is {}, and by the recorded values it is {}", alert,
                        state == evaluate::AlertState::kNone ? "not active" : evaluate::AlertStateId(state),
                        found == State::kNotBreached ? "not breached" : decide::StateId(found)));
        break;
      }
      case evaluate::Agreement::kFiringUnknown:
        lines.push_back(
            fmt::format("note: the alert {} is firing, and what it rests on is unknown here", alert));
        break;
      case evaluate::Agreement::kPendingAfterStart:
        lines.push_back(
            fmt::format("note: the alert {} is still pending, since Prometheus has just started", alert));
        break;
      case evaluate::Agreement::kFiringHeld:
        lines.push_back(
            fmt::format("note: the alert {} fires on for a while after the breach (keep_firing_for)", alert));
        break;
    }
  }
  return lines;
}

std::string Footer(const evaluate::Evaluation& evaluation, const evaluate::StoreDecision& store,
                   std::string_view separator) {
  std::string footer =
      fmt::format("spec {} {}", evaluation.table->store, ShortDigest(evaluation.table->digest));
  if (evaluation.origin == evaluate::Origin::kGiven) footer += fmt::format("{}given values", separator);
  if (!store.alerts.empty()) {
    const auto count = [&](auto property) { return std::ranges::count_if(store.alerts, property); };
    const auto drift = count(
        [](const evaluate::AlertComparison& one) { return one.agreement == evaluate::Agreement::kDrift; });
    const auto firing = count(
        [](const evaluate::AlertComparison& one) { return one.alert == evaluate::AlertState::kFiring; });
    footer += fmt::format("{}Prometheus {}: {} alert{} firing", separator, drift > 0 ? "disagrees" : "agrees",
                          firing, firing == 1 ? "" : "s");
  } else if (evaluation.origin == evaluate::Origin::kPrometheus) {
    footer += fmt::format("{}alerts not compared", separator);
  }
  if (store.logged_as) footer += fmt::format("{}logged as #{}", separator, *store.logged_as);
  return footer;
}

std::string Paint(std::string_view text, Colour colour, bool on) {
  if (!on || colour == Colour::kNone) return std::string(text);
  // SGR codes of ECMA-48.
  constexpr std::array<std::string_view, 7> kCodes = {"0", "1;31", "33", "32", "35", "2", "1"};
  return fmt::format("\x1b[{}m{}\x1b[0m", kCodes[static_cast<std::size_t>(colour)], text);
}

Colour VerdictColour(const Table& table, const evaluate::StoreDecision& store) {
  switch (store.decision.outcome) {
    case decide::Outcome::kSufficient:
      return Colour::kGreen;
    case decide::Outcome::kUndetermined:
      return Colour::kMagenta;
    case decide::Outcome::kBreached:
      break;
  }
  return store.decision.verdict + 1 == table.verdicts.size() ? Colour::kRed : Colour::kYellow;
}

std::string Pad(std::string_view text, std::size_t columns) {
  const std::size_t taken = Columns(text);
  return std::string(text) + std::string(taken < columns ? columns - taken : 0, ' ');
}

}  // namespace outgrown::report
