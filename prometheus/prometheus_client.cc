#include "prometheus/prometheus_client.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <iterator>
#include <list>
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
Result<HttpAnswer> Ask(HttpClient& http, std::int64_t deadline_ms, std::string_view path,
                       const HttpClient::Fields& fields) {
  // One limit for the run rather than one for each query: a period asks thousands of them, and a timer's next
  // run must not find this one still waiting.
  const std::int64_t left_ms = deadline_ms - SteadyMs();
  if (left_ms <= 0) return Error{"not sent: the time for all queries together is over", http.url()};
  // POST, because a long query may exceed the URL length that servers and proxies accept.
  return http.Post(path, fields, left_ms);
}

Result<HttpAnswer> Ask(HttpClient& http, std::int64_t deadline_ms, const Question& question) {
  return Ask(http, deadline_ms, "/api/v1/query",
             {{"query", question.promql}, {"time", ApiTime(question.time_ms)}});
}

Result<Answer> Read(const Result<HttpAnswer>& answered, ResultType expected, const std::string& url) {
  if (!answered) return answered.error();
  // Not any 2xx: 204 has no body, and 206 only part of one.
  if (answered->status != 200)
    return Error{"the server " + ErrorAnswerText(answered->status, answered->body), url};
  Result<Answer> answer = ReadAnswer(answered->body, expected);
  // The reader of answers does not know whom was asked.
  if (!answer) return Error{answer.error().what, url};
  return answer;
}

}  // namespace

// Asks the prepared questions while the caller reads and works on earlier answers: two at once, since the server is others'
// too. The caller reads the answers, since their bytes are smaller than what becomes of them; a fleet's are large all the same,
// so no more is asked while more than a few MB wait.
class PrometheusClient::Ahead {
 public:
  // As many threads as may be started (TasksMax); without one the caller asks everything itself.
  Ahead(const HttpClient& http, std::int64_t deadline_ms) {
    for (std::size_t count = 0; count < kAtOnce; ++count) {
      Result<HttpClient> client = http.Another();
      if (!client) return;
      try {
        threads_.emplace_back(
            [this, deadline_ms, own = std::move(*client)]() mutable { Work(own, deadline_ms); });
      } catch (const std::system_error&) {
        return;
      }
    }
  }
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;
  ~Ahead() {
    {
      const std::scoped_lock lock(mutex_);
      ending_ = true;
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  void Prepare(std::vector<Question> questions) {
    if (threads_.empty()) return;
    {
      const std::scoped_lock lock(mutex_);
      std::ranges::move(questions, std::back_inserter(queue_));
    }
    changed_.notify_all();
  }

  // What was answered, or nothing if the caller has to ask.
  std::optional<Result<HttpAnswer>> Take(const Question& question) {
    std::unique_lock lock(mutex_);
    const auto find = [&] { return std::ranges::find(asked_, question, &Asked::question); };
    if (find() == asked_.end() && (queue_.empty() || queue_.front() != question)) {
      std::erase(queue_, question);
      return std::nullopt;
    }
    wanted_ = question;
    changed_.notify_all();
    changed_.wait(lock, [&] { return find() != asked_.end() && find()->answered; });
    wanted_.reset();
    Result<HttpAnswer> answered = *std::move(find()->answered);
    asked_.erase(find());
    waiting_bytes_ -= BytesOf(answered);
    lock.unlock();
    changed_.notify_all();
    return answered;
  }

 private:
  static constexpr std::size_t kAtOnce = 2;
  static constexpr std::size_t kWaitingBytesMax = 8U << 20U;

  struct Asked {
    Question question;
    std::optional<Result<HttpAnswer>> answered;  // nothing while it is being asked
  };

  static std::size_t BytesOf(const Result<HttpAnswer>& answered) {
    return answered ? answered->body.size() : 0;
  }

  void Work(HttpClient& client, std::int64_t deadline_ms) {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] {
        return ending_ ||
               (!queue_.empty() && (waiting_bytes_ < kWaitingBytesMax || wanted_ == queue_.front()));
      });
      if (ending_) return;
      const auto asked = asked_.insert(asked_.end(), {.question = std::move(queue_.front()), .answered = {}});
      queue_.pop_front();
      const Question question = asked->question;
      lock.unlock();
      Result<HttpAnswer> answered = prometheus_api::Ask(client, deadline_ms, question);
      lock.lock();
      waiting_bytes_ += BytesOf(answered);
      asked->answered = std::move(answered);
      changed_.notify_all();
    }
  }

  std::mutex mutex_;  // guards all but the threads
  std::condition_variable changed_;
  std::deque<Question> queue_;
  std::list<Asked> asked_;          // until its answer is taken; a list, whose elements stay where they are
  std::size_t waiting_bytes_ = 0;   // of answers that are there
  std::optional<Question> wanted_;  // what the caller waits for
  bool ending_ = false;
  std::vector<std::thread> threads_;  // last: they use what is above
};

PrometheusClient::PrometheusClient(HttpClient http, std::int64_t total_ms)
    : http_(std::move(http)), deadline_ms_(SteadyMs() + total_ms) {}
PrometheusClient::PrometheusClient(PrometheusClient&&) noexcept = default;
PrometheusClient& PrometheusClient::operator=(PrometheusClient&&) noexcept = default;
PrometheusClient::~PrometheusClient() = default;

std::int64_t PrometheusClient::LeftMs() const { return deadline_ms_ - SteadyMs(); }

void PrometheusClient::Prepare(std::vector<Question> questions) {
  if (ahead_ == nullptr) ahead_ = std::make_unique<Ahead>(http_, deadline_ms_);
  ahead_->Prepare(std::move(questions));
}

Result<Answer> PrometheusClient::Query(const std::string& promql, std::int64_t time_ms, ResultType expected) {
  const Question question = {promql, time_ms, expected};
  std::optional<Result<HttpAnswer>> answered;
  if (ahead_ != nullptr) answered = ahead_->Take(question);
  if (!answered) answered = Ask(http_, deadline_ms_, question);
  return Read(*answered, expected, http_.url());
}

Result<Answer> PrometheusClient::QueryRange(const std::string& promql, std::int64_t from_ms,
                                            std::int64_t to_ms, std::int64_t step_ms) {
  // VictoriaMetrics moves the start of 50 points and more to a multiple of the step, unless its cache is left out.
  return Read(Ask(http_, deadline_ms_, "/api/v1/query_range",
                  {{"query", promql},
                   {"start", ApiTime(from_ms)},
                   {"end", ApiTime(to_ms)},
                   {"step", ApiTime(step_ms)},
                   {"nocache", "1"}}),
              ResultType::kMatrix, http_.url());
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
