// One store with an hour of history in which something happened, and what is said of it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "decision/evaluation.h"
#include "decision/history/audit.h"
#include "decision/log/decision_log.h"
#include "decision/measure/measure_period.h"
#include "decision/record/record.h"
#include "decision/report/wording.h"
#include "test/common/temporary_folder.h"
#include "test/decision/engine/sample_table.h"
#include "test/decision/memory_source.h"

namespace outgrown::test {

inline constexpr std::int64_t kHourMs = 3'600'000;
inline const std::string kErrorSeries = "checkpoint:write_error_ratio";
inline const std::string kRate = "checkpoint:writes_per_second";

struct Hour {
  MemorySource source;

  Hour() { source.AddHealthyStore("a"); }
  // `value` from `ago` evaluations before E on, for `evaluations` of them.
  void Burst(const std::string& series, double value, int ago, int evaluations) {
    for (auto& sample : source.recorded[series]["a"]) {
      const std::int64_t back = (kMemoryE - sample.time_ms) / kIntervalMs;
      if (back <= ago && back > ago - evaluations) sample.value = value;
    }
  }
  void Remove(const std::string& series, int ago, int evaluations) {
    std::erase_if(source.recorded[series]["a"], [&](const auto& sample) {
      const std::int64_t back = (kMemoryE - sample.time_ms) / kIntervalMs;
      return back <= ago && back > ago - evaluations;
    });
  }
  void RemoveAll(int ago, int evaluations) {
    for (auto& [series, stores] : source.recorded) Remove(series, ago, evaluations);
  }
  decision::Evaluation Decide() {
    decision::Evaluation evaluation = decision::EvaluateMeasured(kSampleTable, source, kMemoryT);
    decision::LookBack(evaluation, source, kMemoryT - kHourMs);
    return evaluation;
  }
};

inline std::string LineOf(const decision::Evaluation& evaluation) {
  return decision::VerdictLine(kSampleTable, evaluation.stores.at(0));
}

// What an audit finds wrong with the evaluation's record; "" if nothing.
inline std::string AuditOf(const decision::Evaluation& evaluation) {
  const TemporaryFolder folder;
  const auto log = folder.path() / "log";
  REQUIRE(decision_log::AppendRecords(
              log, {decision::Recorder(evaluation, "test").Decision(evaluation.stores.at(0))}, 0)
              .ok());
  const history::AuditReport report = history::Audit({log}).value();
  return report.problems.empty() ? "" : report.problems.front();
}

}  // namespace outgrown::test
