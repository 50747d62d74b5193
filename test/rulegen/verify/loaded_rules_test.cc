#include "rulegen/verify/loaded_rules.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "test/rulegen/support/tiny_spec.h"

using namespace outgrown;

namespace {

// As Prometheus 2.42 answers.
constexpr std::string_view kPrometheus = R"json({"status":"success","data":{"groups":[
  {"name":"theirs","file":"other.yml","interval":"odd",
   "rules":[{"type":"odd"},{"type":"alerting","name":"TheirAlert"},{"type":"recording","name":"their:x"}]},
  {"name":"outgrown-queue","file":"r.yml","rules":[
    {"name":"queue:x","query":"sum by (job) (up)","health":"ok","evaluationTime":0.002,
     "lastEvaluation":"2026-11-23T22:50:35.632719801Z","type":"recording"},
    {"state":"inactive","name":"QueueX","query":"queue:x > 0.01","duration":300,"keepFiringFor":90.5,
     "labels":{"severity":"critical"},"annotations":{"summary":"{{ $value }}"},"alerts":[],"health":"err",
     "lastError":"no","evaluationTime":0,"lastEvaluation":"0001-01-01T00:00:00Z","type":"alerting"}],
   "interval":1.5,"limit":7,"evaluationTime":0.002,"lastEvaluation":"2026-11-23T22:50:35.6Z"}]}})json";

// As vmalert 1.79 answers.
constexpr std::string_view kVmalert = R"json({"status":"success","data":{"groups":[
  {"name":"outgrown-queue","rules":[
    {"state":"","name":"queue:x","query":"sum(up)\n","duration":0,"lastError":"","evaluationTime":0.02,
     "lastEvaluation":"2026-11-23T22:50:35.549444748Z","health":"ok","type":"recording",
     "datasourceType":"prometheus","lastSamples":0,"id":"1","group_id":"2"}],
   "interval":1,"lastEvaluation":"2026-11-23T22:50:35.568001399Z","type":"prometheus","id":"2","file":"rv.yml",
   "concurrency":1}]}})json";

}  // namespace

