#include "decision/history/patient_source.h"

#include <chrono>

namespace outgrown::backtest {

using prometheus_api::Answer;

std::int64_t SteadyMs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

template <typename Asked>
Result<Answer> PatientSource::Ask(Asked asked) {
  if (given_up()) return Error{"not asked any more, as the server had not answered for too long", name()};
  const std::int64_t start_ms = now_ms_();
  Result<Answer> answer = asked();
  silent_ms_ = answer ? 0 : silent_ms_ + now_ms_() - start_ms;
  return answer;
}

Result<Answer> PatientSource::Query(const std::string& promql, std::int64_t time_ms,
                                    prometheus_api::ResultType expected) {
  return Ask([&] { return source_.Query(promql, time_ms, expected); });
}

Result<Answer> PatientSource::QueryRange(const std::string& promql, std::int64_t from_ms, std::int64_t to_ms,
                                         std::int64_t step_ms) {
  return Ask([&] { return source_.QueryRange(promql, from_ms, to_ms, step_ms); });
}

}  // namespace outgrown::backtest
