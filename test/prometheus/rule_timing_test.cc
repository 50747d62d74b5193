#include "prometheus/rule_timing.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include <doctest/doctest.h>

using namespace outgrown;  // NOLINT(google-build-using-namespace): a test
using prometheus_api::FindRecordingGroup;

namespace {

constexpr std::array<std::string_view, 2> kRecorded = {"store:size", "store:errors"};

std::string Listed(const std::string& rules) {
  return R"({"status":"success","data":{"groups":[{"name":"mine","rules":[{"name":"other:x","type":"recording",)"
         R"("lastEvaluation":"2026-11-28T09:00:00Z"}]},{"name":"outgrown-store","interval":30,"rules":[)" +
         rules + "]}]}}";
}

}  // namespace

TEST_CASE("the list of rules says when the group of the recorded series was evaluated, and by which server") {
  const auto prometheus = FindRecordingGroup(
      Listed(R"({"name":"store:errors","type":"recording","lastEvaluation":"2026-11-28T10:00:00.25+01:00"})"),
      kRecorded);
  REQUIRE(prometheus.ok());
  REQUIRE(prometheus->has_value());
  CHECK((*prometheus)->last_evaluation_ms == 1'795'856'400'250);
  CHECK_FALSE((*prometheus)->vmalert);

  const auto vmalert = FindRecordingGroup(
      Listed(
          R"({"name":"store:size","lastEvaluation":"2026-11-28T09:00:00Z","datasourceType":"prometheus"})"),
      kRecorded);
  REQUIRE(vmalert.ok());
  REQUIRE(vmalert->has_value());
  CHECK((*vmalert)->vmalert);
}

TEST_CASE("a list without these rules, or before their first evaluation, names no group") {
  for (const std::string& body :
       {Listed(""), Listed(R"({"name":"store:other","lastEvaluation":"2026-11-28T09:00:00Z"})"),
        Listed(R"({"name":"store:size","lastEvaluation":"0001-01-01T00:00:00Z"})"),
        Listed(R"({"name":"store:size","lastEvaluation":7})"), Listed("7"),
        std::string(R"({"data":{"groups":[]}})"), std::string(R"({"data":{"groups":null}})"),
        std::string(R"({"data":{"groups":[{"name":"x","rules":null}]}})")}) {
    CAPTURE(body);
    const auto found = FindRecordingGroup(body, kRecorded);
    REQUIRE(found.ok());
    CHECK_FALSE(found->has_value());
  }
}

TEST_CASE("what is no list of rules is an error") {
  for (const std::string_view body : {"", "<html>", "{}", R"({"data":7})", R"({"data":{"rules":[]}})"}) {
    CAPTURE(body);
    CHECK_FALSE(FindRecordingGroup(body, kRecorded).ok());
  }
}
