// A decision in words: the lines that reports print and records keep.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "decision/engine/window.h"
#include "decision/evaluation.h"
#include "thresholds/table.h"

namespace outgrown::decision {

// "checkpoints @ app-1:9108 (app)": the labels but job and instance, then these; "given values" without any label.
std::string StoreTitle(const Labels& labels);

// The verdict line, on which operators act:
//   MIGRATE NOW - Write errors >1% (SQLite saturated)
//   SQLite sufficient
//   SQLite sufficient - pending: Throughput >100/sec (capacity ceiling) since 14:02 UTC, 3 min of 10 min
//   UNDETERMINED - File size: no recorded series
std::string VerdictLine(const Table& table, const StoreDecision& store);

// The same for a spec of which no store was found: "UNDETERMINED - no store found: ...", or that no query was
// answered, or that it is unknown which stores there are.
std::string NoStoreLine(const Evaluation& evaluation);

// "no series checkpoint_block_up for 26 hours": why no store was found.
std::string NoneShownText(const Evaluation& evaluation);

// "no data since 2026-11-23 12:14:00 UTC" of a silent store whose verdict is another one, because it was
// breached before; "" otherwise.
std::string SilenceText(const StoreDecision& store);

// The other breaches' `because`, in table order; over a period with their times.
std::vector<std::string> AlsoLines(const Table& table, const StoreDecision& store);

// What is unknown beside that line, each signal once: "File size: no recorded series".
std::vector<std::string> UnknownLines(const Table& table, const StoreDecision& store);

// When the store was neither measured nor written to: "stopped from 2026-11-23 22:00:00 UTC to 2026-11-24
// 06:00:00 UTC: nothing was written".
std::vector<std::string> StoppedLines(const StoreDecision& store);

// What to do about the reason of the largest share; "" if the spec says nothing of it.
std::string_view Advice(const Table& table, const StoreDecision& store);

// "by reason: busy_snapshot 97%, busy 3%"; "" if nothing is split.
std::string SplitText(const StoreDecision& store);

// Over a period, when the leading threshold was breached: "from 2026-11-23 12:01:30 UTC to 12:14:00 UTC, at
// 26 evaluations"; "" otherwise.
std::string BreachTimesText(const StoreDecision& store);

// The verdict alone, as a table of stores shows it: "SQLite sufficient", "SQLite sufficient, pending".
std::string VerdictShort(const Table& table, const StoreDecision& store);

}  // namespace outgrown::decision
