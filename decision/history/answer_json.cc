#include "decision/history/answer_json.h"

#include <cstdint>

#include "common/json.h"
#include "common/time_text.h"

namespace outgrown::history {
namespace {

void WriteLabels(JsonWriter& json, const Table& table, const std::vector<std::string>& identity) {
  json.Key("labels").StartObject();
  for (std::size_t index = 0; index < identity.size(); ++index) {
    json.Key(table.identity[index]).String(identity[index]);
  }
  json.EndObject();
}

double Seconds(std::int64_t length_ms) { return static_cast<double>(length_ms) / 1000; }

void WriteDecision(JsonWriter& json, const Table& table, const engine::Decision& decision) {
  json.Key("verdict").String(engine::VerdictId(table, decision));
  json.Key("line").String(LineOf(table, decision));
  if (decision.lead != engine::kNoThreshold) json.Key("threshold").String(table.thresholds[decision.lead].id);
  if (decision.outcome == engine::Outcome::kUndetermined) {
    json.Key("cause").String(engine::CauseId(decision.cause));
  }
  json.Key("worse_unknown").Boolean(decision.worse_unknown);
}

// `last` is the last instant of the stretch, which holds until the next one: hence LengthMs and not the
// difference.
void WriteSpan(JsonWriter& json, const Grid& grid, std::int64_t first_ms, std::int64_t last_ms) {
  json.Key("first").String(Rfc3339(first_ms)).Key("last").String(Rfc3339(last_ms));
  json.Key("seconds").Number(Seconds(grid.LengthMs(first_ms, last_ms)));
}

void WriteStores(JsonWriter& json, const Backtest& backtest) {
  const Table& table = *backtest.table;
  json.Key("stores").StartArray();
  for (const StoreTimeline& store : backtest.stores) {
    json.StartObject();
    WriteLabels(json, table, store.identity);
    json.Key("verdicts").StartArray();
    for (const VerdictTotal& total : Totals(table, backtest.grid, store)) {
      json.StartObject().Key("verdict").String(engine::VerdictId(table, total.decision));
      json.Key("first").String(Rfc3339(total.first_ms)).Key("last").String(Rfc3339(total.last_ms));
      json.Key("seconds").Number(Seconds(total.length_ms));
      json.Key("times").Integer(static_cast<std::int64_t>(total.times)).EndObject();
    }
    json.EndArray().Key("intervals").StartArray();
    for (const Interval& interval : store.intervals) {
      json.StartObject();
      WriteSpan(json, backtest.grid, interval.first_ms, interval.last_ms);
      WriteDecision(json, table, interval.decision);
      json.EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray();
}

// So that a program does not take an approximation for what was recorded.
void WriteApproximate(JsonWriter& json, const SeriesChoices& choices) {
  json.Key("approximate").StartArray();
  const auto write = [&](const SeriesChoice& choice) {
    // Read from the recorded series: exact, so not listed.
    if (choice.expr.empty()) return;
    json.StartObject().Key("signal").String(choice.title).Key("reason").String(choice.reason).EndObject();
  };
  for (const SeriesChoice& choice : choices.signals) write(choice);
  write(choices.coverage);
  json.EndArray();
}

// The members of a backtest, within an open object.
void WriteBacktest(JsonWriter& json, const Backtest& backtest) {
  const Table& table = *backtest.table;
  json.Key("spec").String(table.store).Key("digest").String(table.digest);
  if (!backtest.spec.empty()) json.Key("file").String(backtest.spec);
  json.Key("title").String(table.title).Key("server").String(backtest.server);
  json.Key("from").String(Rfc3339(backtest.grid.from_ms)).Key("to").String(Rfc3339(backtest.grid.to_ms));
  json.Key("step_seconds").Number(Seconds(backtest.grid.step_ms));
  // Without it a reader could take an empty list of stores for "no store".
  json.Key("answered").Boolean(backtest.answered);
  WriteApproximate(json, backtest.choices);
  WriteStores(json, backtest);
  json.Key("warnings").StartArray();
  for (const std::string& warning : backtest.warnings) json.String(warning);
  json.EndArray();
}

void WriteSide(JsonWriter& json, std::string_view key, const Table& table,
               const std::optional<engine::Decision>& decision) {
  json.Key(key);
  // There was no such store at that time: null, since every decision is an object.
  if (!decision) {
    json.Null();
    return;
  }
  json.StartObject();
  WriteDecision(json, table, *decision);
  json.EndObject();
}

void WriteChanges(JsonWriter& json, const Answer& answer) {
  json.Key("changes").StartArray();
  for (const StoreChanges& store : answer.changes) {
    json.StartObject();
    WriteLabels(json, *answer.backtest.table, store.identity);
    json.Key("intervals").StartArray();
    for (const Change& change : store.changes) {
      json.StartObject();
      WriteSpan(json, answer.backtest.grid, change.first_ms, change.last_ms);
      WriteSide(json, "from", *answer.backtest.table, change.from);
      WriteSide(json, "to", *answer.against->table, change.to);
      json.Key("why").String(change.why).EndObject();
    }
    json.EndArray().EndObject();
  }
  json.EndArray();
}

}  // namespace

std::string JsonAnswer(std::span<const Answer> answers, int exit_status, std::string_view version) {
  JsonWriter json;
  json.StartObject().Key("schema").Integer(1).Key("version").String(version);
  json.Key("exit_status").Integer(exit_status).Key("backtests").StartArray();
  for (const Answer& answer : answers) {
    json.StartObject();
    WriteBacktest(json, answer.backtest);
    if (answer.against) {
      json.Key("against").StartObject();
      WriteBacktest(json, *answer.against);
      json.EndObject();
      WriteChanges(json, answer);
    }
    json.EndObject();
  }
  json.EndArray().EndObject();
  return json.text() + "\n";
}

}  // namespace outgrown::history
