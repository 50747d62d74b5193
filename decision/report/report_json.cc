#include "decision/report/report_json.h"

#include <cstddef>
#include <optional>

#include "common/json.h"
#include "common/time_text.h"
#include "decision/report/report_parts.h"
#include "decision/report/wording.h"

namespace outgrown::decision {
namespace {

void WriteTexts(JsonWriter& json, std::string_view key, const std::vector<std::string>& texts) {
  json.Key(key).StartArray();
  for (const std::string& text : texts) json.String(text);
  json.EndArray();
}

// Ids are part of the schema (docs/schema) and never change.
std::string_view UnitId(Unit unit) {
  switch (unit) {
    case Unit::kRatio:
      return "ratio";
    case Unit::kPerSecond:
      return "per_second";
    case Unit::kSeconds:
      return "seconds";
    case Unit::kBytes:
      return "bytes";
    case Unit::kCount:
      return "count";
  }
  return "count";
}

void WriteTrend(JsonWriter& json, const decision::Trend& trend) {
  json.Key("trend").StartObject().Key("kind").String(decision::TrendId(trend.kind));
  if (trend.kind == decision::TrendKind::kReached) json.Key("seconds").Number(trend.reached_in_seconds);
  json.EndObject();
}

// All of them in table order, also those without a threshold.
void WriteSignals(JsonWriter& json, const Table& table, const decision::StoreDecision& store) {
  json.Key("signals").StartArray();
  for (std::size_t index = 0; index < table.signals.size(); ++index) {
    const std::optional<Sample> newest = decision::Newest(store, index);
    json.StartObject().Key("id").String(table.signals[index].id);
    json.Key("title")
        .String(table.signals[index].title)
        .Key("unit")
        .String(UnitId(table.signals[index].unit));
    if (newest) {
      json.Key("value").Number(newest->value).Key("time").String(Rfc3339(newest->time_ms));
    } else {
      json.Key("value").Null().Key("cause").String(engine::CauseId(store.samples.signals[index].cause));
    }
    if (const std::uint16_t ceiling = table.signals[index].ceiling; ceiling != kNoSignal) {
      json.Key("ceiling").StartObject().Key("signal").String(table.signals[ceiling].id);
      if (!store.ceiling_trends.empty()) WriteTrend(json, *store.ceiling_trends[index]);
      json.EndObject();
    }
    json.EndObject();
  }
  json.EndArray();
}

void WriteStretch(JsonWriter& json, std::int64_t from_ms, std::int64_t to_ms) {
  json.StartObject().Key("from").String(Rfc3339(from_ms)).Key("to").String(Rfc3339(to_ms)).EndObject();
}

// What a period (--since) showed of a threshold.
void WritePeriod(JsonWriter& json, const decision::ThresholdPeriod& threshold) {
  json.Key("period").StartObject();
  json.Key("breached_evaluations").Integer(static_cast<std::int64_t>(threshold.breached_evaluations));
  if (threshold.breached_evaluations > 0) {
    json.Key("breached_first").String(Rfc3339(threshold.breached_first_ms));
    json.Key("breached_last").String(Rfc3339(threshold.breached_last_ms));
  }
  json.Key("longest_beyond_seconds").Number(static_cast<double>(threshold.longest_beyond_ms) / 1000);
  if (threshold.extreme) json.Key("extreme").Number(threshold.extreme->value);
  json.Key("unmeasured").StartArray();
  for (const auto& [from_ms, to_ms] : threshold.unknown.stretches) {
    WriteStretch(json, from_ms, to_ms);
  }
  json.EndArray();
  if (!threshold.unknown.stretches.empty())
    json.Key("unmeasured_cause").String(engine::CauseId(threshold.unknown.cause));
  json.Key("unknown_seconds").Number(static_cast<double>(threshold.unknown.total_ms) / 1000).EndObject();
}

void WriteThresholds(JsonWriter& json, const Table& table, const decision::StoreDecision& store) {
  json.Key("thresholds").StartArray();
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const ThresholdRow& threshold = table.thresholds[index];
    const engine::Finding& finding = store.findings[index];
    json.StartObject()
        .Key("id")
        .String(threshold.id)
        .Key("signal")
        .String(table.signals[threshold.signal].id);
    json.Key(threshold.direction == Direction::kAbove ? "above" : "below").Number(threshold.limit);
    json.Key("for_seconds").Number(static_cast<double>(threshold.hold_ms) / 1000);
    json.Key("verdict").String(table.verdicts[threshold.verdict].id);
    json.Key("because").String(threshold.because).Key("state").String(engine::StateId(finding.state));
    if (finding.state == engine::State::kUnknown) {
      json.Key("cause").String(engine::CauseId(finding.cause));
      json.Key("cause_text").String(engine::CauseText(finding.cause));
    }
    // since_exact false: the breach was there at the oldest sample that was read, so it may have begun
    // earlier.
    if (finding.since_ms != 0) {
      json.Key("since").String(Rfc3339(finding.since_ms)).Key("since_exact").Boolean(finding.since_exact);
    }
    // Empty for given values, which no alert is about.
    if (index < store.alerts.size()) {
      json.Key("alert").String(decision::AlertStateId(store.alerts[index].alert));
      json.Key("agreement").String(decision::AgreementId(store.alerts[index].agreement));
    }
    if (index < store.trends.size()) WriteTrend(json, store.trends[index]);
    if (store.period) WritePeriod(json, store.period->thresholds[index]);
    json.EndObject();
  }
  json.EndArray();
}

// The texts (verdict_text, line, because) are for display. Programs decide by the ids and by `state`.
void WriteStore(JsonWriter& json, const Table& table, const decision::StoreDecision& store) {
  json.StartObject().Key("labels").StartObject();
  for (const auto& [name, value] : store.labels) json.Key(name).String(value);
  json.EndObject();
  json.Key("verdict").String(engine::VerdictId(table, store.decision));
  json.Key("verdict_text").String(engine::VerdictText(table, store.decision));
  json.Key("state").String(decision::StateOf(store));
  json.Key("line").String(decision::VerdictLine(table, store));
  if (store.decision.outcome == engine::Outcome::kBreached) {
    json.Key("threshold").String(table.thresholds[store.decision.lead].id);
    json.Key("because").String(engine::Because(table, store.decision));
  }
  if (store.decision.outcome == engine::Outcome::kUndetermined) {
    json.Key("cause").String(engine::CauseId(store.decision.cause));
  }
  if (store.period) json.Key("since").String(Rfc3339(store.period->from_ms));
  json.Key("worse_unknown").Boolean(store.decision.worse_unknown);
  if (store.samples.last_seen_ms) json.Key("last_seen").String(Rfc3339(*store.samples.last_seen_ms));
  // The period's own value where there is one: it counts from the period's beginning.
  const std::optional<std::int64_t> since_ms = store.period && store.period->measured_since_ms
                                                   ? store.period->measured_since_ms
                                                   : store.samples.measured_since_ms;
  if (since_ms) json.Key("measured_since").String(Rfc3339(*since_ms));
  if (store.period && !store.period->stopped.empty()) {
    json.Key("stopped").StartArray();
    for (const auto& [from_ms, to_ms] : store.period->stopped) WriteStretch(json, from_ms, to_ms);
    json.EndArray();
  }
  if (!store.samples.coverage_reasons.empty())
    WriteTexts(json, "coverage_reasons", store.samples.coverage_reasons);
  if (!store.split.empty()) {
    json.Key("split").StartObject();
    for (const decision::Share& share : store.split) json.Key(share.reason).Number(share.part);
    json.EndObject();
  }
  if (const std::string_view advice = decision::Advice(table, store); !advice.empty())
    json.Key("advice").String(advice);
  WriteTexts(json, "also", decision::AlsoLines(table, store));
  WriteTexts(json, "unknown", decision::UnknownLines(table, store));
  WriteSignals(json, table, store);
  WriteThresholds(json, table, store);
  WriteTexts(json, "alert_notes", AlertLines(table, store));
  // Null where nothing was logged, so that the member is always there.
  json.Key("logged_as");
  if (store.logged_as) {
    json.Integer(*store.logged_as);
  } else {
    json.Null();
  }
  json.EndObject();
}

}  // namespace

