#include "decision/history/history.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/json.h"
#include "common/text.h"
#include "common/time_text.h"
#include "decision/history/reason.h"
#include "decision/log/decision_log.h"
#include "decision/record/recorded.h"
#include "decision/record/recorded_period.h"
#include "decision/report/report_parts.h"

namespace outgrown::history {
namespace {

// Where a verdict's line begins; its reason is written below, from the same column.
constexpr std::size_t kReasonColumn = 27;

// A run of decisions with the same line.
struct Stretch {
  std::string line;
  std::string reason;
  std::int64_t first_ms = 0;
  std::int64_t last_ms = 0;
  std::int64_t first_sequence = 0;
  std::size_t decisions = 0;
};

// One decision. `line` points into Entries::lines, which holds each text once: a long log has few different ones.
struct Entry {
  std::int64_t time_ms = 0;
  std::int64_t sequence = 0;
  const std::string* line = nullptr;
  Grounds grounds;
};

struct StoreEntries {
  std::vector<Entry> entries;  // in the log's order
  decision::Periods periods;
};

struct Entries {
  RecordedSpecs specs;
  std::set<std::string, std::less<>> lines;
  std::map<std::string, StoreEntries> by_store;  // by the store's title
};

// A stretch of time without a decision.
Stretch StretchOf(const decision::Hole& hole) {
  return {.line = fmt::format("no decision until {} ({})", UtcText(hole.to_ms),
                              LengthText(hole.to_ms - hole.from_ms)),
          .reason = "",
          .first_ms = hole.from_ms};
}

// A store's decisions by the time that they are about, which with --at is not when they were made; of the
// same instant the one that was made first. A hole between periods comes before the decision that ends it.
std::vector<Stretch> StretchesOf(StoreEntries store) {
  std::ranges::stable_sort(store.entries, {}, &Entry::time_ms);
  const std::vector<decision::Hole> holes = store.periods.Holes();
  auto hole = holes.begin();
  std::vector<Stretch> stretches;
  const Grounds* before = nullptr;
  for (const Entry& entry : store.entries) {
    for (; hole != holes.end() && hole->from_ms < entry.time_ms; ++hole)
      stretches.push_back(StretchOf(*hole));
    if (stretches.empty() || stretches.back().decisions == 0 || stretches.back().line != *entry.line) {
      stretches.push_back({.line = *entry.line,
                           .reason = Reason(before, entry.grounds),
                           .first_ms = entry.time_ms,
                           .first_sequence = entry.sequence});
    }
    before = &entry.grounds;
    stretches.back().last_ms = entry.time_ms;
    ++stretches.back().decisions;
  }
  return stretches;
}

// Takes a record; false if it lacks what a history needs.
bool TakeRecord(const Json& record, std::int64_t sequence, Entries& entries) {
  const Result<std::string_view> kind = decision::TextField(record, "kind");
  const Result<std::string_view> spec = decision::TextField(record, "spec");
  const Result<std::string_view> line = decision::TextField(record, "line");
  const Result<std::int64_t> time_ms = decision::IntegerField(record, "time_ms");
  if (!kind || !spec || !line || !time_ms) return false;
  const bool decision = *kind == "decision";
  Result<Grounds> grounds = decision ? ReadGrounds(record, entries.specs) : Grounds();
  if (!grounds) return false;
  const std::string title =
      decision ? decision::TitleOf(record, *spec) : fmt::format("{}: no store", PlainText(*spec));
  auto known = entries.lines.find(*line);
  if (known == entries.lines.end()) known = entries.lines.emplace(*line).first;
  StoreEntries& store = entries.by_store[title];
  store.entries.push_back({*time_ms, sequence, &*known, std::move(*grounds)});
  if (decision) store.periods.Take(record);
  return true;
}

}  // namespace

Result<std::string> HistoryText(const std::vector<std::filesystem::path>& files) {
  Entries entries;
  std::size_t unread = 0;
  for (const std::filesystem::path& file : files) {
    const Result<void> read = decision_log::ForEachLine(file, [&](const decision_log::LogLine& line) {
      // The chain is --audit's to verify; a history shows every record whose own hash is right.
      const Result<decision_log::SealedRecord> sealed = decision_log::OpenRecord(line.bytes);
      const Result<Json> record = sealed.ok() ? ParseJson(line.bytes) : Result<Json>(sealed.error());
      if (!record.ok() || !TakeRecord(*record, sealed->link.sequence, entries)) ++unread;
    });
    if (!read) return read.error();
  }
  std::string text;
  for (const auto& [title, store] : entries.by_store) {
    const std::vector<Stretch> of_store = StretchesOf(store);
    std::size_t width = 0;
    // For each store by itself: one long line must not push the others' columns to the right.
    for (const Stretch& stretch : of_store) width = std::max(width, Columns(PlainText(stretch.line)));
    text += fmt::format("{}{}\n", text.empty() ? "" : "\n", title);
    for (const Stretch& stretch : of_store) {
      text += fmt::format(
          "  {}  {}  {}", UtcText(stretch.first_ms), decision::Pad(PlainText(stretch.line), width),
          stretch.decisions == 0   ? ""
          : stretch.decisions == 1 ? fmt::format("#{}", stretch.first_sequence)
                                   : fmt::format("#{} and {} more, until {}", stretch.first_sequence,
                                                 stretch.decisions - 1, UtcText(stretch.last_ms)));
      text += '\n';
      if (!stretch.reason.empty())
        text += fmt::format("{}{}\n", std::string(kReasonColumn, ' '), stretch.reason);
    }
  }
  if (entries.by_store.empty()) text += "no decision yet\n";
  if (unread > 0)
    text += fmt::format("\n{} lines are not valid records; rulegen --audit gives details\n", unread);
  return text;
}

}  // namespace outgrown::history
