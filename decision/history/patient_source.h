// A backtest's server, given up once it has been silent for too long: a long period needs thousands of queries, and where
// nobody answers each of them would cost its whole time limit.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "prometheus/prometheus_client.h"

namespace outgrown::backtest {

// Milliseconds of a clock that is never set back.
using Clock = std::function<std::int64_t()>;
std::int64_t SteadyMs();

class PatientSource : public prometheus_api::RangeSource {
 public:
  // `source` must outlive this. It is given up for good when queries without an answer in between took `patience_ms`
  // together: errors that come at once cost nothing, so they don't count for much.
  PatientSource(prometheus_api::RangeSource& source, std::int64_t patience_ms, Clock now_ms = SteadyMs)
      : source_(source), patience_ms_(patience_ms), now_ms_(std::move(now_ms)) {}

  Result<prometheus_api::Answer> Query(const std::string& promql, std::int64_t time_ms,
                                       prometheus_api::ResultType expected) override;
  Result<prometheus_api::Answer> QueryRange(const std::string& promql, std::int64_t from_ms,
                                            std::int64_t to_ms, std::int64_t step_ms) override;
  std::optional<std::int64_t> StartTimeMs() override { return source_.StartTimeMs(); }
  const std::string& name() const override { return source_.name(); }

  bool given_up() const { return silent_ms_ >= patience_ms_; }

 private:
  template <typename Asked>
  Result<prometheus_api::Answer> Ask(Asked asked);

  prometheus_api::RangeSource& source_;
  std::int64_t patience_ms_;
  Clock now_ms_;
  std::int64_t silent_ms_ = 0;
};

}  // namespace outgrown::backtest
