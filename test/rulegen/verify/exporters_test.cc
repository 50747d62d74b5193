#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "rulegen/verify/verify.h"
#include "test/rulegen/support/tiny_spec.h"
#include "thresholds/known_series.h"

using namespace outgrown;
using verify::Finding;
using verify::State;

namespace {

prometheus_api::Series Reports(std::string instance, std::string digest) {
  prometheus_api::Series series;
  series.labels = {{"digest", std::move(digest)}, {"instance", std::move(instance)}, {"job", "queue"}};
  series.samples = {{0, 1}};
  return series;
}

// Answers the question about now and the one about the last 26 hours.
class Fake : public prometheus_api::QuerySource {
 public:
  Fake(Result<prometheus_api::Answer> now, Result<prometheus_api::Answer> lately)
      : now_(std::move(now)), lately_(std::move(lately)) {}
  Result<prometheus_api::Answer> Query(const std::string& promql, std::int64_t,
                                       prometheus_api::ResultType) override {
    CHECK(promql.find("checkpoint_threshold_table_info{store=\"queue\"}") != std::string::npos);
    return promql.find("[26h]") == std::string::npos ? now_ : lately_;
  }
  Result<prometheus_api::Answer> QueryRange(const std::string& promql, std::int64_t, std::int64_t to_ms,
                                            std::int64_t) override {
    return Query(promql, to_ms, prometheus_api::ResultType::kMatrix);
  }
  std::optional<std::int64_t> StartTimeMs() override { return std::nullopt; }
  const std::string& name() const override { return name_; }

 private:
  Result<prometheus_api::Answer> now_;
  Result<prometheus_api::Answer> lately_;
  std::string name_ = "http://p";
};

prometheus_api::Answer Of(std::vector<prometheus_api::Series> series) {
  return {std::move(series), {}, false};
}

}  // namespace

TEST_CASE("each exporter that differs or is silent is named") {
  const std::string ours(64, 'd');
  const std::string other(64, 'e');
  prometheus_api::Answer partial = Of({Reports("a:1", ours)});
  partial.partial = true;
  struct Row {
    std::string what;
    Result<prometheus_api::Answer> now;
    Result<prometheus_api::Answer> lately;
    std::vector<std::string> lines;
    State state;
  };
  const std::string seen = "exporters as seen by http://p: ";
  const std::vector<Row> rows = {
      {"both agree",
       Of({Reports("a:1", ours), Reports("b:1", ours)}),
       Of({Reports("a:1", ""), Reports("b:1", "")}),
       {seen + "2 with digest dddddddd"},
       State::kInStep},
      {"one differs",
       Of({Reports("a:1", ours), Reports("b:1", other)}),
       Of({Reports("a:1", ""), Reports("b:1", "")}),
       {"exporter at b:1 (job queue): its table is of digest eeeeeeee, the spec's is dddddddd"},
       State::kBehind},
      {"both differ",
       Of({Reports("a:1", other), Reports("b:1", other)}),
       Of({Reports("a:1", ""), Reports("b:1", "")}),
       {"exporter at a:1 (job queue): its table is of digest eeeeeeee, the spec's is dddddddd",
        "exporter at b:1 (job queue): its table is of digest eeeeeeee, the spec's is dddddddd"},
       State::kBehind},
      {"one is silent",
       Of({Reports("a:1", ours)}),
       Of({Reports("a:1", ""), Reports("b:1", "")}),
       {"exporter at b:1 (job queue): silent: it reported a digest within the last 26h and does not now"},
       State::kBehind},
      {"none", Of({}), Of({}), {seen + "none reports a digest for the store queue"}, State::kBehind},
      {"no answer", Error{"refused", "http://p"}, Of({}), {seen + "refused"}, State::kUnknown},
      {"no answer about lately",
       Of({Reports("a:1", ours)}),
       Error{"too slow", "http://p"},
       {seen + "too slow"},
       State::kUnknown},
      {"a partial answer", partial, Of({}), {seen + "the answer is partial"}, State::kUnknown},
  };
  for (const Row& row : rows) {
    CAPTURE(row.what);
    Fake prometheus(row.now, row.lately);
    std::vector<std::string> lines;
    for (const Finding& finding : verify::CompareExporters(test::TinySpec(), prometheus, 0)) {
      lines.push_back(finding.copy + ": " + finding.what);
      CHECK(finding.state == row.state);
    }
    CHECK(lines == row.lines);
  }
}

TEST_CASE("only a spec whose stores our exporter shows has exporters to verify") {
  spec::Spec spec = test::TinySpec();
  CHECK_FALSE(spec::HasOwnExporter(spec));
  spec.store.present = "checkpoint_block_up";
  CHECK(spec::HasOwnExporter(spec));
}
