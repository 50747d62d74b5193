// One decision as the members of a log record: every input it rests on, so that an audit can decide again.
//
// The samples are the raw ones, as few as give the same findings: a threshold that is not breached at E rests on the
// sample at E alone, a breach on all of its window. docs/schema/decision-record.v2.schema.json describes the format.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "decision/evaluation.h"

namespace outgrown::decision {

// The text of the record's own members, `"kind":"decision",...`, without the chain's (decision/log/decision_log.h).
// `version`: rulegen's. The evaluation must outlive this.
class Recorder {
 public:
  Recorder(const Evaluation& evaluation, std::string_view version);
  std::string Decision(const StoreDecision& store) const;
  // Of a run that found no store to decide about: why, and what was asked. "kind":"attempt".
  std::string Attempt() const;

 private:
  const Evaluation& evaluation_;
  std::string version_;
  // What is the same in each record, most of it.
  std::string begin_;
  std::vector<std::string> signals_;  // by index of Table::signals
  std::string end_;
};

}  // namespace outgrown::decision
