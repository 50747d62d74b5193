#include "decision/history/audit.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/json.h"
#include "common/text.h"
#include "common/time_text.h"
#include "decision/engine/decide.h"
#include "decision/evaluation.h"
#include "decision/history/recorded.h"
#include "decision/history/recorded_period.h"
#include "decision/log/decision_log.h"
#include "decision/period.h"

namespace outgrown::history {
namespace {

// The recorded inputs of the store.
Result<decision::StoreSamples> ReadInputs(const Json& record, const Table& table) {
  decision::StoreSamples samples;
  if (record.Find("presence") != nullptr) {
    const Result<std::string_view> presence = TextField(record, "presence");
    if (!presence) return presence.error();
    samples.presence = engine::CauseFromId(*presence);
    // A cause that this release doesn't know could change the verdict: it fails instead of being taken for
    // "present".
    if (samples.presence == engine::Cause::kNone) return Error{"its \"presence\" is unknown", ""};
  }
  const auto last_seen_ms = OptionalIntegerField(record, "last_seen_ms");
  if (!last_seen_ms) return last_seen_ms.error();
  samples.last_seen_ms = *last_seen_ms;
  const auto window_ms = OptionalIntegerField(record, "window_ms");
  if (!window_ms) return window_ms.error();
  samples.window_ms = window_ms->value_or(0);
  const auto measured_since_ms = OptionalIntegerField(record, "measured_since_ms");
  if (!measured_since_ms) return measured_since_ms.error();
  samples.measured_since_ms = *measured_since_ms;
  const Result<const Json::Array*> signals = ArrayField(record, "signals");
  if (!signals) return signals.error();
  if ((*signals)->size() != table.signals.size()) return Error{"its signals are not those of its table", ""};
  for (std::size_t index = 0; index < table.signals.size(); ++index) {
    const Json& signal = (**signals)[index];
    const Result<std::string_view> id = TextField(signal, "id");
    // By name and by position: the record's own table is what its findings refer to.
    if (!id || *id != table.signals[index].id) return Error{"its signals are not those of its table", ""};
    Result<decision::SignalSamples> read = SamplesField(signal);
    if (!read) return read.error();
    samples.signals.push_back(std::move(*read));
  }
  if (record.Find("coverage") != nullptr) {
    const Result<const Json*> coverage = ObjectField(record, "coverage");
    if (!coverage) return coverage.error();
    Result<decision::SignalSamples> read = SamplesField(**coverage);
    if (!read) return read.error();
    samples.coverage = std::move(*read);
  }
  return samples;
}

// Makes the decision the one over the record's period. `breached_at`: the inputs are those of when its
// verdict's breach began.
Result<void> Conclude(const Json& record, const Table& table, bool breached_at,
                      decision::StoreDecision& store) {
  Result<decision::Period> period = ReadPeriod(record, table);
  if (!period) return period.error();
  // The inputs at the period's end are recorded only if the verdict rests on them. Otherwise "sufficient"
  // adds nothing to the period's own findings.
  engine::Decision at_end;
  at_end.outcome = engine::Outcome::kSufficient;
  if (!breached_at) at_end = store.decision;
  store.decision = decision::ConcludePeriod(table, *period, at_end);
  const bool breached = store.decision.outcome == engine::Outcome::kBreached;
  const bool rests_on_period = breached && period->thresholds[store.decision.lead].breached_evaluations > 0;
  if (rests_on_period && !breached_at)
    return Error{"its verdict rests on a breach in its period, but the inputs of that breach are missing",
                 ""};
  if (breached_at &&
      (!rests_on_period || store.findings[store.decision.lead].state != engine::State::kBreached))
    return Error{"the inputs of its verdict's breach don't show that breach", ""};
  return {};
}

Error Differs(std::string_view what, std::string_view recorded, std::string_view computed) {
  return Error{fmt::format("its {} \"{}\" doesn't follow from its inputs, which give \"{}\"", what,
                           PlainText(recorded), PlainText(computed)),
               ""};
}

Result<void> CompareText(const Json& record, std::string_view key, std::string_view computed) {
  const Result<std::string_view> recorded = TextField(record, key);
  if (!recorded) return recorded.error();
  if (*recorded != computed) return Differs(key, *recorded, computed);
  return {};
}

// Findings besides the verdict's own: each is recomputed, so that no other limit's state can be changed
// unnoticed.
Result<void> CompareFindings(const Json& record, const Table& table, const decision::StoreDecision& store) {
  const Result<const Json::Array*> findings = ArrayField(record, "findings");
  if (!findings) return findings.error();
  if ((*findings)->size() != table.thresholds.size())
    return Error{"its findings are not those of its table", ""};
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const Json& finding = (**findings)[index];
    if (Result<void> same = CompareText(finding, "threshold", table.thresholds[index].id); !same) return same;
    if (Result<void> same = CompareText(finding, "state", engine::StateId(store.findings[index].state));
        !same) {
      return same;
    }
    if (store.findings[index].cause != engine::Cause::kNone) {
      Result<void> same = CompareText(finding, "cause", engine::CauseId(store.findings[index].cause));
      if (!same) return same;
    }
  }
  return {};
}

// The wording may differ from release to release, so only the verdict and, for a breach, the justification
// are compared.
Result<void> CompareLine(const Json& record, const Table& table, const engine::Decision& decision) {
  const Result<std::string_view> line = TextField(record, "line");
  if (!line) return line.error();
  std::string begins(engine::VerdictText(table, decision));
  if (decision.outcome == engine::Outcome::kBreached)
    begins += fmt::format(" - {}", engine::Because(table, decision));
  const bool fits =
      line->starts_with(begins) && (line->size() == begins.size() || (*line)[begins.size()] == ' ');
  return fits ? Result<void>() : Differs("line", *line, begins);
}

Result<void> VerifyDecision(const Json& record) {
  RecordedTable recorded;
  if (Result<void> read = recorded.Read(record); !read) return read;
  const Table& table = recorded.table();
  const Result<std::int64_t> time_ms = TimeField(record);
  if (!time_ms) return time_ms.error();
  const Result<decision::Origin> origin = OriginField(record);
  if (!origin) return origin.error();
  Result<decision::StoreSamples> inputs = ReadInputs(record, table);
  if (!inputs) return inputs.error();
  // Over a period with a breach the inputs are those of when it began.
  const std::optional<std::int64_t> breached_at_ms = BreachedAtMs(record);
  const std::int64_t inputs_ms = breached_at_ms.value_or(*time_ms);
  for (const decision::SignalSamples& signal : inputs->signals) {
    // A decision can't rest on what was not recorded yet.
    if (!signal.samples.empty() && signal.samples.back().time_ms > inputs_ms) {
      return Error{"it has samples that are later than its time", ""};
    }
  }
  decision::StoreDecision store;
  store.samples = std::move(*inputs);
  decision::DecideStore(table, *origin, inputs_ms, store);
  if (record.Find("period") != nullptr) {
    Result<void> concluded = Conclude(record, table, breached_at_ms.has_value(), store);
    if (!concluded) return concluded;
  }
  // The verdict first: it is what was acted on.
  if (Result<void> same = CompareText(record, "verdict", engine::VerdictId(table, store.decision)); !same)
    return same;
  if (Result<void> same = CompareLine(record, table, store.decision); !same) return same;
  return CompareFindings(record, table, store);
}

// A run that found no store has decided nothing.
Result<void> VerifyAttempt(const Json& record) {
  if (const Result<std::int64_t> time_ms = TimeField(record); !time_ms) return time_ms.error();
  if (const Result<decision::Origin> origin = OriginField(record); !origin) return origin.error();
  if (Result<void> same = CompareText(record, "verdict", "undetermined"); !same) return same;
  return CompareLine(record, {}, {});
}

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
      for (const Hole& hole : periods.Holes()) {
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
    const Result<std::int64_t> last = IntegerField(*known, "sequence");
    const Result<std::string_view> hash = TextField(*known, "hash");
    if (!last || !hash) return Problem(fmt::format("record {}: its \"last_known\" is incomplete", sequence));
    Problem(
        fmt::format("record {}: before it the log had records up to #{} (hash {}), which are missing here: "
                    "it was truncated or replaced",
                    sequence, *last, *hash));
  }

  Result<void> VerifyContent(const Json& record) {
    const Result<std::string_view> kind = TextField(record, "kind");
    if (!kind) return kind.error();
    if (*kind == "attempt") return VerifyAttempt(record);
    if (*kind != "decision")
      return Error{fmt::format("its kind \"{}\" is unknown", PlainText(*kind, 60)), ""};
    ++report_.decisions;
    const Result<std::string_view> spec = TextField(record, "spec");
    if (!spec) return spec.error();
    if (record.Find("period") != nullptr) periods_[TitleOf(record, *spec)].Take(record);
    return VerifyDecision(record);
  }

  AuditReport report_;
  std::map<std::string, Periods> periods_;  // by the store's title
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
