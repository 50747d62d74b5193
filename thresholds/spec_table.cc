#include "thresholds/spec_table.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/check.h"
#include "common/text.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::spec {
namespace {

// Views into the rows, which outlive the index.
using IndexById = std::unordered_map<std::string_view, std::uint16_t>;

template <typename Rows>
IndexById IndexRows(const Rows& rows) {
  OUTGROWN_CHECK(rows.size() <= std::numeric_limits<std::uint16_t>::max());
  IndexById index;
  for (std::size_t i = 0; i < rows.size(); ++i) index.emplace(rows[i].id, static_cast<std::uint16_t>(i));
  return index;
}

std::uint16_t IndexOf(const IndexById& index, std::string_view id) {
  const auto found = index.find(id);
  OUTGROWN_CHECK(found != index.end());
  return found->second;
}

Uncovered WithoutCoverage(const std::optional<spec::Coverage>& coverage, const std::string& signal) {
  // Without [coverage] nobody says that counting can be incomplete.
  if (!coverage) return Uncovered::kValid;
  if (std::ranges::count(coverage->unknown, signal) > 0) return Uncovered::kUnknown;
  if (std::ranges::count(coverage->lower_bound, signal) > 0) return Uncovered::kLowerBound;
  return Uncovered::kValid;
}

// The longest range of the expression, subqueries and offsets left aside.
// A store is measured for its whole window only when it has existed for so long; a nested subquery looks back
// farther than its parts say, which is accepted.
std::int64_t WindowOf(std::string_view expr) {
  Milliseconds longest{0};
  for (const spec::RangeUse& range : spec::FindReferences(expr).ranges)
    longest = std::max(longest, range.duration);
  return longest.count();
}

}  // namespace

struct OwnedTable::Rows {
  // A copy of the spec owns the texts, and the vectors own what is made of them. No vector grows after a view
  // into its strings was taken: a short string is stored inside of the object, so moving it would move its
  // text.
  spec::Spec spec;
  std::vector<std::string> series;  // of each signal
  std::vector<std::string> splits;  // of each signal; "" if it is not split
  std::vector<std::string> alerts;  // of each threshold
  std::string coverage_series;
  std::string reason_series;
  std::vector<ReasonRow> reason_rows;
  std::vector<std::string_view> identity;
  std::vector<VerdictRow> verdict_rows;
  std::vector<SignalRow> signal_rows;
  std::vector<AdviceRow> advice_rows;
  std::vector<ThresholdRow> threshold_rows;
  Table table;

  explicit Rows(spec::Spec from) : spec(std::move(from)) {
    identity.assign(spec.store.identity.begin(), spec.store.identity.end());
    if (spec.coverage) {
      coverage_series = spec::CoverageSeries(spec.store);
      if (!spec.coverage->reason.empty()) reason_series = spec::ReasonSeries(spec.store);
      for (const auto& [id, sentence] : spec.coverage->reasons) reason_rows.push_back({id, sentence});
    }
    for (const spec::Verdict& verdict : spec.verdicts) {
      verdict_rows.push_back({verdict.id, verdict.text, verdict.severity, verdict.exit_code});
    }
    AddSignals();
    AddThresholds();
    FillTable();
  }

  // Rows point into their siblings: they stay where they were made.
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;

  void AddSignals() {
    for (const spec::Signal& signal : spec.signals) {
      series.push_back(spec::RecordedSeries(spec.store, signal.id));
      splits.push_back(signal.split.empty() ? "" : spec::SplitSeries(spec.store, signal.id));
    }
    // A second loop, since `series` and `splits` would grow while rows point into them.
    for (std::size_t i = 0; i < spec.signals.size(); ++i) {
      const spec::Signal& signal = spec.signals[i];
      signal_rows.push_back({signal.id, signal.title, series[i], signal.unit,
                             WithoutCoverage(spec.coverage, signal.id), splits[i], WindowOf(signal.expr)});
      if (!signal.ceiling.empty()) {
        const auto other = std::ranges::find(spec.signals, signal.ceiling, &spec::Signal::id);
        signal_rows.back().ceiling = static_cast<std::uint16_t>(other - spec.signals.begin());
      }
      for (const auto& [reason, sentence] : signal.advice)
        advice_rows.push_back({static_cast<std::uint16_t>(i), reason, sentence});
    }
  }

  void AddThresholds() {
    const IndexById signals = IndexRows(signal_rows);
    const IndexById verdicts = IndexRows(verdict_rows);
    for (const spec::Threshold& threshold : spec.thresholds) {
      alerts.push_back(spec::AlertName(spec.store, threshold.id));
    }
    for (std::size_t i = 0; i < spec.thresholds.size(); ++i) {
      const spec::Threshold& threshold = spec.thresholds[i];
      threshold_rows.push_back({threshold.id, alerts[i], IndexOf(signals, threshold.signal),
                                IndexOf(verdicts, threshold.verdict), threshold.direction, threshold.limit,
                                threshold.hold.count(), threshold.because});
    }
  }

