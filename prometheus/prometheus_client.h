// Asking a Prometheus (or what speaks its query API: VictoriaMetrics, Mimir, Thanos) for raw values.
//
// No query here compares: "below the limit", "no such series", NaN and "target dead" would all give the same empty
// answer. What is asked is what was recorded, and it is judged in decision/engine.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "prometheus/http_client.h"
#include "prometheus/prometheus_answer.h"

namespace outgrown::prometheus_api {

// A query of one instant.
struct Question {
  std::string promql;
  std::int64_t time_ms = 0;
  ResultType expected = ResultType::kVector;
  friend bool operator==(const Question&, const Question&) = default;
};

// What measuring asks of; tests put their own in place of a server.
class QuerySource {
 public:
  virtual ~QuerySource() = default;

  // The value of `promql` at `time_ms`. An error if no answer came or it can't be read; a partial one is no error.
  virtual Result<Answer> Query(const std::string& promql, std::int64_t time_ms, ResultType expected) = 0;

  // What will be asked soon, in this order: a source may ask it already, and keeps the answer until Query asks for it.
  // NOLINTNEXTLINE(performance-unnecessary-value-param): those that override it keep them
  virtual void Prepare(std::vector<Question> /*questions*/) {}

  // The value of `promql` at `from_ms` and every `step_ms` after it, up to `to_ms`. The answer's samples carry these
  // instants, not those of the samples they rest on. Precondition: at most kRangePointsMax of them.
  virtual Result<Answer> QueryRange(const std::string& promql, std::int64_t from_ms, std::int64_t to_ms,
                                    std::int64_t step_ms) = 0;

  // When the server's process started; nothing if it doesn't say.
  virtual std::optional<std::int64_t> StartTimeMs() = 0;

  // For reports and records: the server's URL.
  virtual const std::string& name() const = 0;
};

// Prometheus answers no more than 11,000 points a series (web/api/v1, "exceeded maximum resolution").
inline constexpr std::int64_t kRangePointsMax = 10'000;

// Not thread-safe. Prepared questions are asked by two threads of its own, each with its own connection; the caller's thread reads
// the answers.
class PrometheusClient : public QuerySource {
 public:
  // All queries of one run together may take `total_ms`; what is asked later fails at once.
  PrometheusClient(HttpClient http, std::int64_t total_ms);
  PrometheusClient(PrometheusClient&&) noexcept;
  PrometheusClient& operator=(PrometheusClient&&) noexcept;
  ~PrometheusClient() override;  // waits for questions that are being asked

  Result<Answer> Query(const std::string& promql, std::int64_t time_ms, ResultType expected) override;
  Result<Answer> QueryRange(const std::string& promql, std::int64_t from_ms, std::int64_t to_ms,
                            std::int64_t step_ms) override;
  void Prepare(std::vector<Question> questions) override;
  std::optional<std::int64_t> StartTimeMs() override;
  const std::string& name() const override { return http_.url(); }

 private:
  class Ahead;

  std::int64_t LeftMs() const;

  HttpClient http_;
  std::int64_t deadline_ms_;      // of the steady clock
  std::unique_ptr<Ahead> ahead_;  // null until something was prepared
};

// A source that is given up once it has been silent for too long: a long period needs thousands of queries,
// and if no server answers each of them would cost its whole time limit.
class PatientSource : public QuerySource {
 public:
  using Clock = std::function<std::int64_t()>;  // milliseconds of a clock that is never set back

  // `source` must outlive this. It is given up for good when queries without an answer in between took `patience_ms`
  // together: errors that come at once cost nothing, so they don't count for much.
  PatientSource(QuerySource& source, std::int64_t patience_ms, Clock now_ms = SteadyMs)
      : source_(source), patience_ms_(patience_ms), now_ms_(std::move(now_ms)) {}

  Result<Answer> Query(const std::string& promql, std::int64_t time_ms, ResultType expected) override;
  Result<Answer> QueryRange(const std::string& promql, std::int64_t from_ms, std::int64_t to_ms,
                            std::int64_t step_ms) override;
  void Prepare(std::vector<Question> questions) override {
    if (!given_up()) source_.Prepare(std::move(questions));
  }
  std::optional<std::int64_t> StartTimeMs() override { return source_.StartTimeMs(); }
  const std::string& name() const override { return source_.name(); }

  bool given_up() const { return silent_ms_ >= patience_ms_; }

 private:
  static std::int64_t SteadyMs();
  template <typename Asked>
  Result<Answer> Ask(Asked asked);

  QuerySource& source_;
  std::int64_t patience_ms_;
  Clock now_ms_;
  std::int64_t silent_ms_ = 0;
};

}  // namespace outgrown::prometheus_api
