// libFuzzer target: no body that a server may send crashes the readers of JSON, and what they accept keeps their promises.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

#include "common/check.h"
#include "common/json.h"
#include "common/result.h"
#include "prometheus/prometheus_answer.h"

namespace {

using namespace outgrown;
using prometheus_api::Answer;
using prometheus_api::ResultType;
using prometheus_api::Series;

void CheckSeries(const Series& series, ResultType type) {
  OUTGROWN_CHECK(std::ranges::adjacent_find(series.labels, std::greater_equal<>(),
                                            &prometheus_api::Labels::value_type::first) ==
                 series.labels.end());
  OUTGROWN_CHECK(std::ranges::adjacent_find(series.samples, std::greater_equal<>(), &Sample::time_ms) ==
                 series.samples.end());
  OUTGROWN_CHECK(type == ResultType::kMatrix || series.samples.size() == 1);
}

// Whether the body is an answer of that type.
bool CheckAnswer(std::string_view body, ResultType type) {
  const Result<Answer> answer = prometheus_api::ReadAnswer(body, type);
  if (!answer) {
    OUTGROWN_CHECK(!answer.error().Text().empty());
    return false;
  }
  for (const Series& series : answer->series) CheckSeries(series, type);
  OUTGROWN_CHECK(answer->warnings.empty() || answer->partial);
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const bool vector = CheckAnswer(text, ResultType::kVector);
  const bool matrix = CheckAnswer(text, ResultType::kMatrix);
  OUTGROWN_CHECK(!vector || !matrix);
  const Result<Json> tree = ParseJson(text);
  OUTGROWN_CHECK(tree.ok() || !tree.error().Text().empty());
  if (!prometheus_api::ReadErrorAnswer(text).empty()) OUTGROWN_CHECK(!vector && !matrix);
  return 0;
}