std::string JsonReport(std::span<const decision::Evaluation> evaluations, int exit_status,
                       std::string_view version) {
  JsonWriter json;
  json.StartObject().Key("schema").Integer(1).Key("version").String(version);
  // In the document too, since a pipe hides the program's status from the reader.
  json.Key("exit_status").Integer(exit_status);
  json.Key("evaluations").StartArray();
  for (const decision::Evaluation& evaluation : evaluations) {
    const Table& table = *evaluation.table;
    json.StartObject().Key("spec").String(table.store).Key("digest").String(table.digest);
    json.Key("title").String(table.title);
    json.Key("origin").String(evaluation.origin == decision::Origin::kGiven ? "given" : "prometheus");
    if (!evaluation.server.empty()) json.Key("server").String(evaluation.server);
    json.Key("time").String(Rfc3339(evaluation.time_ms));
    json.Key("alerts_compared").Boolean(evaluation.alerts_compared);
    json.Key("stores").StartArray();
    for (const decision::StoreDecision& store : evaluation.stores) WriteStore(json, table, store);
    json.EndArray();
    if (evaluation.stores.empty()) json.Key("line").String(decision::NoStoreLine(evaluation));
    WriteTexts(json, "warnings", evaluation.fleet.warnings);
    json.EndObject();
  }
  json.EndArray().EndObject();
  return json.text() + "\n";
}

}  // namespace outgrown::decision
