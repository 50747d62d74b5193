// What the list of loaded rules says of a recorded series: whether its rules contradict each other, and how far behind the
// clock its samples are. Prometheus stamps a sample with the time of its evaluation, less a query_offset; vmalert with a
// multiple of the interval, less its evalDelay (30 s by default).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "prometheus/prometheus_client.h"

namespace outgrown::prometheus_api {

// A recorded series that rules with different expressions record, and where they are.
struct RulesDiffer {
  std::string series;
  std::vector<std::string> files;  // as far as the server says
};

// The group that records one of the series; of several the one evaluated last.
struct RecordingGroup {
  std::int64_t last_evaluation_ms = 0;  // of the server's clock
  bool vmalert = false;
  bool healthy = true;  // the rule's last evaluation didn't fail
};

struct RecordingRules {
  std::optional<RecordingGroup> group;  // nothing: none is listed, or it was not evaluated yet
  // Those with several rules of the same labels: one of them may be an older version's, whose samples nothing distinguishes
  // from the others.
  std::vector<RulesDiffer> differ;
};
// From the answer of /api/v1/rules. An error if it is no list of rules. What of a rule can't be read is passed over, unlike in
// rulegen --verify: a decision needs no more of it than is there.
Result<RecordingRules> ReadRecordingRules(std::string_view rules_body,
                                          std::span<const std::string_view> recorded);

struct RuleFindings {
  // How much earlier than its evaluation a sample is stamped, in milliseconds. A decision about the instant that much
  // before now finds what one without a delay would find now.
  std::int64_t behind_ms = 0;
  // Alerts are judged from samples of earlier evaluations than the one that they are stamped with: vmalert sends what it
  // records to another server, and asks that one at once.
  bool alerts_lag = false;
  std::vector<RulesDiffer> differ{};
};
// From the newest sample of the recorded series, of all stores, and what the rules' server says of their last evaluation
// (`rules_body`). Where it lists none of these rules, the series are recorded elsewhere, as by vmalert, whose defaults are
// the most that is allowed for. What is no list of rules, or rules that fail, allow nothing: series that have stopped must
// not read as late ones. Without `now_ms`, for a given instant, behind_ms is 0 and no series is asked for.
RuleFindings JudgeRules(std::string_view rules_body, QuerySource& series,
                        std::span<const std::string_view> recorded, std::int64_t interval_ms,
                        std::optional<std::int64_t> now_ms);

}  // namespace outgrown::prometheus_api
