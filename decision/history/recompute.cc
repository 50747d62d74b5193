#include "decision/history/recompute.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/text.h"
#include "decision/evaluation.h"
#include "decision/history/record_fields.h"
#include "decision/history/recorded_period.h"
#include "decision/history/recorded_table.h"
#include "decision/wording.h"

namespace outgrown::audit {
namespace {

// The recorded inputs of the store.
Result<evaluate::StoreSamples> ReadInputs(const Json& record, const Table& table) {
  evaluate::StoreSamples samples;
  if (record.Find("presence") != nullptr) {
    const Result<std::string_view> presence = TextField(record, "presence");
    if (!presence) return presence.error();
    samples.presence = decide::CauseFromId(*presence);
    if (samples.presence == decide::Cause::kNone) return Error{"its \"presence\" is none that is known", ""};
  }
  if (record.Find("last_seen_ms") != nullptr) {
    const Result<std::int64_t> last_seen_ms = IntegerField(record, "last_seen_ms");
    if (!last_seen_ms) return last_seen_ms.error();
    samples.last_seen_ms = *last_seen_ms;
  }
  if (record.Find("window_ms") != nullptr) {
    const Result<std::int64_t> window_ms = IntegerField(record, "window_ms");
    if (!window_ms) return window_ms.error();
    samples.window_ms = *window_ms;
  }
  if (record.Find("measured_since_ms") != nullptr) {
    const Result<std::int64_t> since_ms = IntegerField(record, "measured_since_ms");
    if (!since_ms) return since_ms.error();
    samples.measured_since_ms = *since_ms;
  }
  if (record.Find("coverage_reasons") != nullptr) {
    const Result<const Json::Array*> reasons = ArrayField(record, "coverage_reasons");
    if (!reasons) return reasons.error();
    for (const Json& reason : **reasons) {
      if (reason.string() == nullptr) return Error{"its \"coverage_reasons\" are no texts", ""};
      samples.coverage_reasons.push_back(*reason.string());
    }
  }
  const Result<const Json::Array*> signals = ArrayField(record, "signals");
  if (!signals) return signals.error();
  if ((*signals)->size() != table.signals.size()) return Error{"its signals are not those of its table", ""};
  for (std::size_t index = 0; index < table.signals.size(); ++index) {
    const Json& signal = (**signals)[index];
    const Result<std::string_view> id = TextField(signal, "id");
    if (!id || *id != table.signals[index].id) return Error{"its signals are not those of its table", ""};
    Result<evaluate::SignalSamples> read = SamplesField(signal);
    if (!read) return read.error();
    samples.signals.push_back(std::move(*read));
  }
  if (record.Find("coverage") != nullptr) {
    const Result<const Json*> coverage = ObjectField(record, "coverage");
    if (!coverage) return coverage.error();
    Result<evaluate::SignalSamples> read = SamplesField(**coverage);
    if (!read) return read.error();
    samples.coverage = std::move(*read);
  }
  return samples;
}

// Whether the breaches at the evaluation at which the verdict stood are in the period as well.
bool HasBreaches(const evaluate::Period& period, const std::vector<decide::Finding>& findings,
                 std::int64_t stood_ms) {
  for (std::size_t index = 0; index < findings.size(); ++index) {
    const evaluate::ThresholdPeriod& threshold = period.thresholds[index];
    if (findings[index].state == decide::State::kBreached &&
        (threshold.breached_evaluations == 0 || threshold.breached_first_ms > stood_ms ||
         threshold.breached_last_ms < stood_ms)) {
      return false;
    }
  }
  return true;
}

// Makes the decision the one over the record's period. `inputs_ms`: when its inputs were; where it `stood`, the first
// evaluation of the period at which it did.
Result<void> Conclude(const Json& record, const Table& table, bool stood, std::int64_t inputs_ms,
                      evaluate::StoreDecision& store) {
  Result<evaluate::Period> period = ReadPeriod(record, table);
  if (!period) return period.error();
  // What was decided at the period's end is recorded only where it is what the verdict rests on.
  decide::Decision at_end;
  at_end.outcome = decide::Outcome::kSufficient;
  if (!stood) at_end = store.decision;
  store.decision = evaluate::ConcludePeriod(table, *period, at_end);
  const bool breached = store.decision.outcome == decide::Outcome::kBreached;
  const bool rests_on_period = breached && period->thresholds[store.decision.lead].breached_evaluations > 0;
  if (rests_on_period && !stood) {
    return Error{"its verdict is of its period, without the inputs of when it stood", ""};
  }
  if (stood) {
    if (!breached || store.findings[store.decision.lead].state != decide::State::kBreached) {
      return Error{"the inputs of when its verdict stood don't show that breach", ""};
    }
    if (!rests_on_period || period->thresholds[store.decision.lead].breached_first_ms != inputs_ms) {
      return Error{"its \"stood_ms\" is not when its leading breach began", ""};
    }
    if (!HasBreaches(*period, store.findings, inputs_ms)) {
      return Error{"its period lacks a breach that its samples show", ""};
    }
    period->stood.emplace();
  }
  store.period = std::move(*period);
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

Result<void> CompareFindings(const Json& record, const Table& table, const evaluate::StoreDecision& store) {
  const Result<const Json::Array*> findings = ArrayField(record, "findings");
  if (!findings) return findings.error();
  if ((*findings)->size() != table.thresholds.size())
    return Error{"its findings are not those of its table", ""};
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const Json& finding = (**findings)[index];
    if (Result<void> same = CompareText(finding, "threshold", table.thresholds[index].id); !same) return same;
    if (Result<void> same = CompareText(finding, "state", decide::StateId(store.findings[index].state));
        !same) {
      return same;
    }
    if (store.findings[index].cause != decide::Cause::kNone) {
      Result<void> same = CompareText(finding, "cause", decide::CauseId(store.findings[index].cause));
      if (!same) return same;
    }
  }
  return {};
}

Result<void> CompareAlso(const Json& record, const std::vector<std::string>& computed) {
  const Result<const Json::Array*> also = ArrayField(record, "also");
  if (!also) return also.error();
  bool same = (*also)->size() == computed.size();
  for (std::size_t index = 0; same && index < computed.size(); ++index) {
    same = (**also)[index].string() != nullptr && *(**also)[index].string() == computed[index];
  }
  if (!same) return Error{"its \"also\" doesn't follow from its inputs", ""};
  return {};
}

}  // namespace

Result<void> VerifyDecision(const Json& record) {
  RecordedTable recorded;
  if (Result<void> read = recorded.Read(record); !read) return read;
  const Table& table = recorded.table();
  const Result<std::int64_t> time_ms = TimeField(record);
  if (!time_ms) return time_ms.error();
  const Result<evaluate::Origin> origin = OriginField(record);
  if (!origin) return origin.error();
  Result<evaluate::StoreSamples> inputs = ReadInputs(record, table);
  if (!inputs) return inputs.error();
  // Over a period the inputs are those of the evaluation at which the verdict first stood.
  const bool stood = record.Find("stood_ms") != nullptr;
  const Result<std::int64_t> inputs_ms = stood ? IntegerField(record, "stood_ms") : time_ms;
  if (!inputs_ms) return inputs_ms.error();
  for (const evaluate::SignalSamples& signal : inputs->signals) {
    if (!signal.samples.empty() && signal.samples.back().time_ms > *inputs_ms) {
      return Error{"it rests on samples of after its time", ""};
    }
  }
  evaluate::StoreDecision store;
  store.samples = std::move(*inputs);
  evaluate::DecideStore(table, *origin, *inputs_ms, store);
  if (record.Find("period") != nullptr) {
    Result<void> concluded = Conclude(record, table, stood, *inputs_ms, store);
    if (!concluded) return concluded;
  } else if (stood) {
    return Error{"it has a \"stood_ms\" without a period", ""};
  }
  if (Result<void> same = CompareText(record, "verdict", decide::VerdictId(table, store.decision)); !same) {
    return same;
  }
  if (Result<void> same = CompareText(record, "line", evaluate::VerdictLine(table, store)); !same)
    return same;
  if (Result<void> same = CompareAlso(record, evaluate::AlsoLines(table, store)); !same) return same;
  return CompareFindings(record, table, store);
}

}  // namespace outgrown::audit
