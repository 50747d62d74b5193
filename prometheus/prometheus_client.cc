#include "prometheus/prometheus_client.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "common/json.h"
#include "common/time_text.h"

namespace outgrown::prometheus_api {
namespace {

// Not the wall clock: a step of it would end the run's time at once, or never.
std::int64_t SteadyMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

// Milliseconds as the API takes instants: seconds with three decimals, exactly. Before 1970 there is nothing.
std::string ApiTime(std::int64_t time_ms) {
  const std::int64_t from_epoch_ms = std::max<std::int64_t>(time_ms, 0);
  return fmt::format("{}.{:03}", from_epoch_ms / 1000, from_epoch_ms % 1000);
}

}  // namespace

PrometheusClient::PrometheusClient(HttpClient http, std::int64_t total_ms)
    : http_(std::move(http)), deadline_ms_(SteadyMs() + total_ms) {}

std::int64_t PrometheusClient::LeftMs() const { return deadline_ms_ - SteadyMs(); }

Result<Answer> PrometheusClient::Ask(std::string_view path, const HttpClient::Fields& fields,
                                     ResultType expected) {
  // One limit for the run rather than one for each query: a period asks thousands of them, and a timer's next
  // run must not find this one still waiting.
  if (LeftMs() <= 0) return Error{"not sent: the time for all queries together is over", http_.url()};
  // POST, because a long query may exceed the URL length that servers and proxies accept.
  const Result<HttpAnswer> http = http_.Post(path, fields, LeftMs());
  if (!http) return http.error();
  // Not any 2xx: 204 has no body, and 206 only part of one.
  if (http->status != 200)
    return Error{"the server " + ErrorAnswerText(http->status, http->body), http_.url()};
  Result<Answer> answer = ReadAnswer(http->body, expected);
  // The reader of answers does not know whom was asked.
  if (!answer) return Error{answer.error().what, http_.url()};
  return answer;
}

Result<Answer> PrometheusClient::Query(const std::string& promql, std::int64_t time_ms, ResultType expected) {
  return Ask("/api/v1/query", {{"query", promql}, {"time", ApiTime(time_ms)}}, expected);
}

Result<Answer> PrometheusClient::QueryRange(const std::string& promql, std::int64_t from_ms,
                                            std::int64_t to_ms, std::int64_t step_ms) {
  // VictoriaMetrics moves the start of 50 points and more to a multiple of the step, unless its cache is left out.
  return Ask("/api/v1/query_range",
             {{"query", promql},
              {"start", ApiTime(from_ms)},
              {"end", ApiTime(to_ms)},
              {"step", ApiTime(step_ms)},
              {"nocache", "1"}},
             ResultType::kMatrix);
}

std::optional<std::int64_t> PrometheusClient::StartTimeMs() {
  if (LeftMs() <= 0) return std::nullopt;
  // Not every server of the query API has this; the caller goes on without the time then.
  const Result<HttpAnswer> http = http_.Get("/api/v1/status/runtimeinfo", LeftMs());
  if (!http || http->status != 200) return std::nullopt;
  const Result<Json> document = ParseJson(http->body);
  if (!document) return std::nullopt;
  const Json* status = document->Find("status");
  if (status == nullptr || status->string() == nullptr || *status->string() != "success") return std::nullopt;
  const Json* data = document->Find("data");
  const Json* start = data == nullptr ? nullptr : data->Find("startTime");
  if (start == nullptr || start->string() == nullptr) return std::nullopt;
  return ParseTime(*start->string());
}

std::int64_t PatientSource::SteadyMs() { return prometheus_api::SteadyMs(); }

template <typename Asked>
Result<Answer> PatientSource::Ask(Asked asked) {
  if (given_up()) return Error{"not sent, because the server had not answered for too long", name()};
  const std::int64_t start_ms = now_ms_();
  Result<Answer> answer = asked();
  // Time, not failures, is counted: a query that the server refuses at once says nothing about the next one.
  silent_ms_ = answer ? 0 : silent_ms_ + now_ms_() - start_ms;
  return answer;
}

Result<Answer> PatientSource::Query(const std::string& promql, std::int64_t time_ms, ResultType expected) {
  return Ask([&] { return source_.Query(promql, time_ms, expected); });
}

Result<Answer> PatientSource::QueryRange(const std::string& promql, std::int64_t from_ms, std::int64_t to_ms,
                                         std::int64_t step_ms) {
  return Ask([&] { return source_.QueryRange(promql, from_ms, to_ms, step_ms); });
}

}  // namespace outgrown::prometheus_api
