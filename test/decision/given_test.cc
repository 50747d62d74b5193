#include "decision/given.h"

#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "decision/evaluation.h"
#include "decision/exit_status.h"
#include "decision/report/wording.h"
#include "test/decision/engine/sample_table.h"

using namespace outgrown;            // NOLINT(google-build-using-namespace): a test
using namespace outgrown::decision;  // NOLINT(google-build-using-namespace)
using outgrown::test::kSampleTable;

namespace {

constexpr std::array kOtherSignals = {
    SignalRow{"connections", "Connections", "postgresql:connections", Unit::kCount, Uncovered::kValid}};

constexpr Table OtherTable() {
  Table table = kSampleTable;
  table.store = "postgresql";
  table.signals = kOtherSignals;
  table.thresholds = {};
  return table;
}
constexpr Table kOtherTable = OtherTable();

const std::vector<const Table*> kOne = {&kSampleTable};
const std::vector<const Table*> kTwo = {&kSampleTable, &kOtherTable};

}  // namespace

TEST_CASE("one object is one store, a list is many, and what is left out or null is not given") {
  const auto one = ReadGiven(kOne, R"({"write_error_ratio": 0.02, "servers": null})", "f");
  REQUIRE(one.ok());
  REQUIRE((*one)[0].size() == 1);
  CHECK((*one)[0][0].values[test::kErrorRatio] == 0.02);
  CHECK(std::isnan((*one)[0][0].values[test::kServers]));
  CHECK(std::isnan((*one)[0][0].values[test::kFileSize]));

  const auto many =
      ReadGiven(kOne, R"([{"labels":{"database":"a"},"servers":1},{"labels":{"database":"b"}},{}])", "f");
  REQUIRE(many.ok());
  REQUIRE((*many)[0].size() == 3);
  CHECK((*many)[0][1].labels.at(0).second == "b");
}

TEST_CASE("the signals choose among several specs") {
  const auto given = ReadGiven(kTwo, R"([{"connections": 3}, {"servers": 1}, {"servers": 2}])", "f");
  REQUIRE(given.ok());
  CHECK((*given)[0].size() == 2);
  CHECK((*given)[1].size() == 1);
  CHECK(ReadGiven(kTwo, R"({"connections": 3, "servers": 1})", "f").error().what ==
        "the signals of one store belong to several specs");
  CHECK(ReadGiven(kTwo, "{}", "f").error().what == "the signals fit several specs; choose one with --spec");
}

TEST_CASE("a malformed measurements file is an error that names the place") {
  struct Case {
    std::string_view text;
    std::string_view error;
  };
  const std::vector<Case> cases = {
      {"", "m.json: not valid JSON at byte 1"},
      {"[]", "m.json: holds no store"},
      {"1", "m.json: must be an object of signals and numbers, or a list of such objects"},
      {"[{}, 1]", "m.json: store 2: must be an object of signals and numbers, or a list of such objects"},
      {R"({"write_errors": 1})",
       "m.json: unknown signal \"write_errors\"; known: write_error_ratio, writes_per_second, servers, "
       "file_size_bytes, write_p99_seconds"},
      {R"({"servers": "2"})", "m.json: \"servers\" must be a number, or null if it is not known"},
      {R"({"servers": true})", "m.json: \"servers\" must be a number, or null if it is not known"},
      {R"({"labels": 1})", "m.json: \"labels\" must be an object of strings"},
      {R"({"labels": {"a": 1}})", "m.json: \"labels\" must be an object of strings"},
      {R"({"servers": 1, "servers": 2})", "m.json: the key \"servers\" occurs twice"},
      {R"({"servers": -1})", "m.json: \"servers\" is -1; expected 0 or more"},
      {R"({"servers": 1e400})", "m.json: a number too large for a double at byte 17"},
      {R"([{"labels": {"a": "1", "b": "2"}}, {"labels": {"b": "2", "a": "1"}}])",
       "m.json: store 2: has the same labels as an earlier store"},
      {R"({"servers": NaN})", "m.json: not valid JSON at byte 13"},
  };
  for (const Case& example : cases) {
    CAPTURE(example.text);
    const auto given = ReadGiven(kOne, example.text, "m.json");
    REQUIRE_FALSE(given.ok());
    CHECK(given.error().Text() == example.error);
  }
}

