#include "prometheus/prometheus_client.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <mutex>
#include <system_error>
#include <thread>
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

// Asks for what the path and the fields say, by the deadline of the steady clock.
Result<Answer> AskBy(HttpClient& http, std::int64_t deadline_ms, std::string_view path,
                     const HttpClient::Fields& fields, ResultType expected) {
  // One limit for the run rather than one for each query: a period asks thousands of them, and a timer's next
  // run must not find this one still waiting.
  const std::int64_t left_ms = deadline_ms - SteadyMs();
  if (left_ms <= 0) return Error{"not sent: the time for all queries together is over", http.url()};
  // POST, because a long query may exceed the URL length that servers and proxies accept.
  const Result<HttpAnswer> answered = http.Post(path, fields, left_ms);
  if (!answered) return answered.error();
  // Not any 2xx: 204 has no body, and 206 only part of one.
  if (answered->status != 200)
    return Error{"the server " + ErrorAnswerText(answered->status, answered->body), http.url()};
  Result<Answer> answer = ReadAnswer(answered->body, expected);
  // The reader of answers does not know whom was asked.
  if (!answer) return Error{answer.error().what, http.url()};
  return answer;
}

Result<Answer> AskBy(HttpClient& http, std::int64_t deadline_ms, const Question& question) {
  return AskBy(http, deadline_ms, "/api/v1/query",
               {{"query", question.promql}, {"time", ApiTime(question.time_ms)}}, question.expected);
}

}  // namespace

// Asks the next prepared question while the caller is at work on an earlier answer, or waits for one itself. No more than
// one: the server is others' too, and a fleet's answers are large.
class PrometheusClient::Ahead {
 public:
  // std::system_error if no thread may be started (TasksMax).
  Ahead(HttpClient client, std::int64_t deadline_ms)
      : client_(std::move(client)), thread_([this, deadline_ms] { Work(deadline_ms); }) {}
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  ~Ahead() {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

  void Prepare(std::vector<Question> questions) {
    {
      const std::scoped_lock lock(mutex_);
      std::ranges::move(questions, std::back_inserter(queue_));
    }
    changed_.notify_all();
  }

  // The answer, or nothing if the caller has to ask.
  std::optional<Result<Answer>> Take(const Question& question) {
    std::unique_lock lock(mutex_);
    std::erase(queue_, question);
    if (asked_ != question) return std::nullopt;
    changed_.wait(lock, [&] { return answer_.has_value(); });
    asked_.reset();
    std::optional<Result<Answer>> answer = std::exchange(answer_, std::nullopt);
    lock.unlock();
    changed_.notify_all();
    return answer;
  }

 private:
  void Work(std::int64_t deadline_ms) {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return ending_ || (!queue_.empty() && !asked_); });
      if (ending_) return;
      const Question question = queue_.front();
      queue_.pop_front();
      asked_ = question;
      lock.unlock();
      Result<Answer> answer = AskBy(client_, deadline_ms, question);
      lock.lock();
      answer_ = std::move(answer);
      changed_.notify_all();
    }
  }

  std::mutex mutex_;  // guards all but the client, which belongs to the thread
  std::condition_variable changed_;
  std::deque<Question> queue_;
  std::optional<Question> asked_;         // until its answer is taken
  std::optional<Result<Answer>> answer_;  // nothing while it is being asked
  bool ending_ = false;
  HttpClient client_;
  std::thread thread_;  // last: it uses what is above
};

PrometheusClient::PrometheusClient(HttpClient http, std::int64_t total_ms)
    : http_(std::move(http)), deadline_ms_(SteadyMs() + total_ms) {}
PrometheusClient::PrometheusClient(PrometheusClient&&) noexcept = default;
PrometheusClient& PrometheusClient::operator=(PrometheusClient&&) noexcept = default;
PrometheusClient::~PrometheusClient() = default;

std::int64_t PrometheusClient::LeftMs() const { return deadline_ms_ - SteadyMs(); }

void PrometheusClient::Prepare(std::vector<Question> questions) {
  if (ahead_ == nullptr) {
    Result<HttpClient> client = http_.Another();
    if (!client) return;  // each is asked when its turn comes
    try {
      ahead_ = std::make_unique<Ahead>(std::move(*client), deadline_ms_);
    } catch (const std::system_error&) {
      return;
    }
  }
  ahead_->Prepare(std::move(questions));
}

Result<Answer> PrometheusClient::Query(const std::string& promql, std::int64_t time_ms, ResultType expected) {
  const Question question = {promql, time_ms, expected};
  if (ahead_ != nullptr) {
    if (std::optional<Result<Answer>> answer = ahead_->Take(question)) return std::move(*answer);
  }
  return AskBy(http_, deadline_ms_, question);
}

Result<Answer> PrometheusClient::QueryRange(const std::string& promql, std::int64_t from_ms,
                                            std::int64_t to_ms, std::int64_t step_ms) {
  // VictoriaMetrics moves the start of 50 points and more to a multiple of the step, unless its cache is left out.
  return AskBy(http_, deadline_ms_, "/api/v1/query_range",
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
