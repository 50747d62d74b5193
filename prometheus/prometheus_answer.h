// What Prometheus' query API answered, from its JSON, strictly: whatever doesn't fit the API's contract is an error,
// since a wrong reading would become a wrong verdict.
// Source of the format: https://prometheus.io/docs/prometheus/latest/querying/api/.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "common/sample.h"

namespace outgrown::prometheus_api {

using Labels = std::vector<std::pair<std::string, std::string>>;  // sorted by name, names unique

// The value of a label; "" if there is none, as PromQL takes it.
std::string_view LabelValue(const Labels& labels, std::string_view name);

struct Series {
  Labels labels;
  std::vector<Sample> samples;  // strictly ascending in time; exactly one for a vector
};

enum class ResultType { kVector, kMatrix };

struct Answer {
  std::vector<Series> series;
  // The server's own reservations. `partial` if it says that data may be missing (warnings, isPartial); the "infos" of
  // Prometheus 3 are not that.
  std::vector<std::string> warnings;
  bool partial = false;
};

// Reads the body of a 200 answer.
Result<Answer> ReadAnswer(std::string_view body, ResultType expected);

// The same without the fast reader of the usual form (plain_answer.cc): slower, and never with another result.
Result<Answer> ReadAnyAnswer(std::string_view body, ResultType expected);

// The "errorType: error" of an error answer's body; "" if it is not one of Prometheus'.
std::string ReadErrorAnswer(std::string_view body);

// "answered 503", with that text behind it.
std::string ErrorAnswerText(long status, std::string_view body);

}  // namespace outgrown::prometheus_api