TEST_CASE("Prometheus' list of rules is read, and what other people's groups record") {
  const auto loaded = verify::ReadLoadedRules(kPrometheus);
  REQUIRE(loaded.ok());
  CHECK_FALSE(loaded->vmalert);
  REQUIRE(loaded->others.size() == 1);
  CHECK(loaded->others[0].name == "theirs");
  CHECK(loaded->others[0].file == "other.yml");
  CHECK(loaded->others[0].series == std::vector<std::string>{"their:x"});
  REQUIRE(loaded->groups.size() == 1);
  const verify::LoadedGroup& group = loaded->groups[0];
  CHECK(group.name == "outgrown-queue");
  CHECK(group.file == "r.yml");
  CHECK(group.interval == Milliseconds(1500));
  CHECK(group.limit == 7);
  REQUIRE(group.rules.size() == 2);
  CHECK(group.rules[0].rule.kind == verify::RuleKind::kRecording);
  CHECK(group.rules[0].rule.expr == "sum by (job) (up)");
  CHECK(group.rules[0].state.evaluated);
  const verify::LoadedRule& alert = group.rules[1];
  CHECK(alert.rule.kind == verify::RuleKind::kAlerting);
  CHECK(alert.rule.hold == std::chrono::minutes(5));
  CHECK(alert.rule.keep_firing_for == Milliseconds(90'500));
  CHECK(alert.rule.labels.at("severity") == "critical");
  CHECK(alert.rule.annotations.at("summary") == "{{ $value }}");
  CHECK(alert.state.health == "err");
  CHECK(alert.state.last_error == "no");
  CHECK_FALSE(alert.state.evaluated);
}

TEST_CASE("vmalert's list of rules is read, and it says nothing about keep_firing_for") {
  const auto loaded = verify::ReadLoadedRules(kVmalert);
  REQUIRE(loaded.ok());
  CHECK(loaded->vmalert);
  REQUIRE(loaded->groups.size() == 1);
  CHECK(loaded->groups[0].limit == 0);
  REQUIRE(loaded->groups[0].rules.size() == 1);
  CHECK_FALSE(loaded->groups[0].rules[0].rule.keep_firing_for.has_value());
}

TEST_CASE("settings by which a group asks something else than its rules say are read") {
  struct Row {
    std::string keys;
    std::vector<std::string> settings;
  };
  using Lines = std::vector<std::string>;
  const Row rows[] = {
      {R"("type":"prometheus","concurrency":1)", {}},
      {R"("params":null,"headers":[],"concurrency":0)", {}},
      {R"("type":"graphite")", {"type is \"graphite\""}},
      {R"("params":["extra_label=x=y","nocache=1"])", {"params is \"extra_label=x=y nocache=1\""}},
      {R"("headers":["Authorization: Bearer secret"],"concurrency":3)",
       {"headers is not empty", "concurrency is 3"}},
      {R"("params":{"extra_label":["x=y"]})", {"params is not empty"}},
      {R"("eval_offset":0,"eval_delay":0)", {}},
      {R"("eval_offset":10,"eval_delay":30.5)", {"eval_offset is 10s", "eval_delay is 30s500ms"}},
  };
  for (const Row& row : rows) {
    CAPTURE(row.keys);
    const auto loaded = verify::ReadLoadedRules(R"({"data":{"groups":[{"name":"outgrown-q","interval":1,)" +
                                                row.keys + R"(,"rules":[]}]}})");
    REQUIRE(loaded.ok());
    CHECK(Lines(loaded->groups[0].settings) == row.settings);
  }
}

TEST_CASE("what doesn't fit the format is an error, never rules that are in step") {
  const auto with = [](const std::string& rule) {
    return R"({"data":{"groups":[{"name":"outgrown-q","interval":1,"rules":[)" + rule + "]}]}}";
  };
  const std::string good = R"({"name":"a","query":"b","health":"ok","type":"recording"})";
  REQUIRE(verify::ReadLoadedRules(with(good)).ok());
  for (const std::string& body : {
           std::string(),
           std::string("<html>"),
           std::string("{}"),
           std::string(R"({"data":null})"),
           std::string(R"({"data":{"groups":{}}})"),
           std::string(R"({"data":{"groups":[{}]}})"),
           std::string(R"({"data":{"groups":[{"name":"outgrown-q","rules":{}}]}})"),
           std::string(R"({"data":{"groups":[{"name":"outgrown-q","interval":"30s"}]}})"),
           std::string(R"({"data":{"groups":[{"name":"outgrown-q","limit":"1"}]}})"),
           std::string(R"({"data":{"groups":[{"name":"outgrown-q","limit":0.5}]}})"),
           std::string(R"({"data":{"groups":[{"name":"outgrown-q","limit":1e300}]}})"),
           std::string(R"({"data":{"groups":[{"name":"outgrown-q","type":1}]}})"),
           std::string(R"({"data":{"groups":[{"name":"outgrown-q","concurrency":"2"}]}})"),
           std::string(R"({"data":{"groups":[{"name":"theirs","rules":{}}]}})"),
           std::string(R"({"data":{"groups":[{"name":"theirs","rules":[{"type":"recording"}]}]}})"),
           with("7"),
           with(R"({"name":"a","query":"b","health":"ok"})"),
           with(R"({"name":"a","query":"b","health":"ok","type":"other"})"),
           with(R"({"name":"a","query":7,"health":"ok","type":"recording"})"),
           with(R"({"name":"a","query":"b","type":"recording"})"),
           with(R"({"name":"a","query":"b","health":"ok","type":"alerting","duration":-1})"),
           with(R"({"name":"a","query":"b","health":"ok","type":"alerting","duration":1e300})"),
           with(R"({"name":"a","query":"b","health":"ok","type":"alerting","labels":{"x":1}})"),
           with(good).substr(0, 60),
       }) {
    CAPTURE(body);
    CHECK_FALSE(verify::ReadLoadedRules(body).ok());
  }
}

TEST_CASE("a server without rules has loaded none") {
  for (const std::string_view body : {R"({"data":{"groups":[]}})", R"({"data":{"groups":null}})"}) {
    CAPTURE(body);
    const auto loaded = verify::ReadLoadedRules(body);
    REQUIRE(loaded.ok());
    CHECK(loaded->groups.empty());
  }
}

TEST_CASE("the expected flavor is the server's, where the spec is generated for it") {
  struct Row {
    bool vmalert;
    bool keeps;  // it says what an alert's keep_firing_for is
    std::vector<spec::Flavor> flavors;
    spec::Flavor flavor;
  };
  using spec::Flavor;
  const std::vector<Row> rows = {
      {false, true, {Flavor::kPrometheus, Flavor::kVictoriaMetrics}, Flavor::kPrometheus},
      {true, true, {Flavor::kPrometheus, Flavor::kVictoriaMetrics}, Flavor::kVictoriaMetrics},
      {true, true, {Flavor::kVictoriaMetrics179, Flavor::kVictoriaMetrics}, Flavor::kVictoriaMetrics},
      {true, false, {Flavor::kVictoriaMetrics, Flavor::kVictoriaMetrics179}, Flavor::kVictoriaMetrics179},
      {true, false, {Flavor::kPrometheus, Flavor::kVictoriaMetrics}, Flavor::kVictoriaMetrics},
      {true, true, {Flavor::kPrometheus}, Flavor::kPrometheus},
      {false, true, {Flavor::kVictoriaMetrics}, Flavor::kVictoriaMetrics},
  };
  for (const Row& row : rows) {
    spec::Spec spec = test::TinySpec();
    spec.rules.flavors = row.flavors;
    verify::LoadedRules loaded;
    loaded.vmalert = row.vmalert;
    loaded.groups.emplace_back().rules.emplace_back();
    if (row.keeps) loaded.groups[0].rules[0].rule.keep_firing_for = Milliseconds(0);
    CHECK(verify::FlavorOf(loaded, spec) == row.flavor);
  }
}

// As Thanos' ruler answers: alerts first, and its own labels (here: cluster, replica) on every rule.
TEST_CASE("Thanos' list of rules is read without the labels of the ruler") {
  const auto loaded = verify::ReadLoadedRules(R"json({"status":"success","data":{"groups":[
    {"name":"outgrown-queue","file":"r.yml","interval":30,"limit":0,"partialResponseStrategy":"ABORT","rules":[
      {"state":"inactive","name":"QueueX","query":"queue:x > 0.01","duration":300,"health":"ok",
       "labels":{"cluster":"eu","replica":"a","severity":"critical"},"annotations":{},"alerts":[],
       "lastEvaluation":"2026-11-23T22:50:35.6Z","type":"alerting"},
      {"name":"queue:x","query":"sum by (job) (up)","health":"ok","labels":{"cluster":"eu","replica":"a"},
       "lastEvaluation":"2026-11-23T22:50:35.6Z","type":"recording"}]}]}})json");
  REQUIRE(loaded.ok());
  REQUIRE(loaded->groups.size() == 1);
  CHECK(loaded->groups[0].sorted);
  CHECK(loaded->groups[0].rules[0].rule.labels ==
        std::map<std::string, std::string>{{"severity", "critical"}});
  CHECK(loaded->groups[0].rules[1].rule.labels.empty());
}

TEST_CASE("vmalert from 1.92 on says its keep_firing_for, by a name of its own") {
  const auto loaded = verify::ReadLoadedRules(R"json({"status":"success","data":{"groups":[
    {"name":"outgrown-queue","interval":1,"rules":[
      {"name":"QueueX","query":"queue:x > 0.01","duration":300,"keep_firing_for":900,"health":"ok",
       "lastEvaluation":"2026-11-23T22:50:35.6Z","type":"alerting","datasourceType":"prometheus"}]}]}})json");
  REQUIRE(loaded.ok());
  CHECK(loaded->groups[0].rules[0].rule.keep_firing_for == Milliseconds(900'000));
}
