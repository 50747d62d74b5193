#include "prometheus/rule_timing.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

using namespace outgrown;  // NOLINT(google-build-using-namespace): a test
using prometheus_api::ReadRecordingRules;

namespace {

constexpr std::array<std::string_view, 2> kRecorded = {"store:size", "store:errors"};

std::string Listed(const std::string& rules) {
  return R"({"status":"success","data":{"groups":[{"name":"mine","rules":[{"name":"other:x","type":"recording",)"
         R"("lastEvaluation":"2026-11-28T09:00:00Z"}]},{"name":"outgrown-store","interval":30,"rules":[)" +
         rules + "]}]}}";
}

}  // namespace

TEST_CASE("the list of rules says when the group of the recorded series was evaluated, and by which server") {
  const auto prometheus = ReadRecordingRules(
      Listed(R"({"name":"store:errors","type":"recording","lastEvaluation":"2026-11-28T10:00:00.25+01:00"})"),
      kRecorded);
  REQUIRE(prometheus.ok());
  REQUIRE(prometheus->group.has_value());
  CHECK(prometheus->group->last_evaluation_ms == 1'795'856'400'250);
  CHECK_FALSE(prometheus->group->vmalert);

  const auto vmalert = ReadRecordingRules(
      Listed(
          R"({"name":"store:size","lastEvaluation":"2026-11-28T09:00:00Z","datasourceType":"prometheus"})"),
      kRecorded);
  REQUIRE(vmalert.ok());
  REQUIRE(vmalert->group.has_value());
  CHECK(vmalert->group->vmalert);
}

TEST_CASE("a list without these rules, or before their first evaluation, names no group") {
  for (const std::string& body :
       {Listed(""), Listed(R"({"name":"store:other","lastEvaluation":"2026-11-28T09:00:00Z"})"),
        Listed(R"({"name":"store:size","lastEvaluation":"0001-01-01T00:00:00Z"})"),
        Listed(R"({"name":"store:size","lastEvaluation":7})"), Listed("7"),
        std::string(R"({"data":{"groups":[]}})"), std::string(R"({"data":{"groups":null}})"),
        std::string(R"({"data":{"groups":[{"name":"x","rules":null}]}})")}) {
    CAPTURE(body);
    const auto found = ReadRecordingRules(body, kRecorded);
    REQUIRE(found.ok());
    CHECK_FALSE(found->group.has_value());
  }
}

TEST_CASE("rules of the same series and labels differ if their expressions do") {
  const auto rule = [](const std::string& name, const std::string& query, const std::string& cluster) {
    return R"({"name":")" + name + R"(","query":")" + query + R"(","labels":{"cluster":")" + cluster +
           R"("}})";
  };
  const std::string first = rule("store:size", "max(a)", "eu");
  const auto differ = [&](const std::string& second) {
    return ReadRecordingRules(R"({"data":{"groups":[{"file":"a.yml","rules":[)" + first +
                                  R"(]},{"file":"b.yml","rules":[)" + second + "]}]}}",
                              kRecorded)
        ->differ;
  };
  const auto found = differ(rule("store:size", "max(b)", "eu"));
  REQUIRE(found.size() == 1);
  CHECK(found[0].series == "store:size");
  CHECK(found[0].files == std::vector<std::string>{"a.yml", "b.yml"});
  CHECK(differ(first).empty());                                // both of a pair
  CHECK(differ(rule("store:size", "max(b)", "us")).empty());   // another ruler's
  CHECK(differ(rule("store:other", "max(b)", "eu")).empty());  // none that was asked for
  CHECK(differ(R"({"name":"store:size"})").empty());           // no expression
}

TEST_CASE("what is no list of rules is an error") {
  for (const std::string_view body : {"", "<html>", "{}", R"({"data":7})", R"({"data":{"rules":[]}})"}) {
    CAPTURE(body);
    CHECK_FALSE(ReadRecordingRules(body, kRecorded).ok());
  }
}

namespace {

// A server whose newest recorded sample has the given stamp.
class StampSource : public prometheus_api::QuerySource {
 public:
  explicit StampSource(std::int64_t newest_ms) : newest_ms_(newest_ms) {}
  Result<prometheus_api::Answer> Query(const std::string&, std::int64_t time_ms,
                                       prometheus_api::ResultType) override {
    prometheus_api::Answer answer;
    answer.series.push_back({{}, {{time_ms, static_cast<double>(newest_ms_) / 1000}}});
    return answer;
  }
  Result<prometheus_api::Answer> QueryRange(const std::string&, std::int64_t, std::int64_t,
                                            std::int64_t) override {
    return Error{"not asked here", "memory"};
  }
  std::optional<std::int64_t> StartTimeMs() override { return std::nullopt; }
  const std::string& name() const override { return name_; }

 private:
  std::int64_t newest_ms_;
  std::string name_ = "memory";
};

}  // namespace

TEST_CASE("a decision is about the instant by which the rules' samples are late") {
  constexpr std::int64_t kNow = 1'795'856'400'000;  // 2026-11-28T09:00:00Z
  constexpr std::int64_t kEach = 30'000;
  const auto rule = [](const std::string& time, const std::string& more) {
    return Listed(R"({"name":"store:size","lastEvaluation":"2026-11-28T)" + time + R"(Z")" + more + "}");
  };
  const std::string other = R"({"data":{"groups":[]}})";
  struct Case {
    std::string body;
    std::int64_t stamped_ms_ago;
    std::int64_t behind_ms;
    bool lag;
  };
  const std::vector<Case> cases = {
      {rule("08:59:50", ""), 10'000, 0, false},                             // Prometheus
      {rule("08:59:50", ""), 10'000 + 29'999, 0, false},                    // one that doesn't show yet
      {rule("08:59:50", ""), 10'000 + 60'000, 60'000, false},               // a query_offset of 1m
      {rule("08:59:50", R"(,"health":"err")"), 10'000 + 60'000, 0, false},  // rules that fail
      {rule("10:00:00", ""), 250'000, 250'000, false},                      // a clock that is ahead
      {rule("08:59:50", ""), 301'000, 0, false},                            // series that are gone
      {rule("08:59:50", R"(,"datasourceType":"prometheus")"), 65'000, 55'000, true},   // vmalert
      {rule("08:59:50", R"(,"datasourceType":"prometheus")"), 290'000, 90'000, true},  // one that can't write
      {other, 45'000, 45'000, true},                                                   // recorded elsewhere
      {other, 290'000, 90'000, true},
      {"<html>", 290'000, 0, false},
  };
  for (const Case& example : cases) {
    CAPTURE(example.body);
    CAPTURE(example.stamped_ms_ago);
    StampSource source(kNow - example.stamped_ms_ago);
    const auto timing = prometheus_api::JudgeRules(example.body, source, kRecorded, kEach, kNow);
    CHECK(timing.behind_ms == example.behind_ms);
    CHECK(timing.alerts_lag == example.lag);
    CHECK(prometheus_api::JudgeRules(example.body, source, kRecorded, kEach, std::nullopt).behind_ms == 0);
  }
}
