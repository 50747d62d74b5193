#include "prometheus/ask.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

using namespace outgrown;
using namespace outgrown::prometheus_api;  // NOLINT(google-build-using-namespace): a test

namespace {

// Gives one answer to everything.
struct AnyAnswer : QuerySource {
  Result<Answer> answer = Answer{};
  std::vector<std::string> asked;

  Result<Answer> Query(const std::string& promql, std::int64_t, ResultType) override {
    asked.push_back(promql);
    return answer;
  }
  Result<Answer> QueryRange(const std::string& promql, std::int64_t from_ms, std::int64_t to_ms,
                            std::int64_t) override {
    asked.push_back(promql + " " + std::to_string(from_ms) + " " + std::to_string(to_ms));
    return answer;
  }
  std::optional<std::int64_t> StartTimeMs() override { return std::nullopt; }
  const std::string& name() const override { return name_; }

 private:
  std::string name_ = "http://server";
};

Answer One(std::string name, std::vector<Sample> samples) {
  Answer answer;
  answer.series.push_back({{{"__name__", std::move(name)}}, std::move(samples)});
  return answer;
}

}  // namespace

TEST_CASE("samples are usable if they are of the series and of the time that was asked about") {
  struct Case {
    Answer answer;
    std::string problem;
  };
  const std::string other = "the answer holds a series that was not asked for";
  const std::string elsewhen = "the answer holds samples of a time that was not asked for";
  const std::vector<Case> cases = {
      {{}, ""},
      {One("up", {{40'000, 1}, {100'000, 1}}), ""},
      {One("up", {{39'999, 1}}), ""},  // the edge is in or out
      {One("up", {{39'998, 1}}), elsewhen},
      {One("up", {{100'001, 1}}), elsewhen},
      {One("down", {{50'000, 1}}), other},
  };
  for (const Case& example : cases) {
    CAPTURE(example.problem);
    AnyAnswer server;
    server.answer = example.answer;
    Notes notes;
    const Reply reply = AskSamples(server, "up{job=\"a\"}", 100'000, 60'000, notes);
    CHECK(server.asked == std::vector<std::string>{"up{job=\"a\"}[1m]"});
    CHECK(notes.answered);
    CHECK(reply.asked.problem == example.problem);
    CHECK(reply.usable() == example.problem.empty());
    CHECK(reply.series.size() == (example.problem.empty() ? example.answer.series.size() : 0));
    CHECK(notes.warnings.size() == (example.problem.empty() ? 0 : 1));
  }
}

TEST_CASE(
    "a partial answer gives what it has, and is not usable; no answer gives nothing; each is noted once") {
  AnyAnswer server;
  Notes notes;
  server.answer = One("up", {{0, 1}});
  server.answer->partial = true;
  server.answer->warnings = {"a store did not answer"};
  for (int time = 0; time < 2; ++time) {
    const Reply partial = AskVector(server, "count(up)", 0, notes);
    CHECK(partial.asked.trust == Trust::kPartial);
    CHECK(partial.series.size() == 1);
  }
  server.answer = Error{"no complete answer within 2 ms", "http://server"};
  const Reply failed = AskVector(server, "sum(up)", 0, notes);
  CHECK(failed.asked.trust == Trust::kFailed);
  CHECK(failed.series.empty());
  CHECK(notes.warnings == std::vector<std::string>{"count(up): a store did not answer",
                                                   "sum(up): no complete answer within 2 ms"});
}

TEST_CASE(
    "many instants are asked for in as many questions as the server's limit needs, up to the first that "
    "fails") {
  AnyAnswer server;
  Notes notes;
  server.answer = One("", {{0, 1}});
  const Reply reply = AskRange(server, "up", 0, 25'000'000, 1000, notes);
  CHECK(server.asked ==
        std::vector<std::string>{"up 0 9999000", "up 10000000 19999000", "up 20000000 25000000"});
  CHECK(reply.series.size() == 3);
  server.asked.clear();
  server.answer = Error{"gone", ""};
  CHECK_FALSE(AskRange(server, "up", 0, 25'000'000, 1000, notes).usable());
  CHECK(server.asked.size() == 1);
}
