// How far behind the clock the rules' samples are: Prometheus stamps a sample with the time of its evaluation, less a
// query_offset; vmalert with a multiple of the interval, less its evalDelay (30 s by default).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "prometheus/prometheus_client.h"
#include "prometheus/rule_server.h"

namespace outgrown::prometheus_api {

struct RuleTiming {
  // How much earlier than its evaluation a sample is stamped, in milliseconds. A decision about the instant that much
  // before now finds what one without a delay would find now.
  std::int64_t behind_ms = 0;
  // Alerts are judged from samples of earlier evaluations than the one that they are stamped with: vmalert sends what it
  // records to another server, and asks that one at once.
  bool alerts_lag = false;
};

// The group that records one of the series, in the answer of /api/v1/rules.
struct RecordingGroup {
  std::int64_t last_evaluation_ms = 0;  // of the server's clock
  bool vmalert = false;
};
// Nothing if the list has no such group, or it was not evaluated yet. An error if it is no list of rules.
Result<std::optional<RecordingGroup>> FindRecordingGroup(std::string_view rules_body,
                                                         std::span<const std::string_view> recorded);

// From the newest sample of the recorded series, of all stores, and what `rules` says of their last evaluation. Where it
// lists other rules only, the series are recorded elsewhere, as by vmalert: its defaults are the most that is
// allowed for then. Where it lists no rules at all, the server is taken for a Prometheus without an offset.
// Without `now_ms`, for a given instant, behind_ms is 0 and no series is asked for.
RuleTiming FindRuleTiming(RuleServer& rules, QuerySource& series, std::span<const std::string_view> recorded,
                          std::int64_t interval_ms, std::optional<std::int64_t> now_ms);

}  // namespace outgrown::prometheus_api
