#include "thresholds/table_source.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/check.h"
#include "common/text.h"
#include "thresholds/names.h"
#include "thresholds/spec_table.h"
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
