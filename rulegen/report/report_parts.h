// What the text reports are put together from: a store's name, a signal's row, the bar, colour.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "rulegen/evaluate/evaluation.h"

namespace outgrown::report {

// "checkpoints @ app-1:9108 (app)": the labels but job and instance, then these; "given values" without any label.
std::string StoreTitle(const evaluate::StoreDecision& store);

// `database="checkpoints" instance="app-1:9108" job="app"`, in the store's order.
std::string LabelText(const evaluate::StoreDecision& store);

// One signal's part of the answer.
struct SignalRowText {
  std::string title;  // "Write errors"
  std::string value;  // "2.31 %", "-" if it is not known
  std::string limit;  // "limit 1 %"
  std::string state;  // "breached for 12 min", "writes go uncounted", ""
  double fill = 0;    // the value's share of its limit: 1 at the limit; 0 if it is not known
  decide::State worst = decide::State::kNotBreached;  // of the signal's thresholds
};

// A row for each signal that has a threshold, in table order.
std::vector<SignalRowText> SignalRows(const evaluate::Evaluation& evaluation,
                                      const evaluate::StoreDecision& store);

// A bar of `columns` columns whose limit stands at column `limit_at`; an arrow at the end if it goes on beyond.
std::string Bar(double fill, std::size_t limit_at, std::size_t columns);

// What the alerts say, as lines: drift and notes; nothing for what agrees.
std::vector<std::string> AlertLines(const Table& table, const evaluate::StoreDecision& store);

// "spec checkpoint 3f9c2a1b · Prometheus agrees: 2 alerts firing · logged as #118"
std::string Footer(const evaluate::Evaluation& evaluation, const evaluate::StoreDecision& store,
                   std::string_view separator);

enum class Colour { kNone, kRed, kYellow, kGreen, kMagenta, kDim, kBold };

// `text` in a colour, or as it is if `on` is false.
std::string Paint(std::string_view text, Colour colour, bool on);

// The colour of a store's verdict.
Colour VerdictColour(const Table& table, const evaluate::StoreDecision& store);

// `text` and spaces up to `columns`.
std::string Pad(std::string_view text, std::size_t columns);

}  // namespace outgrown::report
