#include "decision/record/follows.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/text.h"
#include "decision/engine/decide.h"
#include "decision/evaluation.h"
#include "decision/measure/measure_period.h"
#include "decision/record/recorded.h"
#include "decision/record/recorded_period.h"
#include "thresholds/table.h"

namespace outgrown::decision {
namespace {

// The recorded inputs of the store.
Result<StoreSamples> ReadInputs(const Json& record, const Table& table) {
  StoreSamples samples;
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
    Result<SignalSamples> read = SamplesField(signal);
    if (!read) return read.error();
    samples.signals.push_back(std::move(*read));
  }
  if (record.Find("coverage") != nullptr) {
    const Result<const Json*> coverage = ObjectField(record, "coverage");
    if (!coverage) return coverage.error();
    Result<SignalSamples> read = SamplesField(**coverage);
    if (!read) return read.error();
    samples.coverage = std::move(*read);
  }
  return samples;
}

// Makes the decision the one over the record's period. `breached_at`: the inputs are those of when its
// verdict's breach began.
Result<void> Conclude(const Json& record, const Table& table, bool breached_at, StoreDecision& store) {
  Result<Period> period = ReadPeriod(record, table);
  if (!period) return period.error();
  // The inputs at the period's end are recorded only if the verdict rests on them. Otherwise "sufficient"
  // adds nothing to the period's own findings.
  engine::Decision at_end;
  at_end.outcome = engine::Outcome::kSufficient;
  if (!breached_at) at_end = store.decision;
  store.decision = ConcludePeriod(table, *period, at_end);
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

}  // namespace

Result<void> CheckDecision(const Json& record) {
  RecordedTable recorded;
  if (Result<void> read = recorded.Read(record); !read) return read;
  const Table& table = recorded.table();
  const Result<std::int64_t> time_ms = TimeField(record);
  if (!time_ms) return time_ms.error();
  const Result<Origin> origin = OriginField(record);
  if (!origin) return origin.error();
  Result<StoreSamples> inputs = ReadInputs(record, table);
  if (!inputs) return inputs.error();
  // Over a period with a breach the inputs are those of when it began.
  const std::optional<std::int64_t> breached_at_ms = BreachedAtMs(record);
  const std::int64_t inputs_ms = breached_at_ms.value_or(*time_ms);
  for (const SignalSamples& signal : inputs->signals) {
    // A decision can't rest on what was not recorded yet.
    if (!signal.samples.empty() && signal.samples.back().time_ms > inputs_ms) {
      return Error{"it has samples that are later than its time", ""};
    }
  }
  StoreDecision store;
  store.samples = std::move(*inputs);
  DecideStore(table, *origin, inputs_ms, store);
  if (record.Find("period") != nullptr) {
    Result<void> concluded = Conclude(record, table, breached_at_ms.has_value(), store);
    if (!concluded) return concluded;
  }
  // The verdict first: it is what was acted on.
  if (Result<void> same = CompareText(record, "verdict", engine::VerdictId(table, store.decision)); !same)
    return same;
  return CompareLine(record, table, store.decision);
}

Result<void> CheckAttempt(const Json& record) {
  if (const Result<std::int64_t> time_ms = TimeField(record); !time_ms) return time_ms.error();
  if (const Result<Origin> origin = OriginField(record); !origin) return origin.error();
  if (Result<void> same = CompareText(record, "verdict", "undetermined"); !same) return same;
  return CompareLine(record, {}, {});
}

}  // namespace outgrown::decision
