#include "prometheus/prometheus_answer.h"

#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/text.h"
#include "test/support/rounds.h"

using namespace outgrown;                  // NOLINT(google-build-using-namespace): a test
using namespace outgrown::prometheus_api;  // NOLINT(google-build-using-namespace)
using outgrown::Result;
using outgrown::Sample;

namespace {

std::string Matrix(const std::string& result) {
  return R"({"status":"success","data":{"resultType":"matrix","result":[)" + result + "]}}";
}

// The two readers' results: equal, down to the words of an error; NaN equals NaN.
std::string Told(const Result<Answer>& answer) {
  if (!answer) return answer.error().Text();
  std::string told = answer->partial ? "partial" : "whole";
  for (const std::string& warning : answer->warnings) told += "\n" + warning;
  for (const Series& series : answer->series) {
    told += "\n";
    for (const auto& [name, value] : series.labels) told += name + "=" + value + ",";
    for (const Sample& sample : series.samples)
      told += std::to_string(sample.time_ms) + ":" + ExactNumber(sample.value) + ",";
  }
  return told;
}

// Whether the body is an answer.
bool CheckBothReaders(std::string_view body) {
  bool any = false;
  for (const ResultType expected : {ResultType::kVector, ResultType::kMatrix}) {
    const Result<Answer> answer = ReadAnswer(body, expected);
    const std::string slow = Told(ReadAnyAnswer(body, expected));
    if (Told(answer) != slow) {  // no CHECK for each of very many
      CAPTURE(body);
      CHECK(Told(answer) == slow);
    }
    any |= answer.ok();
  }
  return any;
}

}  // namespace

TEST_CASE("a matrix arrives with its labels sorted and its samples exact") {
  const Result<Answer> answer = ReadAnswer(
      Matrix(R"({"metric":{"job":"app","__name__":"checkpoint:servers"},)"
             R"("values":[[1800000000,"0.1"],[1800000030.5,"5368709120"],[1800000060.123,"1e-320"]]})"),
      ResultType::kMatrix);
  REQUIRE(answer.ok());
  REQUIRE(answer->series.size() == 1);
  CHECK(answer->series[0].labels == Labels{{"__name__", "checkpoint:servers"}, {"job", "app"}});
  CHECK(answer->series[0].samples == std::vector<Sample>{{1'800'000'000'000, 0.1},
                                                         {1'800'000'030'500, 5368709120.0},
                                                         {1'800'000'060'123, 1e-320}});
  CHECK(LabelValue(answer->series[0].labels, "job") == "app");
  CHECK(LabelValue(answer->series[0].labels, "instance").empty());
  CHECK_FALSE(answer->partial);
}

TEST_CASE("NaN and the infinities arrive as what they are") {
  const Result<Answer> answer =
      ReadAnswer(Matrix(R"({"metric":{},"values":[[1,"NaN"],[2,"+Inf"],[3,"-Inf"]]})"), ResultType::kMatrix);
  REQUIRE(answer.ok());
  CHECK(std::isnan(answer->series[0].samples[0].value));
  CHECK(answer->series[0].samples[1].value == INFINITY);
  CHECK(answer->series[0].samples[2].value == -INFINITY);
}

TEST_CASE("a vector has one sample a series; warnings and isPartial make the answer partial, infos don't") {
  const std::string head =
      R"({"status":"success","data":{"result":[{"metric":{"job":"a"},"value":[5,"1"]}],"resultType":"vector"})";
  struct Case {
    std::string_view rest;
    bool partial;
  };
  const std::vector<Case> cases = {
      {"}", false},
      {R"(,"warnings":["store gateway is down"]})", true},
      {R"(,"warnings":[]})", false},
      {R"(,"isPartial":true})", true},
      {R"(,"isPartial":false})", false},
      {R"(,"infos":["metric might not be a counter"]})", false},
      {R"(,"stats":{"samples":{"total":[1,{"a":[]}]}}})", false},
  };
  for (const Case& example : cases) {
    CAPTURE(example.rest);
    const Result<Answer> answer = ReadAnswer(head + std::string(example.rest), ResultType::kVector);
    REQUIRE(answer.ok());
    CHECK(answer->series.size() == 1);
    CHECK(answer->partial == example.partial);
  }
}

