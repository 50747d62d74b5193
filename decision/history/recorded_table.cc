#include "decision/history/recorded_table.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "decision/history/record_fields.h"
#include "thresholds/table.h"

namespace outgrown::audit {
namespace {

Result<Uncovered> UncoveredFromId(std::string_view id) {
  if (id == "valid") return Uncovered::kValid;
  if (id == "unknown") return Uncovered::kUnknown;
  if (id == "lower_bound") return Uncovered::kLowerBound;
  return Error{"its table has a signal whose \"uncovered\" is none that is known", ""};
}

// The first records have no "unit": their values are plain numbers.
Result<Unit> UnitField(const Json& signal) {
  if (signal.Find("unit") == nullptr) return Unit::kCount;
  const Result<std::string_view> name = TextField(signal, "unit");
  if (!name) return name.error();
  const std::optional<Unit> unit = ParseUnit(*name);
  if (!unit) return Error{"its table has a signal whose \"unit\" is none that is known", ""};
  return *unit;
}

// The index of the row with that id.
template <typename Rows>
Result<std::uint16_t> IndexOf(const Rows& rows, std::string_view id) {
  for (std::size_t index = 0; index < rows.size(); ++index) {
    if (rows[index].id == id) return static_cast<std::uint16_t>(index);
  }
  return Error{"its table names a signal or a verdict that it doesn't have", ""};
}

}  // namespace

Result<void> RecordedTable::Read(const Json& record) {
  const Result<const Json*> table = ObjectField(record, "table");
  if (!table) return table.error();
  const Result<std::int64_t> interval_ms = IntegerField(**table, "interval_ms");
  if (!interval_ms) return interval_ms.error();
  if (*interval_ms <= 0) return Error{"its table's interval is not positive", ""};
  const Result<std::string_view> sufficient = TextField(**table, "sufficient");
  if (!sufficient) return sufficient.error();
  table_.interval_ms = *interval_ms;
  table_.sufficient = *sufficient;
  if ((*table)->Find("coverage_minimum") != nullptr) {
    const Result<double> minimum = NumberField(**table, "coverage_minimum");
    if (!minimum) return minimum.error();
    table_.coverage_minimum = *minimum;
    table_.coverage_series = "recorded";  // not empty: there is a coverage
  }
  if ((*table)->Find("coverage_maximum") != nullptr) {
    const Result<double> maximum = NumberField(**table, "coverage_maximum");
    if (!maximum) return maximum.error();
    table_.coverage_maximum = *maximum;
  }
  const Result<const Json::Array*> verdicts = ArrayField(**table, "verdicts");
  if (!verdicts) return verdicts.error();
  for (const Json& verdict : **verdicts) {
    const Result<std::string_view> id = TextField(verdict, "id");
    const Result<std::string_view> text = TextField(verdict, "text");
    if (!id || !text) return Error{"its table has a verdict without \"id\" or \"text\"", ""};
    verdicts_.push_back({.id = *id, .text = *text, .severity = {}, .exit_code = 0});
  }
  if (Result<void> read = ReadSignals(**table); !read) return read;
  if (Result<void> read = ReadThresholds(**table); !read) return read;
  table_.verdicts = verdicts_;
  table_.signals = signals_;
  table_.thresholds = thresholds_;
  return {};
}

Result<void> RecordedTable::ReadSignals(const Json& table) {
  const Result<const Json::Array*> signals = ArrayField(table, "signals");
  if (!signals) return signals.error();
  for (const Json& signal : **signals) {
    const Result<std::string_view> id = TextField(signal, "id");
    const Result<std::string_view> title = TextField(signal, "title");
    const Result<std::string_view> uncovered_id = TextField(signal, "uncovered");
    if (!id || !title || !uncovered_id) return Error{"its table has a signal that is not whole", ""};
    const Result<Uncovered> uncovered = UncoveredFromId(*uncovered_id);
    if (!uncovered) return uncovered.error();
    const Result<Unit> unit = UnitField(signal);
    if (!unit) return unit.error();
    signals_.push_back({.id = *id, .title = *title, .series = {}, .unit = *unit, .uncovered = *uncovered});
  }
  return {};
}

Result<void> RecordedTable::ReadThresholds(const Json& table) {
  const Result<const Json::Array*> thresholds = ArrayField(table, "thresholds");
  if (!thresholds) return thresholds.error();
  for (const Json& threshold : **thresholds) {
    const bool above = threshold.Find("above") != nullptr;
    const Result<double> limit = NumberField(threshold, above ? "above" : "below");
    const Result<std::int64_t> hold_ms = IntegerField(threshold, "for_ms");
    const Result<std::string_view> id = TextField(threshold, "id");
    const Result<std::string_view> because = TextField(threshold, "because");
    const Result<std::string_view> signal_id = TextField(threshold, "signal");
    const Result<std::string_view> verdict_id = TextField(threshold, "verdict");
    if (!limit || !hold_ms || !id || !because || !signal_id || !verdict_id) {
      return Error{"its table has a threshold that is not whole", ""};
    }
    const Result<std::uint16_t> signal = IndexOf(signals_, *signal_id);
    const Result<std::uint16_t> verdict = IndexOf(verdicts_, *verdict_id);
    if (!signal) return signal.error();
    if (!verdict) return verdict.error();
    thresholds_.push_back({.id = *id,
                           .alert = {},
                           .signal = *signal,
                           .verdict = *verdict,
                           .direction = above ? Direction::kAbove : Direction::kBelow,
                           .limit = *limit,
                           .hold_ms = *hold_ms,
                           .because = *because});
  }
  return {};
}

}  // namespace outgrown::audit
