// A Prometheus in memory: the sample table's recorded series, alerts and presence, answered as the real one would.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/time_text.h"
#include "prometheus/prometheus_client.h"
#include "test/decision/engine/sample_table.h"

namespace outgrown::test {

inline constexpr std::int64_t kMemoryE = 1'790'000'010'000;
inline constexpr std::int64_t kMemoryT = kMemoryE + 7'000;

class MemorySource : public prometheus_api::QuerySource {
 public:
  using Samples = std::vector<Sample>;

  // A store with every signal healthy for two hours up to kMemoryE, covered and present.
  void AddHealthyStore(const std::string& database) {
    const std::array<double, 5> values = {0.001, 20, 1, 1073741824, 0.02};
    for (std::size_t signal = 0; signal < values.size(); ++signal) {
      SetValue(database, std::string(kSampleSignals[signal].series), values[signal], 241);
    }
    SetValue(database, std::string(kSampleTable.coverage_series), 1, 241);
    present[database] = kMemoryE;
  }

  // `value` at the newest `evaluations`; what was before stays.
  void SetValue(const std::string& database, const std::string& series, double value, int evaluations) {
    Samples& samples = recorded[series][database];
    const std::int64_t first_ms = kMemoryE - (evaluations - 1) * kIntervalMs;
    while (!samples.empty() && samples.back().time_ms >= first_ms) samples.pop_back();
    for (int back = evaluations - 1; back >= 0; --back)
      samples.push_back({kMemoryE - back * kIntervalMs, value});
  }

  Result<prometheus_api::Answer> Query(const std::string& promql, std::int64_t time_ms,
                                       prometheus_api::ResultType expected) override {
    asked.push_back(promql);
    if (failing.contains(promql)) return Error{failing[promql], "memory"};
    prometheus_api::Answer answer;
    const auto given = std::ranges::find_if(
        values, [&](const auto& one) { return promql.find(one.first) != std::string::npos; });
    if (given != values.end()) {
      for (const auto& [database, value] : given->second)
        answer.series.push_back({Labels(database, "x"), {{time_ms, value}}});
    } else if (promql == kSampleReasons) {
      AnswerReasons(time_ms, answer);
    } else if (promql.find(kSampleSplit) != std::string::npos) {
      for (const auto& [key, value] : split) {
        prometheus_api::Labels labels = Labels(key.first, std::string(kSampleSplit));
        labels.emplace_back("reason", key.second);
        answer.series.push_back({std::move(labels), {{time_ms, value}}});
      }
    } else if (expected == prometheus_api::ResultType::kVector) {
      AnswerPresence(promql, time_ms, answer);
    } else {
      AnswerSamples(promql, time_ms, answer);
    }
    if (changing.contains(promql)) changing[promql](answer);
    return answer;
  }

  Result<prometheus_api::Answer> QueryRange(const std::string&, std::int64_t, std::int64_t,
                                            std::int64_t) override {
    return Error{"no range is asked for here", "memory"};
  }
  std::optional<std::int64_t> StartTimeMs() override { return start_ms; }
  const std::string& name() const override { return name_; }

  std::map<std::string, std::map<std::string, Samples>> recorded;  // series, store
  std::map<std::string, std::int64_t> present;                     // store, last seen
  std::map<std::string, std::int64_t> began;        // store, first seen; before everything if not here
  std::multimap<std::string, std::string> reasons;  // store, why its coverage is what it is
  std::map<std::pair<std::string, std::string>, double> split;        // store and reason, rate
  std::map<std::pair<std::string, std::string>, std::string> alerts;  // store and alert, state
  std::vector<std::int64_t> alerts_back_ms = {kIntervalMs,
                                              0};  // when, before kMemoryE, the alerts are in their state
  std::map<std::string, std::map<std::string, double>> values;  // part of a query; store, what it answers
  std::map<std::string, std::string> failing;                   // query, why
  std::map<std::string, std::function<void(prometheus_api::Answer&)>>
      changing;  // query, what is wrong with it
  std::optional<std::int64_t> start_ms;
  std::vector<std::string> asked;

 private:
  void AnswerSamples(const std::string& promql, std::int64_t time_ms, prometheus_api::Answer& answer) {
    const std::string name = promql.substr(0, promql.find_first_of("[{"));
    const std::string range = promql.substr(promql.rfind('[') + 1);
    const std::int64_t range_ms = ParseDuration(range.substr(0, range.size() - 1))->count();
    for (const auto& [database, samples] : recorded[name]) {
      prometheus_api::Series series;
      series.labels = Labels(database, name);
      for (const Sample& sample : samples) {
        if (sample.time_ms <= time_ms && sample.time_ms >= time_ms - range_ms)
          series.samples.push_back(sample);
      }
      if (!series.samples.empty()) answer.series.push_back(std::move(series));
    }
    if (name == "ALERTS") {
      for (const auto& [key, state] : alerts) {
        prometheus_api::Series series;
        series.labels = {{"__name__", "ALERTS"},  {"alertname", key.second},  {"alertstate", state},
                         {"database", key.first}, {"instance", "app-1:9108"}, {"job", "app"}};
        for (const std::int64_t back_ms : alerts_back_ms) series.samples.push_back({kMemoryE - back_ms, 1});
        if (!series.samples.empty()) answer.series.push_back(std::move(series));
      }
    }
  }

  void AnswerReasons(std::int64_t time_ms, prometheus_api::Answer& answer) const {
    for (const auto& [database, reason] : reasons) {
      prometheus_api::Labels labels = Labels(database, std::string(kSampleReasons));
      labels.emplace_back("reason", reason);
      answer.series.push_back({std::move(labels), {{time_ms, 1}}});
    }
  }

  static prometheus_api::Labels Labels(const std::string& database, const std::string& name) {
    return {{"__name__", name}, {"database", database}, {"instance", "app-1:9108"}, {"job", "app"}};
  }

  // The duration between `begin` and one of the characters `ends`; 0 if there is none.
  static std::int64_t DurationAfter(const std::string& promql, std::string_view begin,
                                    std::string_view ends) {
    const std::size_t at = promql.find(begin);
    if (at == std::string::npos) return 0;
    const std::size_t start = at + begin.size();
    return ParseDuration(promql.substr(start, promql.find_first_of(ends, start) - start))->count();
  }

  void AnswerPresence(const std::string& promql, std::int64_t time_ms, prometheus_api::Answer& answer) const {
    // `present`, `present[range]` or `present[range:1m] offset back`; an instant shows what is up to five minutes old.
    const std::int64_t to_ms = time_ms - DurationAfter(promql, " offset ", ")");
    const std::int64_t from_ms = to_ms - std::max<std::int64_t>(300'000, DurationAfter(promql, "[", ":]"));
    for (const auto& [database, last_ms] : present) {
      const auto first = began.find(database);
      const std::int64_t first_ms = first == began.end() ? from_ms : first->second;
      if (last_ms < from_ms || first_ms > to_ms) continue;
      const double value = promql.starts_with("max") ? static_cast<double>(std::min(last_ms, to_ms)) / 1000
                           : promql.starts_with("min")
                               ? static_cast<double>(std::max(first_ms, from_ms)) / 1000
                               : 1;
      answer.series.push_back({Labels(database, "x"), {{time_ms, value}}});
      answer.series.back().labels.erase(answer.series.back().labels.begin());
    }
  }

  std::string name_ = "memory";
};

}  // namespace outgrown::test
