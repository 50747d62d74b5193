#include "prometheus/ask.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "common/time_text.h"

namespace outgrown::prometheus_api {
namespace {

// The operator reads the problem on standard error, the log keeps it with the question: one call sets both,
// so that no doubt goes unnoticed.
void Doubt(Asked& asked, Trust trust, std::string problem, Notes& notes) {
  notes.Warn(fmt::format("{}: {}", asked.promql, problem));
  asked.trust = trust;
  asked.problem = std::move(problem);
}

Reply Judge(std::string promql, Result<Answer> answer, Notes& notes) {
  Reply reply;
  reply.asked.promql = std::move(promql);
  if (!answer) {
    Doubt(reply.asked, Trust::kFailed, answer.error().what, notes);
    return reply;
  }
  // Also by a partial answer: whether the server can be reached at all decides the exit status, not whether
  // its data are whole.
  notes.answered = true;
  reply.series = std::move(answer->series);
  if (answer->partial) {
    Doubt(reply.asked, Trust::kPartial,
          answer->warnings.empty() ? "the answer is partial"
                                   : fmt::format("{}", fmt::join(answer->warnings, "; ")),
          notes);
  }
  return reply;
}

// Why an answer is not one to `selector[range]` at `time_ms`; "" if it is.
std::string Misfit(const std::vector<Series>& all, std::string_view selector, std::int64_t time_ms,
                   std::int64_t range_ms) {
  // A proxy or a cache that answers another question gives well-formed JSON all the same; only names and
  // times show it.
  const std::string_view name = selector.substr(0, selector.find('{'));
  for (const Series& series : all) {
    if (LabelValue(series.labels, "__name__") != name)
      return "the answer holds a series that was not asked for";
    // Prometheus 2 includes the range's left edge and 3 does not; the millisecond accepts both.
    if (series.samples.front().time_ms < time_ms - range_ms - 1 || series.samples.back().time_ms > time_ms) {
      return "the answer holds samples of a time that was not asked for";
    }
  }
  return "";
}

}  // namespace

void Notes::Warn(std::string warning) {
  // Linear, since a run has few distinct warnings; a long period repeats the same one for thousands of
  // questions.
  if (std::ranges::find(warnings, warning) == warnings.end()) warnings.push_back(std::move(warning));
}

Reply AskVector(QuerySource& source, const std::string& promql, std::int64_t time_ms, Notes& notes) {
  return Judge(promql, source.Query(promql, time_ms, ResultType::kVector), notes);
}

Question SamplesQuestion(std::string_view selector, std::int64_t time_ms, std::int64_t range_ms) {
  return {fmt::format("{}[{}]", selector, FormatDuration(Milliseconds(range_ms))), time_ms,
          ResultType::kMatrix};
}

Reply AskSamples(QuerySource& source, std::string_view selector, std::int64_t time_ms, std::int64_t range_ms,
                 Notes& notes) {
  Question asked = SamplesQuestion(selector, time_ms, range_ms);
  Result<Answer> answer = source.Query(asked.promql, time_ms, asked.expected);
  Reply reply = Judge(std::move(asked.promql), std::move(answer), notes);
  if (std::string misfit = Misfit(reply.series, selector, time_ms, range_ms); !misfit.empty()) {
    // Nothing of a misfitting answer is used: if one series is wrong, the rest may be another question's as
    // well.
    reply.series.clear();
    Doubt(reply.asked, Trust::kFailed, std::move(misfit), notes);
  }
  return reply;
}

Reply AskRange(QuerySource& source, const std::string& promql, std::int64_t from_ms, std::int64_t to_ms,
               std::int64_t step_ms, Notes& notes) {
  Reply whole;
  whole.asked.promql = promql;
  while (from_ms <= to_ms) {
    // Prometheus refuses a range query of more than 11,000 points a series.
    // Each part begins one step behind the end of the part before, so that no instant is asked twice and none
    // is left out.
    const std::int64_t until_ms = std::min(to_ms, from_ms + (kRangePointsMax - 1) * step_ms);
    Reply part = Judge(promql, source.QueryRange(promql, from_ms, until_ms, step_ms), notes);
    std::ranges::move(part.series, std::back_inserter(whole.series));
    if (!part.usable()) {  // a later part could not make the whole complete again
      whole.asked = std::move(part.asked);
      break;
    }
    from_ms = until_ms + step_ms;
  }
  return whole;
}

}  // namespace outgrown::prometheus_api
