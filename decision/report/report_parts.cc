#include "decision/report/report_parts.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/text.h"
#include "common/time_text.h"
#include "decision/report/wording.h"

namespace outgrown::decision {
namespace {

// On a wide terminal the time stays near the title instead of at the right edge.
constexpr std::size_t kTitleColumnsMax = 96;

}  // namespace

// With quotes, since values may hold blanks.
std::string LabelText(const decision::Labels& labels) {
  std::string text;
  for (const auto& [name, value] : labels) {
    text += fmt::format("{}{}=\"{}\"", text.empty() ? "" : " ", PlainText(name, 80), PlainText(value, 120));
  }
  return text;
}

// Only what needs an explanation: agreement is in the footer, and says nothing of a single alert.
std::vector<std::string> AlertLines(const Table& table, const decision::StoreDecision& store) {
  std::vector<std::string> lines;
  for (std::size_t index = 0; index < store.alerts.size(); ++index) {
    const std::string_view alert = table.thresholds[index].alert;
    switch (store.alerts[index].agreement) {
      case decision::Agreement::kAgrees:
      case decision::Agreement::kNotCompared:
        break;
      case decision::Agreement::kDrift: {
        const decision::AlertState state = store.alerts[index].alert;
        const engine::State found = store.findings[index].state;
        lines.push_back(
            fmt::format("drift: the alert {} is {}, but by the recorded values the threshold is {}", alert,
                        state == decision::AlertState::kNone ? "not active" : decision::AlertStateId(state),
                        found == engine::State::kNotBreached ? "not breached" : engine::StateId(found)));
        break;
      }
      case decision::Agreement::kFiringUnknown:
        lines.push_back(
            fmt::format("note: the alert {} is firing, but its threshold is unknown here", alert));
        break;
      case decision::Agreement::kPendingAfterStart:
        lines.push_back(
            fmt::format("note: the alert {} is still pending, because Prometheus has just started", alert));
        break;
      case decision::Agreement::kFiringHeld:
        lines.push_back(
            fmt::format("note: the alert {} keeps firing after the breach ended (keep_firing_for)", alert));
        break;
    }
  }
  return lines;
}

std::string Footer(const decision::Evaluation& evaluation, const decision::StoreDecision& store,
                   std::string_view separator) {
  std::string footer =
      fmt::format("spec {} {}", evaluation.table->store, ShortDigest(evaluation.table->digest));
  if (evaluation.origin == decision::Origin::kGiven) footer += fmt::format("{}given values", separator);
  const bool compared = std::ranges::any_of(store.alerts, [](const decision::AlertComparison& one) {
    return one.agreement != decision::Agreement::kNotCompared;
  });
  if (compared) {
    const auto count = [&](auto property) { return std::ranges::count_if(store.alerts, property); };
    const auto drift = count(
        [](const decision::AlertComparison& one) { return one.agreement == decision::Agreement::kDrift; });
    const auto firing = count(
        [](const decision::AlertComparison& one) { return one.alert == decision::AlertState::kFiring; });
    footer += fmt::format("{}Prometheus {}: {} alert{} firing", separator, drift > 0 ? "disagrees" : "agrees",
                          firing, firing == 1 ? "" : "s");
  } else if (evaluation.origin == decision::Origin::kPrometheus) {
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

Colour BreachColour(const Table& table, std::size_t verdict) {
  return verdict + 1 == table.verdicts.size() ? Colour::kRed : Colour::kYellow;
}

Colour VerdictColour(const Table& table, const decision::StoreDecision& store) {
  switch (store.decision.outcome) {
    case engine::Outcome::kSufficient:
      return decision::IsPending(store) ? Colour::kYellow : Colour::kGreen;
    case engine::Outcome::kUndetermined:
      return Colour::kMagenta;
    case engine::Outcome::kBreached:
      break;
  }
  return BreachColour(table, store.decision.verdict);
}

std::string Pad(std::string_view text, std::size_t columns) {
  const std::size_t taken = Columns(text);
  return std::string(text) + std::string(taken < columns ? columns - taken : 0, ' ');
}

// PlainText marks the cut by an ellipsis, one column, hence the - 1.
std::string Shorten(std::string_view text, std::size_t columns) {
  if (Columns(text) <= columns) return std::string(text);
  return PlainText(text, std::max<std::size_t>(columns, 1) - 1);
}

std::string TitleLine(std::string_view title, std::int64_t time_ms, const TextStyle& style) {
  const std::string time = UtcText(time_ms);
  const std::string painted_time = Paint(time, Colour::kDim, style.colour);
  if (!style.terminal) return fmt::format("{}  {}\n", title, time);
  const std::size_t columns = std::min(style.columns, kTitleColumnsMax);
  const std::size_t both = Columns(title) + 2 + Columns(time);
  if (both <= columns) {
    return fmt::format("{}  {}{}\n", Paint(title, Colour::kBold, style.colour),
                       std::string(columns - both, ' '), painted_time);
  }
  return Block(title, style.columns, 0, Colour::kBold, style) + '\n' + painted_time + '\n';
}

std::vector<std::string> Wrap(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines(1);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // By columns of code points, not bytes: a title may have umlauts.
    if (!lines.back().empty() && Columns(lines.back()) + 1 + Columns(word) > columns) lines.emplace_back();
    lines.back() += fmt::format("{}{}", lines.back().empty() ? "" : " ", word);
  }
  return lines;
}

std::string Block(std::string_view text, std::size_t columns, std::size_t margin, Colour colour,
                  const TextStyle& style) {
  std::string block;
  for (const std::string& line : Wrap(text, columns)) {
    if (!block.empty()) block += '\n' + std::string(margin, ' ');
    block += Paint(line, colour, style.colour);
  }
  return block;
}

// Padding of the last column would wrap on a terminal that is exactly as wide.
std::string Line(std::string text) {
  text.erase(text.find_last_not_of(' ') + 1);
  return std::move(text) + '\n';
}

std::string Indented(std::string_view text, Colour colour, const TextStyle& style) {
  if (!style.terminal) return fmt::format("  {}\n", Paint(text, colour, style.colour));
  // A terminal that claims to be narrower than 22 columns still gets 18 of text, rather than a word a line.
  return fmt::format("  {}\n", Block(text, std::max<std::size_t>(style.columns, 22) - 4, 4, colour, style));
}

}  // namespace outgrown::decision
