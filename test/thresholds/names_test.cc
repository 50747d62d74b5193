// Placeholders, and the names of what is recorded beside the signals.
#include "thresholds/names.h"

#include <string>

#include <doctest/doctest.h>

#include "test/thresholds/spec_text.h"
#include "thresholds/parse.h"
#include "thresholds/placeholders.h"

using namespace outgrown;

TEST_CASE("placeholders are filled in, and a place in the result leads back to the text") {
  const spec::LoadedSpec loaded = spec::ParseSpec(std::string(test::kSpecText), "queue.toml");
  REQUIRE(loaded.spec.has_value());
  const spec::Spec& spec = *loaded.spec;
  CHECK(spec::FillPlaceholders("max by ({identity}) (x[{window}])", spec) ==
        "max by (job, instance, path) (x[5m])");
  CHECK(spec::FillPlaceholders("{digest}", spec) == spec.digest);
  CHECK(spec::FillPlaceholders("{minimum} {maximum}", spec) == "0.95 1.05");
  CHECK(spec::FillPlaceholders("x[{lookback}] - {lookback_seconds}", spec) == "x[1d2h] - 93600");
  spec::Spec without = spec;
  without.coverage.reset();
  const spec::Filled refused = spec::FillPlaceholders("x > {window} + {maximum}", without, "");
  REQUIRE(refused.problem.has_value());
  CHECK(refused.problem->offset == 15);
  CHECK(spec::FillPlaceholders(R"(x{a="b"} {} "${name}")", spec) == R"(x{a="b"} {} "${name}")");
  CHECK(spec::FillPanelQuery("sum by ({identity}) (x{{shown}})", spec, "a=\"b\"").text ==
        "sum by (job, instance, path) (x{a=\"b\"})");
  const spec::Filled filled = spec::FillPlaceholders("a {window} b {window} c", spec, spec.digest);
  CHECK(filled.text == "a 5m b 5m c");
  CHECK(filled.Origin(0) == 0);
  CHECK(filled.Origin(2) == 2);
  CHECK(filled.Origin(3) == 2);
  CHECK(filled.Origin(5) == 11);
  CHECK(filled.Origin(10) == 22);
}

TEST_CASE("{missing} names every signal that a threshold compares, and is one series a store") {
  spec::Spec spec;
  spec.store.name = "queue";
  spec.store.identity = {"job", "path"};
  spec.store.present = "queue_up";
  spec.signals.resize(3);
  spec.signals[0].id = "shown";
  spec.signals[1].id = "jobs";
  spec.signals[1].title = "Jobs";
  spec.signals[2].id = "cost";
  spec.signals[2].title = "$1 \"cost\"";
  const auto factor = [](const std::string& signal, const std::string& number, const std::string& title) {
    return "(label_replace(2 * (group by (job, path) (queue_up) unless on (job, path) abs(queue:" + signal +
           ") < +Inf), \"missing_" + number + "\", \"" + title +
           ", \", \"\", \"\") or on (job, path) group by (job, path) (queue_up))";
  };
  CHECK(spec::FillPlaceholders("{missing}", spec) == "group by (job, path) (queue_up) < 1");
  spec.thresholds.resize(3);
  spec.thresholds[0].signal = "cost";
  spec.thresholds[1].signal = "jobs";
  spec.thresholds[2].signal = "jobs";
  CHECK(spec::FillPlaceholders("{missing}", spec) ==
        "max by (job, path, missing) (label_replace(label_join((" + factor("jobs", "1", "Jobs") +
            " * on (job, path) group_left (missing_2) " + factor("cost", "2", "$$1 \\\"cost\\\"") +
            ") > 1, \"missing\", \"\", \"missing_1\", \"missing_2\"), \"missing\", \"$1\", \"missing\", "
            "\"(.*), \"))");
}

TEST_CASE("the names of what is recorded beside the signals") {
  spec::Store store;
  store.name = "queue";
  CHECK(spec::SplitSeries(store, "depth") == "queue:depth:split");
  CHECK(spec::ReasonSeries(store) == "queue:coverage_reason");
}
