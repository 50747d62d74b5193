// What the text reports are put together from: what the alerts say, the footer, colour, wrapping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "common/text.h"
#include "decision/evaluation.h"

namespace outgrown::decision {

// `database="checkpoints" instance="app-1:9108" job="app"`, in that order.
std::string LabelText(const decision::Labels& labels);

// What the alerts say, as lines: drift and notes; nothing for what agrees.
std::vector<std::string> AlertLines(const Table& table, const decision::StoreDecision& store);

// "spec checkpoint 3f9c2a1b · Prometheus agrees: 2 alerts firing · logged as #118"
std::string Footer(const decision::Evaluation& evaluation, const decision::StoreDecision& store,
                   std::string_view separator);

enum class Colour { kNone, kRed, kYellow, kGreen, kMagenta, kDim, kBold };

// `text` in a colour, or as it is if `on` is false.
std::string Paint(std::string_view text, Colour colour, bool on);

// The colour of a breach with that verdict, an index into Table::verdicts.
Colour BreachColour(const Table& table, std::size_t verdict);

// The colour of a store's verdict.
Colour VerdictColour(const Table& table, const decision::StoreDecision& store);

// `text` and spaces up to `columns`.
std::string Pad(std::string_view text, std::size_t columns);

// `text`, or its beginning and "…", in at most `columns` columns (at least one).
std::string Shorten(std::string_view text, std::size_t columns);

// The first line of a store's or a table's answer: its title and when it was decided for. On a terminal the time ends
// the line, and a title too long for that is broken. With its newline.
std::string TitleLine(std::string_view title, std::int64_t time_ms, const TextStyle& style);

// `text` broken at spaces into lines of at most `columns` columns; a longer word stays whole. At least one line.
std::vector<std::string> Wrap(std::string_view text, std::size_t columns);

// `text` in its colour, broken as Wrap does; each line but the first begins after `margin` spaces. Without a newline at
// its end.
std::string Block(std::string_view text, std::size_t columns, std::size_t margin, Colour colour,
                  const TextStyle& style);

// A whole line: `text` without the spaces at its end, and its newline.
std::string Line(std::string text);

// Two spaces and the text in its colour; on a terminal broken at its width. With its newline.
std::string Indented(std::string_view text, Colour colour, const TextStyle& style);

}  // namespace outgrown::decision
