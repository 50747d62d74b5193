// libFuzzer target: no body that a server may send crashes the readers of JSON, and what they accept keeps their promises.
#include <algorithm>
#include <cmath>
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

// The fast reader of the usual form gives what the other one does, error and all.
void CheckEqual(const Result<Answer>& fast, const Result<Answer>& slow) {
  OUTGROWN_CHECK(fast.ok() == slow.ok());
  if (!fast) {
    OUTGROWN_CHECK(fast.error().Text() == slow.error().Text());
    return;
  }
  OUTGROWN_CHECK(fast->partial == slow->partial && fast->warnings == slow->warnings);
  const auto equal_samples = [](const Sample& a, const Sample& b) {
    return a.time_ms == b.time_ms && (a.value == b.value || (std::isnan(a.value) && std::isnan(b.value)));
  };
  OUTGROWN_CHECK(std::ranges::equal(fast->series, slow->series, [&](const Series& a, const Series& b) {
    return a.labels == b.labels && std::ranges::equal(a.samples, b.samples, equal_samples);
  }));
}

// Whether the body is an answer of that type.
bool CheckAnswer(std::string_view body, ResultType type) {
  const Result<Answer> answer = prometheus_api::ReadAnswer(body, type);
  CheckEqual(answer, prometheus_api::ReadAnyAnswer(body, type));
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