  void FillTable() {
    table.store = spec.store.name;
    table.title = spec.store.title;
    table.sufficient = spec.store.sufficient;
    table.next = spec.store.next;
    table.present = spec.store.present;
    table.modified = spec.store.modified;
    table.digest = spec.digest;
    table.interval_ms = spec.rules.interval.count();
    table.scrape_interval_ms = spec.rules.scrape_interval.count();
    table.keep_firing_for_ms = spec.rules.keep_firing_for.value_or(Milliseconds(0)).count();
    table.coverage_series = coverage_series;
    table.coverage_minimum = spec.coverage ? spec.coverage->minimum : 0;
    if (spec.coverage) {
      table.coverage_maximum = spec.coverage->maximum;
      table.coverage_window_ms = WindowOf(spec.coverage->expr);
    }
    table.reason_series = reason_series;
    table.reasons = reason_rows;
    table.identity = identity;
    table.verdicts = verdict_rows;
    table.signals = signal_rows;
    table.advice = advice_rows;
    table.thresholds = threshold_rows;
  }
};

const Table& OwnedTable::table() const { return rows_->table; }

OwnedTable MakeTable(const spec::Spec& spec) {
  return OwnedTable(std::make_shared<const OwnedTable::Rows>(spec));
}

}  // namespace outgrown::spec