TEST_CASE("members that the API may gain are skipped, wherever they stand and whatever they hold") {
  const std::string more =
      R"("analysis":{"name":"[root]","value":{"result":[1]},"children":[{"data":{}}]},"more":[{}],)";
  const Result<Answer> answer = ReadAnswer("{" + more + R"("status":"success","data":{)" + more +
                                               R"("resultType":"vector","result":[{)" + more +
                                               R"("metric":{"job":"a"},"value":[5,"1"]}]}})",
                                           ResultType::kVector);
  REQUIRE(answer.ok());
  REQUIRE(answer->series.size() == 1);
  CHECK(LabelValue(answer->series[0].labels, "job") == "a");
  CHECK(answer->series[0].samples == std::vector<Sample>{{5000, 1}});
}

TEST_CASE("whatever doesn't fit the API is an error") {
  const std::vector<std::string> bodies = {
      "",
      "<html>502 Bad Gateway</html>",
      "null",
      "[]",
      "{}",
      "\"success\"",
      R"({"status":"success"})",
      R"({"status":"success","data":null})",
      R"({"status":"success","data":{"resultType":"matrix"}})",
      R"({"status":"success","data":{"resultType":"matrix","result":null}})",
      R"({"status":"success","data":{"resultType":"matrix","result":{}}})",
      R"({"status":"success","data":{"resultType":"matrix","result":[1]}})",
      R"({"status":"success","data":{"resultType":"vector","result":[]}})",
      R"({"status":"success","data":{"result":[]}})",
      R"({"status":"error","errorType":"execution","error":"x","data":{"resultType":"matrix","result":[]}})",
      R"({"status":"success","error":"x","data":{"resultType":"matrix","result":[]}})",
      R"({"status":"success","data":{"resultType":"matrix","result":[]},"errorType":"execution"})",
      R"({"status":1,"data":{"resultType":"matrix","result":[]}})",
      R"({"data":{"resultType":"matrix","result":[]}})",
      R"({"status":"success","status":"success","data":{"resultType":"matrix","result":[]}})",
      R"({"status":"success","data":{"resultType":"matrix","result":[]},"warnings":"x"})",
      R"({"status":"success","data":{"resultType":"matrix","result":[]},"warnings":[1]})",
      Matrix("") + "x",
      Matrix("") + std::string(3, '\0'),
      Matrix("") + std::string(1, '\0') + "x",
      Matrix("").substr(0, 60),
      Matrix(R"({"metric":{},"values":[]})"),
      Matrix(R"({"metric":{}})"),
      Matrix(R"({"metric":[],"values":[[1,"1"]]})"),
      Matrix(R"({"metric":{"a":1},"values":[[1,"1"]]})"),
      Matrix(R"({"metric":{"a":"1","a":"2"},"values":[[1,"1"]]})"),
      Matrix(R"({"metric":{},"values":[[1,1]]})"),
      Matrix(R"({"metric":{},"values":[["1","1"]]})"),
      Matrix(R"({"metric":{},"values":[[1]]})"),
      Matrix(R"({"metric":{},"values":[[1,"1","1"]]})"),
      Matrix(R"({"metric":{},"values":[[]]})"),
      Matrix(R"({"metric":{},"values":[1,"1"]})"),
      Matrix(R"({"metric":{},"values":[[1,"one"]]})"),
      Matrix(R"({"metric":{},"values":[[1,"0x1p3"]]})"),
      Matrix(R"({"metric":{},"values":[[1,"1 "]]})"),
      Matrix(R"({"metric":{},"values":[[1,""]]})"),
      Matrix(R"({"metric":{},"values":[[2,"1"],[1,"1"]]})"),
      Matrix(R"({"metric":{},"values":[[1,"1"],[1,"1"]]})"),
      Matrix(R"({"metric":{},"values":[[1e30,"1"]]})"),
      Matrix(R"({"metric":{},"values":[[1e400,"1"]]})"),
      Matrix(R"({"metric":{},"value":[1,"1"]})"),
      Matrix(R"({"metric":{},"values":[[1,"1"]],"values":[[2,"1"]]})"),
      Matrix(R"({"metric":{},"histograms":[[1,{"count":"1"}]]})"),
      Matrix(R"({"metric":{},"values":[[1,"1"]],"histograms":[[1,{"count":"1"}]]})"),
      Matrix("{\"metric\":{\"a\":\"\xff\"},\"values\":[[1,\"1\"]]}"),
      std::string(200'000, '['),
  };
  for (const std::string& body : bodies) {
    CAPTURE(body.substr(0, 200));
    CHECK_FALSE(ReadAnswer(body, ResultType::kMatrix).ok());
    CheckBothReaders(body);
  }
  CHECK(ReadAnswer(Matrix(""), ResultType::kMatrix).ok());
  CHECK_FALSE(ReadAnswer(Matrix(""), ResultType::kVector).ok());
}

TEST_CASE("an answer cut at any byte is an error") {
  const std::string body =
      Matrix(R"({"metric":{"a":"b"},"values":[[1,"1"],[2,"2"]]},{"metric":{},"values":[[1,"3"]]})");
  for (std::size_t size = 0; size < body.size(); ++size) {
    CAPTURE(size);
    CHECK_FALSE(ReadAnswer(std::string_view(body).substr(0, size), ResultType::kMatrix).ok());
  }
}

TEST_CASE("the fast reader reads what the other one reads, and refuses what it refuses") {
  const std::string vector = R"({"status":"success","data":{"resultType":"vector","result":[)";
  const std::vector<std::string> good = {
      Matrix(R"({"metric":{"a":"b","job":"app"},"values":[[1800000000,"0.1"],[1800000030.5,"NaN"]]},)"
             R"({"metric":{},"values":[[0,"-Inf"],[0.001,"1e-7"]]})"),
      Matrix("{\"metric\":{\"b\":\"\xC3\xA9\",\"a\":\"\x7F\"},\"values\":[[999999999999.999,\"+Inf\"]]}"),
      vector +
          R"({"metric":{"a":"b"},"value":[5.25,"1"]},{"metric":{"a":"c"},"value":[5,"1"]}],"analysis":{}}})",
      vector + R"({"metric":{"a":"\u00e9\n\"]"},"value":[5,"1"]}]},"warnings":["w"],"infos":["i"]})",
      vector + R"({"metric":{"__name__":"up"}, "value" : [ 5 , "1" ] }]}})",
      std::string(
          R"({"status":"success","isPartial":false,"data":{"resultType":"vector","result":[{"metric":{},"value":[5,"1"]}]},)") +
          R"("stats":{"seriesFetched":"1"}})",
      R"({"status":"success","isPartial":true,"data":{"resultType":"vector","result":[]}})",
  };
  const std::vector<std::string> pieces = {"",
                                           ",",
                                           "\"",
                                           "\\",
                                           "]",
                                           "}",
                                           "[1,\"1\"]",
                                           "0",
                                           "00",
                                           "1.",
                                           ".5",
                                           "-1",
                                           "e3",
                                           "1.0005",
                                           "true",
                                           "null",
                                           "\x1F",
                                           "\xFF",
                                           "\xED\xA0\x80",
                                           "\xEF\xBB\xBF",
                                           " ",
                                           "\\u0061",
                                           "\"a\":\"b\"",
                                           "1000000000000",
                                           R"("histogram":[])",
                                           R"("resultType":"matrix",)",
                                           R"({"metric":{},"value":[1,"1"]})"};
  // In the short form every piece and every place is met, not every pair of them.
  const auto stride = static_cast<std::size_t>(test::Rounds(10, 1));
  for (const std::string& body : good) {
    CHECK(CheckBothReaders(body));
    for (std::size_t at = 0; at <= body.size(); ++at) {
      CheckBothReaders(body.substr(0, at));
      for (std::size_t number = at % stride; number < pieces.size(); number += stride) {
        CheckBothReaders(body.substr(0, at) + pieces[number] + body.substr(at));
        if (at < body.size()) CheckBothReaders(body.substr(0, at) + pieces[number] + body.substr(at + 1));
      }
      for (std::size_t size = 2 + at % stride; size < 20 && at + size <= body.size(); size += stride)
        CheckBothReaders(body.substr(0, at) + body.substr(at + size));
    }
  }
}

TEST_CASE("an error answer's words are made plain") {
  CHECK(ReadErrorAnswer(R"({"status":"error","errorType":"bad_data","error":"parse \u001b[31merror"})") ==
        "bad_data: parse \xEF\xBF\xBD[31merror");
  CHECK(ReadErrorAnswer("<html>").empty());
  CHECK(ReadErrorAnswer(R"({"error":1})").empty());
}
