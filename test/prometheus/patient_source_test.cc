#include <doctest/doctest.h>

#include "prometheus/prometheus_client.h"

using namespace outgrown;
using prometheus_api::PatientSource;
using prometheus_api::ResultType;

namespace {

// A server on a clock of its own: each query takes `costs_ms`, and is answered or not.
struct Server : prometheus_api::QuerySource {
  std::int64_t now_ms = 0;
  std::int64_t costs_ms = 0;
  bool answers = true;
  int asked = 0;

  Result<prometheus_api::Answer> Query(const std::string&, std::int64_t, ResultType) override {
    ++asked;
    now_ms += costs_ms;
    if (!answers) return Error{"no answer", name()};
    return prometheus_api::Answer{};
  }
  Result<prometheus_api::Answer> QueryRange(const std::string& promql, std::int64_t, std::int64_t to_ms,
                                            std::int64_t) override {
    return Query(promql, to_ms, ResultType::kMatrix);
  }
  std::optional<std::int64_t> StartTimeMs() override { return std::nullopt; }
  const std::string& name() const override { return name_; }

 private:
  std::string name_ = "http://server";
};

struct Fixture {
  Server server;
  PatientSource patient{server, 3'000, [this] { return server.now_ms; }};

  bool Ask() { return patient.Query("up", 0, ResultType::kVector).ok(); }
  bool AskRange() { return patient.QueryRange("up", 0, 60'000, 1'000).ok(); }
};

}  // namespace

TEST_CASE_FIXTURE(Fixture, "a server that lets three time limits pass is not asked a fourth time") {
  server.answers = false;
  server.costs_ms = 1'000;
  CHECK_FALSE(Ask());
  CHECK_FALSE(AskRange());
  CHECK_FALSE(patient.given_up());
  CHECK_FALSE(Ask());
  CHECK(patient.given_up());
  CHECK_FALSE(Ask());
  CHECK_FALSE(AskRange());
  CHECK(server.asked == 3);
  server.answers = true;  // too late: the rest of the period stays unknown
  CHECK_FALSE(Ask());
}

TEST_CASE_FIXTURE(Fixture, "an answer in between ends the silence before it") {
  server.costs_ms = 1'000;
  for (int round = 0; round < 5; ++round) {
    server.answers = false;
    Ask();
    AskRange();
    server.answers = true;
    CHECK(Ask());
  }
  CHECK(server.asked == 15);
}

TEST_CASE_FIXTURE(Fixture, "errors that come at once are no silence") {
  server.answers = false;
  for (int query = 0; query < 1'000; ++query) CHECK_FALSE(Ask());
  CHECK(server.asked == 1'000);
}
