#include "decision/record/record.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "common/json.h"
#include "common/time_text.h"
#include "decision/report/wording.h"
#include "thresholds/table.h"

namespace outgrown::decision {
namespace {

std::string_view UncoveredId(Uncovered uncovered) {
  switch (uncovered) {
    case Uncovered::kValid:
      return "valid";
    case Uncovered::kUnknown:
      return "unknown";
    case Uncovered::kLowerBound:
      return "lower_bound";
  }
  return "valid";
}

// What a decision rests on: the evaluation at which its breach began, or the one at its time.
struct Evidence {
  std::int64_t time_ms;
  const StoreSamples& samples;
  const std::vector<engine::Finding>& findings;
};

// A breach that ended is proven by what was measured when it began; the end of the period no longer shows it.
Evidence EvidenceOf(const Evaluation& evaluation, const StoreDecision& store) {
  if (store.period && store.period->first_breach) {
    const Instant& breach = *store.period->first_breach;
    return {breach.time_ms, breach.samples, breach.findings};
  }
  return {evaluation.time_ms, store.samples, store.findings};
}

// How many of the newest samples of a signal its thresholds' findings rest on: the record holds these and no more.
std::size_t SamplesUsed(const Table& table, const Evidence& evidence, std::size_t signal) {
  // At least the newest sample, which reports and the history show.
  std::size_t used = std::min<std::size_t>(1, evidence.samples.signals[signal].samples.size());
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    if (table.thresholds[index].signal == signal)
      used = std::max(used, evidence.findings[index].samples_used);
  }
  return used;
}

// What `write` writes, as members without an object's braces: the chain adds its own before and behind them (SealRecord), and
// no record is parsed again for that.
template <typename Write>
std::string Members(std::size_t bytes, Write write) {
  JsonWriter json;
  json.Reserve(bytes);
  write(json);
  return std::move(json).text();
}

void WriteSamples(JsonWriter& json, std::span<const Sample> samples) {
  json.StartArray();
  for (const Sample& sample : samples) {
    json.StartArray().Integer(sample.time_ms).Number(sample.value).EndArray();
  }
  json.EndArray();
}

void WriteQuery(JsonWriter& json, const QueryDone& query) {
  json.Key("query").String(query.promql);
  if (!query.problem.empty()) json.Key("problem").String(query.problem);
}

void WriteSignals(JsonWriter& json, const Evaluation& evaluation, const Evidence& evidence,
                  const std::vector<std::string>& members) {
  const Table& table = *evaluation.table;
  std::int64_t oldest_ms = evidence.time_ms;
  json.Key("signals").StartArray();
  for (std::size_t index = 0; index < table.signals.size(); ++index) {
    const SignalSamples& measured = evidence.samples.signals[index];
    json.StartObject().RawMembers(members[index]);
    if (measured.cause != engine::Cause::kNone) json.Key("cause").String(engine::CauseId(measured.cause));
    // From the end: the samples are ascending, and a finding rests on the newest without a gap.
    const auto used = std::span(measured.samples).last(SamplesUsed(table, evidence, index));
    if (!used.empty()) oldest_ms = std::min(oldest_ms, used.front().time_ms);
    WriteSamples(json.Key("samples"), used);
    json.EndObject();
  }
  json.EndArray();
  if (evaluation.origin != Origin::kPrometheus || table.coverage_series.empty()) return;
  json.Key("coverage").StartObject();
  WriteQuery(json, evaluation.fleet.coverage_query);
  if (evidence.samples.coverage.cause != engine::Cause::kNone) {
    json.Key("cause").String(engine::CauseId(evidence.samples.coverage.cause));
  }
  // A sample is covered by a coverage sample of up to two intervals before it, so the oldest one needs that
  // much more.
  const std::span<const Sample> coverage = evidence.samples.coverage.samples;
  const auto first =
      std::ranges::lower_bound(coverage, oldest_ms - 2 * table.interval_ms, {}, &Sample::time_ms);
  WriteSamples(json.Key("samples"), {first, coverage.end()});
  json.EndObject();
}

// The part of the table that decides, so that --audit needs no copy of the spec that was in use then.
std::string TableText(const Table& table) {
  JsonWriter json;
  json.StartObject();
  json.Key("interval_ms").Integer(table.interval_ms);
  if (!table.coverage_series.empty()) json.Key("coverage_minimum").Number(table.coverage_minimum);
  // A table without a maximum has infinity there, which JSON can't hold; records of schema 1 have none either.
  if (!table.coverage_series.empty() && std::isfinite(table.coverage_maximum))
    json.Key("coverage_maximum").Number(table.coverage_maximum);
  json.Key("sufficient").String(table.sufficient);
  json.Key("verdicts").StartArray();
  for (const VerdictRow& verdict : table.verdicts) {
    json.StartObject().Key("id").String(verdict.id).Key("text").String(verdict.text).EndObject();
  }
  json.EndArray().Key("signals").StartArray();
  for (const SignalRow& signal : table.signals) {
    json.StartObject().Key("id").String(signal.id).Key("title").String(signal.title);
    json.Key("series").String(signal.series).Key("unit").String(UnitName(signal.unit));
    json.Key("uncovered").String(UncoveredId(signal.uncovered)).EndObject();
  }
  json.EndArray().Key("thresholds").StartArray();
  for (const ThresholdRow& threshold : table.thresholds) {
    json.StartObject().Key("id").String(threshold.id);
    json.Key("signal").String(table.signals[threshold.signal].id);
    json.Key(threshold.direction == Direction::kAbove ? "above" : "below").Number(threshold.limit);
    json.Key("for_ms").Integer(threshold.hold_ms);
    json.Key("verdict").String(table.verdicts[threshold.verdict].id);
    json.Key("because").String(threshold.because).EndObject();
  }
  json.EndArray().EndObject();
  return std::move(json).text();
}

// With what the alerts said at that time, which cannot be recomputed later.
void WriteFindings(JsonWriter& json, const Table& table, const StoreDecision& store,
                   const Evidence& evidence) {
  json.Key("findings").StartArray();
  for (std::size_t index = 0; index < evidence.findings.size(); ++index) {
    const engine::Finding& finding = evidence.findings[index];
    json.StartObject().Key("threshold").String(table.thresholds[index].id);
    json.Key("state").String(engine::StateId(finding.state));
    if (finding.cause != engine::Cause::kNone) json.Key("cause").String(engine::CauseId(finding.cause));
    if (index < store.alerts.size()) {
      json.Key("alert").String(AlertStateId(store.alerts[index].alert));
      json.Key("agreement").String(AgreementId(store.alerts[index].agreement));
    }
    json.EndObject();
  }
  json.EndArray();
}

// What a period showed of each threshold: enough for --audit to reach the verdict again without all of its samples.
void WritePeriod(JsonWriter& json, const Table& table, const Period& period) {
  if (period.first_breach) json.Key("breached_at_ms").Integer(period.first_breach->time_ms);
  json.Key("period").StartObject().Key("from_ms").Integer(period.from_ms).Key("to_ms").Integer(period.to_ms);
  if (period.measured_since_ms) json.Key("measured_since_ms").Integer(*period.measured_since_ms);
  if (!period.stopped.empty()) {
    json.Key("stopped").StartArray();
    for (const auto& [from_ms, to_ms] : period.stopped)
      json.StartArray().Integer(from_ms).Integer(to_ms).EndArray();
    json.EndArray();
  }
  json.Key("thresholds").StartArray();
  for (std::size_t index = 0; index < period.thresholds.size(); ++index) {
    const ThresholdPeriod& threshold = period.thresholds[index];
    json.StartObject().Key("threshold").String(table.thresholds[index].id);
    json.Key("breached_evaluations").Integer(static_cast<std::int64_t>(threshold.breached_evaluations));
    if (threshold.breached_evaluations > 0) {
      json.Key("first_ms")
          .Integer(threshold.breached_first_ms)
          .Key("last_ms")
          .Integer(threshold.breached_last_ms);
    }
    json.Key("longest_beyond_ms").Integer(threshold.longest_beyond_ms);
    if (threshold.extreme) {
      json.Key("extreme")
          .StartArray()
          .Integer(threshold.extreme->time_ms)
          .Number(threshold.extreme->value)
          .EndArray();
    }
    json.Key("unmeasured").StartArray();
    for (const auto& [from_ms, to_ms] : threshold.unknown.stretches) {
      json.StartArray().Integer(from_ms).Integer(to_ms).EndArray();
    }
    json.EndArray();
    if (!threshold.unknown.stretches.empty())
      json.Key("unmeasured_cause").String(engine::CauseId(threshold.unknown.cause));
    json.Key("unknown_ms").Integer(threshold.unknown.total_ms).EndObject();
  }
  json.EndArray().EndObject();
}

// Both forms of the time: text for whoever reads the log, milliseconds because --audit needs them exact.
void WriteOrigin(JsonWriter& json, const Evaluation& evaluation, std::string_view version) {
  json.Key("version").String(version);
  json.Key("origin").String(evaluation.origin == Origin::kGiven ? "given" : "prometheus");
  if (!evaluation.server.empty()) json.Key("server").String(evaluation.server);
  json.Key("spec").String(evaluation.table->store).Key("digest").String(evaluation.table->digest);
  json.Key("time").String(Rfc3339(evaluation.time_ms)).Key("time_ms").Integer(evaluation.time_ms);
  if (evaluation.at) json.Key("at").Boolean(true);
}

void WriteWarnings(JsonWriter& json, const Evaluation& evaluation) {
  json.Key("warnings").StartArray();
  for (const std::string& warning : evaluation.fleet.warnings) json.String(warning);
  json.EndArray();
}

}  // namespace

