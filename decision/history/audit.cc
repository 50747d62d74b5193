#include "decision/history/audit.h"

#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/json_tree.h"
#include "common/text.h"
#include "decision/history/recompute.h"
#include "decision/history/record_fields.h"
#include "decision/history/recorded_attempt.h"
#include "decision/log/log_reader.h"

namespace outgrown::audit {
namespace {

// Follows the chain from line to line.
class Auditor {
 public:
  void Take(const decision_log::LogLine& line, bool last_file) {
    place_ = fmt::format("{}:{}", line.file.string(), line.number);
    const Result<decision_log::SealedRecord> record = decision_log::OpenRecord(line.bytes);
    if (!record.ok()) {
      const bool at_end = line.last_of_file && last_file;
      if (at_end && decision_log::ClassifyRemainder(line.bytes, line.ends_with_newline) ==
                        decision_log::Remainder::kUnfinished) {
        report_.notes.push_back(
            fmt::format("{}: an unfinished record of {} bytes, of a run that was cut short before it had "
                        "decided anything",
                        place_, line.bytes.size()));
      } else {
        Problem(record.error().what);
      }
      chained_ = false;
      return;
    }
    if (!line.ends_with_newline) {
      report_.notes.push_back(fmt::format("{}: the last record lacks its newline", place_));
    }
    TakeLink(*record);
    TakeContent(line.bytes);
  }

  AuditReport&& report() { return std::move(report_); }

 private:
  void Problem(std::string_view what) { report_.problems.push_back(fmt::format("{}: {}", place_, what)); }

  void TakeLink(const decision_log::SealedRecord& record) {
    const std::int64_t sequence = record.link.sequence;
    if (report_.records == 0) {
      report_.first_sequence = sequence;
      if (sequence == 1 && record.previous != decision_log::Link().hash)
        Problem("record 1 claims to have one before it");
      if (sequence > 1) {
        report_.notes.push_back(
            fmt::format("{}: begins with record {}; what came before it was not audited", place_, sequence));
      }
    } else if (chained_) {
      if (sequence != report_.last.sequence + 1) {
        Problem(fmt::format("record {} follows record {}", sequence, report_.last.sequence));
      } else if (record.previous != report_.last.hash) {
        Problem(fmt::format("record {} was not made after the record {} that stands before it", sequence,
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
    if (record->Find("log_missing") != nullptr) {
      report_.notes.push_back(fmt::format(
          "{}: before record {} the log was missing or empty; if it was moved away, its records from {} "
          "on are others than those here",
          place_, report_.last.sequence, report_.last.sequence));
    }
    if (const Result<void> follows = VerifyContent(*record); !follows.ok()) {
      Problem(fmt::format("record {}: {}", report_.last.sequence, follows.error().what));
    }
  }

  Result<void> VerifyContent(const Json& record) {
    const Result<std::string_view> kind = TextField(record, "kind");
    if (!kind) return kind.error();
    if (*kind == "attempt") return VerifyAttempt(record);
    if (*kind != "decision")
      return Error{fmt::format("its kind \"{}\" is none that is known", PlainText(*kind, 60)), ""};
    ++report_.decisions;
    return VerifyDecision(record);
  }

  AuditReport report_;
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
  return auditor.report();
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

}  // namespace outgrown::audit