TEST_CASE("the exit status is the first that applies") {
  struct Case {
    std::string given;
    int plain;
    int with_codes;
  };
  const std::string healthy =
      R"("write_error_ratio":0,"writes_per_second":1,"servers":1,"file_size_bytes":1,"write_p99_seconds":0)";
  const std::string soon =
      R"("write_error_ratio":0,"writes_per_second":90,"servers":1,"file_size_bytes":1,"write_p99_seconds":0)";
  const std::vector<Case> cases = {
      {"{" + healthy + "}", 0, 0},
      {"{" + soon + "}", 0, 10},
      {R"({"servers": 2})", 0, 20},             // nothing is worse than now
      {R"({"file_size_bytes": 6e9})", 30, 30},  // soon, and now is possible
      {"{}", 30, 30},
      {"[{" + soon + "}, {}]", 30, 30},     // undetermined before soon
      {R"([{"servers": 2}, {}])", 30, 20},  // now before undetermined
  };
  for (const Case& example : cases) {
    CAPTURE(example.given);
    const auto given = ReadGiven(kOne, example.given, "f");
    REQUIRE(given.ok());
    const std::vector<Evaluation> evaluations = {EvaluateGiven(kSampleTable, (*given)[0], 0)};
    CHECK(EvaluateExitStatus(evaluations, false) == example.plain);
    CHECK(EvaluateExitStatus(evaluations, true) == example.with_codes);
  }
}

TEST_CASE("drift comes after the most severe verdict and before undetermined; no answer before all") {
  const auto given = ReadGiven(kOne, R"([{"servers": 2}, {}])", "f");
  REQUIRE(given.ok());
  std::vector<Evaluation> evaluations = {EvaluateGiven(kSampleTable, (*given)[0], 0)};
  evaluations[0].stores[1].alerts = {{AlertState::kFiring, Agreement::kDrift}};
  CHECK(EvaluateExitStatus(evaluations, false) == 6);
  CHECK(EvaluateExitStatus(evaluations, true) == 20);
  evaluations[0].stores.erase(evaluations[0].stores.begin());
  CHECK(EvaluateExitStatus(evaluations, true) == 6);
  evaluations[0].stores.clear();
  CHECK(EvaluateExitStatus(evaluations, true) == 30);
  evaluations[0].fleet.answered = false;
  CHECK(EvaluateExitStatus(evaluations, true) == 4);
}

TEST_CASE("a spec of which nobody can say what stores it has is undetermined beside a healthy one") {
  const auto given = ReadGiven(
      kOne,
      R"({"write_error_ratio":0,"writes_per_second":1,"servers":1,"file_size_bytes":1,"write_p99_seconds":0})",
      "f");
  REQUIRE(given.ok());
  std::vector<Evaluation> evaluations = {EvaluateGiven(kSampleTable, (*given)[0], 0), Evaluation()};
  evaluations[1].table = &kSampleTable;
  evaluations[1].server = "http://x";
  CHECK(NoStoreLine(evaluations[1]) == "UNDETERMINED - http://x answered no query");
  CHECK(EvaluateExitStatus(evaluations, true) == 30);
  evaluations[1].fleet.answered = true;
  evaluations[1].fleet.presence_queries = {{"a", prometheus_api::Trust::kUsable, ""},
                                           {"b", prometheus_api::Trust::kFailed, "the server answered 503"}};
  CHECK(NoStoreLine(evaluations[1]) ==
        "UNDETERMINED - which stores there are is not known: the server answered 503");
  CHECK(EvaluateExitStatus(evaluations, true) == 30);
  evaluations[1].fleet.presence_queries.pop_back();  // surely none here: not what was asked about
  CHECK(EvaluateExitStatus(evaluations, true) == 0);
}