Recorder::Recorder(const Evaluation& evaluation, std::string_view version)
    : evaluation_(evaluation), version_(version) {
  begin_ = Members(0, [&](JsonWriter& json) {
    json.Key("kind").String("decision");
    WriteOrigin(json, evaluation, version);
  });
  for (std::size_t signal = 0; signal < evaluation.table->signals.size(); ++signal) {
    signals_.push_back(Members(0, [&](JsonWriter& json) {
      json.Key("id").String(evaluation.table->signals[signal].id);
      if (evaluation.origin == Origin::kPrometheus) WriteQuery(json, evaluation.fleet.signal_queries[signal]);
    }));
  }
  end_ = Members(0, [&](JsonWriter& json) {
    json.Key("table").Raw(TableText(*evaluation.table));
    WriteWarnings(json, evaluation);
  });
}

std::string Recorder::Decision(const StoreDecision& store) const {
  const Table& table = *evaluation_.table;
  return Members(2 * (begin_.size() + end_.size()), [&](JsonWriter& json) {
    json.RawMembers(begin_).Key("labels").StartObject();
    for (const auto& [name, value] : store.labels) json.Key(name).String(value);
    json.EndObject();
    json.Key("verdict").String(engine::VerdictId(table, store.decision));
    // The text as it was printed: what an operator acted on, also if a later release words it differently.
    json.Key("line").String(VerdictLine(table, store));
    json.Key("also").StartArray();
    for (const std::string& also : AlsoLines(table, store)) json.String(also);
    json.EndArray();
    if (store.samples.presence != engine::Cause::kNone) {
      json.Key("presence").String(engine::CauseId(store.samples.presence));
      if (store.samples.last_seen_ms) json.Key("last_seen_ms").Integer(*store.samples.last_seen_ms);
      if (store.samples.measured_since_ms)
        json.Key("measured_since_ms").Integer(*store.samples.measured_since_ms);
      if (store.samples.window_ms > 0) json.Key("window_ms").Integer(store.samples.window_ms);
    }
    if (!store.samples.coverage_reasons.empty()) {
      json.Key("coverage_reasons").StartArray();
      for (const std::string& reason : store.samples.coverage_reasons) json.String(reason);
      json.EndArray();
    }
    const Evidence evidence = EvidenceOf(evaluation_, store);
    if (store.period) WritePeriod(json, table, *store.period);
    WriteFindings(json, table, store, evidence);
    WriteSignals(json, evaluation_, evidence, signals_);
    json.RawMembers(end_);
  });
}

// A run that found no store is logged as well, so that the log shows that it was looked for, and how.
std::string Recorder::Attempt() const {
  return Members(0, [&](JsonWriter& json) {
    json.Key("kind").String("attempt");
    WriteOrigin(json, evaluation_, version_);
    json.Key("verdict").String("undetermined");
    json.Key("line").String(NoStoreLine(evaluation_));
    json.Key("queries").StartArray();
    for (const QueryDone& query : evaluation_.fleet.presence_queries) {
      json.StartObject();
      WriteQuery(json, query);
      json.EndObject();
    }
    json.EndArray();
    if (evaluation_.fleet.without_identity) json.Key("without_identity").Boolean(true);
    WriteWarnings(json, evaluation_);
  });
}

}  // namespace outgrown::decision