namespace outgrown::spec {
namespace {

using Cells = std::vector<std::string>;

// Without default, so that the compiler names a forgotten value; the check behind it is for a value that is
// none.
std::string_view CppUnit(Unit unit) {
  switch (unit) {
    case Unit::kRatio:
      return "Unit::kRatio";
    case Unit::kPerSecond:
      return "Unit::kPerSecond";
    case Unit::kSeconds:
      return "Unit::kSeconds";
    case Unit::kBytes:
      return "Unit::kBytes";
    case Unit::kCount:
      return "Unit::kCount";
  }
  OUTGROWN_CHECK(false);
}

std::string_view UncoveredName(Uncovered uncovered) {
  switch (uncovered) {
    case Uncovered::kValid:
      return "Uncovered::kValid";
    case Uncovered::kUnknown:
      return "Uncovered::kUnknown";
    case Uncovered::kLowerBound:
      return "Uncovered::kLowerBound";
  }
  OUTGROWN_CHECK(false);
}

std::string_view DirectionName(Direction direction) {
  return direction == Direction::kAbove ? "Direction::kAbove" : "Direction::kBelow";
}

// "constexpr std::array<TYPE, N> NAME{{ ... }};" with the rows' cells aligned below each other.
// A changed spec shows as changed rows of one table in a review, so columns are aligned and each row is one
// line.
std::string Array(std::string_view type, std::string_view name, const std::vector<Cells>& rows) {
  std::vector<std::size_t> widths;
  for (const Cells& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  std::string text = fmt::format("constexpr std::array<{}, {}> {}{{{{\n", type, rows.size(), name);
  for (const Cells& row : rows) {
    text += "    {";
    for (std::size_t i = 0; i < row.size(); ++i) {
      const bool last = i + 1 == row.size();
      text += row[i];
      if (last) continue;
      text += ',';
      text.append(widths[i] - row[i].size() + 1, ' ');
    }
    text += "},\n";
  }
  return text + "}};\n";
}

std::string Identity(const Table& table) {
  std::vector<Cells> rows;
  for (const std::string_view label : table.identity) rows.push_back({CppString(label)});
  return Array("std::string_view", "kIdentity", rows);
}

std::string Verdicts(const Table& table) {
  std::vector<Cells> rows;
  for (const VerdictRow& row : table.verdicts) {
    rows.push_back(
        {CppString(row.id), CppString(row.text), CppString(row.severity), fmt::format("{}", row.exit_code)});
  }
  return Array("VerdictRow", "kVerdicts", rows);
}

std::string Signals(const Table& table) {
  std::vector<Cells> rows;
  for (const SignalRow& row : table.signals) {
    rows.push_back({CppString(row.id), CppString(row.title), CppString(row.series),
                    std::string(CppUnit(row.unit)), std::string(UncoveredName(row.uncovered)),
                    CppString(row.split_series), fmt::format("{}", row.window_ms),
                    row.ceiling == kNoSignal ? "kNoSignal" : fmt::format("{}", row.ceiling)});
  }
  return Array("SignalRow", "kSignals", rows);
}

std::string Advice(const Table& table) {
  std::vector<Cells> rows;
  for (const AdviceRow& row : table.advice) {
    rows.push_back({fmt::format("IndexOf(kSignals, {})", CppString(table.signals[row.signal].id)),
                    CppString(row.reason), CppString(row.sentence)});
  }
  return Array("AdviceRow", "kAdvice", rows);
}

std::string Reasons(const Table& table) {
  std::vector<Cells> rows;
  for (const ReasonRow& row : table.reasons) rows.push_back({CppString(row.id), CppString(row.sentence)});
  return Array("ReasonRow", "kReasons", rows);
}

std::string Thresholds(const Table& table) {
  std::vector<Cells> rows;
  for (const ThresholdRow& row : table.thresholds) {
    rows.push_back({CppString(row.id), CppString(row.alert),
                    fmt::format("IndexOf(kSignals, {})", CppString(table.signals[row.signal].id)),
                    fmt::format("IndexOf(kVerdicts, {})", CppString(table.verdicts[row.verdict].id)),
                    std::string(DirectionName(row.direction)), CppDouble(row.limit),
                    fmt::format("{}", row.hold_ms), CppString(row.because)});
  }
  return Array("ThresholdRow", "kThresholds", rows);
}

std::string Scalars(const Table& table) {
  // Designated initialisers must be in the order of the members of Table (C++20), which is why later ones are
  // inserted at their places.
  std::vector<std::pair<std::string_view, std::string>> fields = {
      {"store", CppString(table.store)},
      {"title", CppString(table.title)},
      {"sufficient", CppString(table.sufficient)},
      {"next", CppString(table.next)},
      {"present", CppString(table.present)},
      {"digest", CppString(table.digest)},
      {"interval_ms", fmt::format("{}", table.interval_ms)},
      {"scrape_interval_ms", fmt::format("{}", table.scrape_interval_ms)},
      {"keep_firing_for_ms", fmt::format("{}", table.keep_firing_for_ms)},
      {"coverage_series", CppString(table.coverage_series)},
      {"coverage_minimum", CppDouble(table.coverage_minimum)},
      {"reason_series", CppString(table.reason_series)},
      {"reasons", "kReasons"},
      {"identity", "kIdentity"},
      {"verdicts", "kVerdicts"},
      {"signals", "kSignals"},
      {"advice", "kAdvice"},
      {"thresholds", "kThresholds"},
  };
  // Left out where they would be the defaults; infinity has no literal in C++.
  if (!table.coverage_series.empty()) {
    const auto minimum = std::ranges::find(fields, "coverage_minimum", &decltype(fields)::value_type::first);
    fields.insert(minimum + 1, {{"coverage_maximum", CppDouble(table.coverage_maximum)},
                                {"coverage_window_ms", fmt::format("{}", table.coverage_window_ms)}});
  }
  if (!table.modified.empty()) {
    const auto identity = std::ranges::find(fields, "identity", &decltype(fields)::value_type::first);
    fields.insert(identity, {"modified", CppString(table.modified)});
  }
  std::string text = "constexpr Table kTable{\n";
  for (const auto& [name, value] : fields) text += fmt::format("    .{} = {},\n", name, value);
  return text + "};\n";
}

}  // namespace

std::string ThresholdsInc(const spec::Spec& spec) {
  const spec::OwnedTable owned = spec::MakeTable(spec);
  const Table& table = owned.table();
  return "// " + GeneratedMark(spec) + "\n\n" + Identity(table) + "\n" + Verdicts(table) + "\n" +
         Signals(table) + "\n" + Advice(table) + "\n" + Reasons(table) + "\n" + Thresholds(table) + "\n" +
         Scalars(table);
}

std::string CppString(std::string_view text) {
  std::string literal = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      literal += '\\';
      literal += c;
    } else if (byte >= ' ' && byte < 0x7f && c != '?') {
      literal += c;
    } else if (c == '?') {
      literal += literal.ends_with('?') ? "\\?" : "?";  // no trigraph
    } else {
      // Three octal digits end the escape by themselves; a hexadecimal one would swallow digits that follow.
      literal += '\\';
      literal += static_cast<char>('0' + (byte >> 6U));
      literal += static_cast<char>('0' + ((byte >> 3U) & 7U));
      literal += static_cast<char>('0' + (byte & 7U));
    }
  }
  literal += '"';
  return literal;
}

std::string CppDouble(double value) {
  OUTGROWN_CHECK(std::isfinite(value));
  std::string literal = ExactNumber(value);
  if (literal.find('.') == std::string::npos) literal += ".0";  // an integer's literal could overflow
  return literal;
}

}  // namespace outgrown::spec
