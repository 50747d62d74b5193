#include "rulegen/audit/history.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/text.h"
#include "common/time_text.h"
#include "rulegen/audit/record_fields.h"
#include "rulegen/decision_log/chain.h"
#include "rulegen/decision_log/log_reader.h"
#include "rulegen/json/json_tree.h"
#include "rulegen/report/report_parts.h"

namespace outgrown::audit {
namespace {

// A run of decisions with the same line.
struct Stretch {
  std::string line;
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::int64_t first_sequence = 0;
  std::size_t decisions = 0;
};

// What was decided, by the store's title.
using Stretches = std::map<std::string, std::vector<Stretch>>;

std::string TitleOf(const Json& record) {
  evaluate::StoreDecision store;
  if (const Json* labels = record.Find("labels"); labels != nullptr && labels->object() != nullptr) {
    for (const auto& [name, value] : *labels->object()) {
      if (value.string() != nullptr) store.labels.emplace_back(name, *value.string());
    }
  }
  const Result<std::string_view> origin = TextField(record, "origin");
  std::string title = report::StoreTitle(store);
  if (origin.ok() && *origin == "given" && !store.labels.empty()) title += " (given values)";
  return title;
}

// Takes a record; false if it lacks what a history needs.
bool TakeRecord(const Json& record, std::int64_t sequence, Stretches& stretches) {
  const Result<std::string_view> kind = TextField(record, "kind");
  const Result<std::string_view> spec = TextField(record, "spec");
  const Result<std::string_view> line = TextField(record, "line");
  const Result<std::int64_t> time_ms = IntegerField(record, "time_ms");
  if (!kind || !spec || !line || !time_ms) return false;
  const std::string title =
      fmt::format("{}: {}", PlainText(*spec), *kind == "decision" ? TitleOf(record) : "no store");
  std::vector<Stretch>& of_store = stretches[title];
  if (of_store.empty() || of_store.back().line != *line) {
    of_store.push_back(
        {.line = std::string(*line), .first_ms = *time_ms, .last_ms = *time_ms, .first_sequence = sequence});
  }
  of_store.back().last_ms = *time_ms;
  ++of_store.back().decisions;
  return true;
}

}  // namespace

Result<std::string> HistoryText(const std::vector<std::filesystem::path>& files) {
  Stretches stretches;
  std::size_t unread = 0;
  for (const std::filesystem::path& file : files) {
    const Result<void> read = decision_log::ForEachLine(file, [&](const decision_log::LogLine& line) {
      const Result<decision_log::SealedRecord> sealed = decision_log::OpenRecord(line.bytes);
      const Result<Json> record = sealed.ok() ? ParseJson(line.bytes) : Result<Json>(sealed.error());
      if (!record.ok() || !TakeRecord(*record, sealed->link.sequence, stretches)) ++unread;
    });
    if (!read) return read.error();
  }
  std::string text;
  for (const auto& [title, of_store] : stretches) {
    std::size_t width = 0;
    for (const Stretch& stretch : of_store) width = std::max(width, Columns(PlainText(stretch.line)));
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", title);
    for (const Stretch& stretch : of_store) {
      text += fmt::format(
          "  {}  {}  {}", UtcText(stretch.first_ms), report::Pad(PlainText(stretch.line), width),
          stretch.decisions == 1 ? fmt::format("#{}", stretch.first_sequence)
                                 : fmt::format("#{} and {} more, until {}", stretch.first_sequence,
                                               stretch.decisions - 1, UtcText(stretch.last_ms)));
      text += '\n';
    }
  }
  if (stretches.empty()) text += "no decision yet\n";
  if (unread > 0)
    text += fmt::format("\n{} lines are no valid records; rulegen --audit tells more\n", unread);
  return text;
}

}  // namespace outgrown::audit
