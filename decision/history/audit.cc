#include "decision/history/audit.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/json.h"
#include "common/text.h"
#include "common/time_text.h"
#include "decision/log/decision_log.h"
#include "decision/record/follows.h"
#include "decision/record/recorded.h"
#include "decision/record/recorded_period.h"

namespace outgrown::history {
namespace {

// Follows the chain from line to line.
class Auditor {
 public:
  void Take(const decision_log::LogLine& line, bool last_file) {
    place_ = fmt::format("{}:{}", line.file.string(), line.number);
    const Result<decision_log::SealedRecord> record = decision_log::OpenRecord(line.bytes);
    if (!record.ok()) {
      // Anywhere else a record was whole once, because others were appended after it.
      const bool at_end = line.last_of_file && last_file;
      if (at_end && decision_log::ClassifyRemainder(line.bytes, line.ends_with_newline) ==
                        decision_log::Remainder::kUnfinished) {
        report_.notes.push_back(
            fmt::format("{}: an unfinished record of {} bytes, left by a run that ended before its decision "
                        "was logged",
                        place_, line.bytes.size()));
      } else {
        Problem(record.error().what);
      }
      // The next record can't be compared with a line that is none; it is compared with nothing, and reported
      // only if it is wrong itself.
      chained_ = false;
      return;
    }
    if (!line.ends_with_newline) {
      report_.notes.push_back(fmt::format("{}: the last record lacks its newline", place_));
    }
    TakeLink(*record);
    // Also where the chain is broken: one run shows everything that is wrong.
    TakeContent(line.bytes);
  }

  AuditReport Finish() {
    for (const auto& [store, periods] : periods_) {
      for (const decision::Hole& hole : periods.Holes()) {
        report_.notes.push_back(fmt::format("{}: no decision covers {} to {} ({})", store,
                                            UtcText(hole.from_ms), UtcText(hole.to_ms),
                                            LengthText(hole.to_ms - hole.from_ms)));
      }
    }
    return std::move(report_);
  }

 private:
  void Problem(std::string_view what) { report_.problems.push_back(fmt::format("{}: {}", place_, what)); }

  void TakeLink(const decision_log::SealedRecord& record) {
    const std::int64_t sequence = record.link.sequence;
    if (report_.records == 0) {
      report_.first_sequence = sequence;
      // Record 1 chains to the hash of an empty link; anything else means that a record before it was cut
      // off.
      if (sequence == 1 && record.previous != decision_log::Link().hash)
        Problem("record 1 names a record before it");
      // A note: older segments may have been archived elsewhere.
      if (sequence > 1) {
        report_.notes.push_back(
            fmt::format("{}: begins with record {}; what came before it was not audited", place_, sequence));
      }
    } else if (chained_) {
      if (sequence != report_.last.sequence + 1) {
        Problem(fmt::format("record {} follows record {}", sequence, report_.last.sequence));
      } else if (record.previous != report_.last.hash) {
        Problem(fmt::format("record {} does not chain to record {} before it: the hashes differ", sequence,
                            report_.last.sequence));
      }
    }
    ++report_.records;
    report_.last = record.link;
    chained_ = true;
  }

  void TakeContent(const std::string& bytes) {
    const Result<Json> record = ParseJson(bytes);
    if (!record.ok()) {
      Problem(fmt::format("record {}: {}", report_.last.sequence, PlainText(record.error().what)));
      return;
    }
    TakeLogNotes(*record);
    if (const Result<void> follows = VerifyContent(*record); !follows.ok()) {
      Problem(fmt::format("record {}: {}", report_.last.sequence, follows.error().what));
    }
  }

  // What the record says of the log that it was appended to.
  void TakeLogNotes(const Json& record) {
    const std::int64_t sequence = report_.last.sequence;
    if (record.Find("log_missing") != nullptr) {
      report_.notes.push_back(fmt::format(
          "{}: before record {} the log was missing or empty: another program rotated it, or it was moved "
          "away or emptied{}",
          place_, sequence,
          record.Find("schema") != nullptr && *record.Find("schema")->number() == 1
              ? fmt::format("; if it still exists, its records from {} on differ from those here", sequence)
              : ""));
    }
    const Json* const known = record.Find("last_known");
    if (known == nullptr) return;
    const Result<std::int64_t> last = decision::IntegerField(*known, "sequence");
    const Result<std::string_view> hash = decision::TextField(*known, "hash");
    if (!last || !hash) return Problem(fmt::format("record {}: its \"last_known\" is incomplete", sequence));
    Problem(
        fmt::format("record {}: before it the log had records up to #{} (hash {}), which are missing here: "
                    "it was truncated or replaced",
                    sequence, *last, *hash));
  }

  Result<void> VerifyContent(const Json& record) {
    const Result<std::string_view> kind = decision::TextField(record, "kind");
    if (!kind) return kind.error();
    if (*kind == "attempt") return decision::CheckAttempt(record);
    if (*kind != "decision")
      return Error{fmt::format("its kind \"{}\" is unknown", PlainText(*kind, 60)), ""};
    ++report_.decisions;
    const Result<std::string_view> spec = decision::TextField(record, "spec");
    if (!spec) return spec.error();
    if (record.Find("period") != nullptr) periods_[decision::TitleOf(record, *spec)].Take(record);
    return decision::CheckDecision(record);
  }

  AuditReport report_;
  std::map<std::string, decision::Periods> periods_;  // by the store's title
  std::string place_;
  bool chained_ = true;  // the line before was a record, so that the next must follow it
};

}  // namespace

Result<AuditReport> Audit(const std::vector<std::filesystem::path>& files) {
  Auditor auditor;
  for (const std::filesystem::path& file : files) {
    const bool last_file = &file == &files.back();
    const Result<void> read = decision_log::ForEachLine(
        file, [&](const decision_log::LogLine& line) { auditor.Take(line, last_file); });
    if (!read) return read.error();
  }
  return auditor.Finish();
}

std::string AuditText(const AuditReport& report) {
  std::string text;
  for (const std::string& problem : report.problems) text += problem + "\n";
  for (const std::string& note : report.notes) text += "note: " + note + "\n";
  if (report.records == 0) return text + "no record\n";
  text += fmt::format("{} records, #{} to #{}; {} decisions recomputed; {}\n", report.records,
                      report.first_sequence, report.last.sequence, report.decisions,
                      report.problems.empty() ? "the chain holds and every verdict follows from its inputs"
                                              : fmt::format("{} problems", report.problems.size()));
  return text + fmt::format("last hash {}\n", report.last.hash);
}

}  // namespace outgrown::history
