// [[watch]], and what came to [coverage], [[signal]] and [alertmanager] with it: what is taken, and what is refused.
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "test/thresholds/spec_text.h"
#include "thresholds/digest.h"
#include "thresholds/names.h"
#include "thresholds/parse.h"

using namespace outgrown;
using test::Changed;
using test::DiagnosticsOf;

namespace {

constexpr std::string_view kWatches = R"toml(
[[watch]]
record = "present"
interval = "2m"
expr = "max by ({identity}) (queue_up)"

[[watch.test]]
series = { queue_up = "1x4" }
at = "1m"
value = 1

[[watch.test]]
series = { up = "1x4" }
at = "1m"
recorded = false

[[watch]]
id = "Down"
expr = """
max by ({identity}) (last_over_time(queue:present[26h]))
and on (job, instance) up == 0
"""
for = "5m"
inhibits = ["Silent", "Jobs"]
equal = ["job", "instance"]
summary = "Queue down"
description = "Nothing is known of it."

[[watch.test]]
series = { 'up{path=""}' = "0x12", queue_up = "1 stale" }
interval = "30s"
at = "5m"
fires = true

[[watch.test]]
series = { 'up{path=""}' = "1x12", queue_up = "1 stale" }
interval = "30s"
at = "5m"
fires = false

[[watch]]
id = "Silent"
labels = ["job", "instance"]
expr = 'max by (job, instance) (rate(queue_jobs_total{kind="{digest}"}[{window}])) == 0 and queue:coverage_ratio < {minimum}'
keep_firing_for = "10m"
severity = "critical"
summary = "Queue silent"
description = "It stands still."
look = "The queue."
act = "Restart it."

[[watch.test]]
series = { 'queue_jobs_total{kind="{digest}"}' = "1x12" }
interval = "30m"
at = "5h"
fires = true

[[watch.test]]
series = { 'queue_jobs_total{kind="{digest}"}' = "0+1x12" }
interval = "30m"
at = "5h"
fires = false
)toml";

std::string WithWatches() { return std::string(test::kSpecText) + std::string(kWatches); }

std::string FoundIn(std::string_view from, std::string_view to) {
  return DiagnosticsOf(Changed(from, to, WithWatches()));
}

bool Contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("watches are read with what the spec says for everything filled in") {
  const spec::LoadedSpec loaded = spec::ParseSpec(WithWatches(), "queue.toml");
  for (const spec::Diagnostic& diagnostic : loaded.diagnostics) FAIL_CHECK(FormatDiagnostic(diagnostic));
  REQUIRE(loaded.spec.has_value());
  REQUIRE(loaded.spec->watches.size() == 3);
  const spec::Watch& memory = loaded.spec->watches[0];
  CHECK_FALSE(memory.is_alert());
  CHECK(memory.record == "present");
  CHECK(memory.labels == std::vector<std::string>{"job", "instance", "path"});
  CHECK(memory.interval == std::chrono::minutes(2));
  CHECK_FALSE(memory.tests[1].recorded);
  const spec::Watch& down = loaded.spec->watches[1];
  CHECK(down.is_alert());
  CHECK(down.interval == std::chrono::seconds(30));
  CHECK(down.hold == std::chrono::minutes(5));
  CHECK(down.severity == "warning");
  CHECK(down.inhibits == std::vector<std::string>{"Silent", "Jobs"});
  CHECK(down.equal == std::vector<std::string>{"job", "instance"});
  CHECK(down.tests[0].fires);
  CHECK_FALSE(down.tests[1].fires);
  const spec::Watch& silent = loaded.spec->watches[2];
  CHECK(silent.equal == silent.labels);
  CHECK(silent.severity == "critical");
  CHECK(*silent.tests[0].interval == std::chrono::minutes(30));
}

TEST_CASE("a watch is no part of the digest, nor are the sentences of the reasons") {
  const auto digest = [](const std::string& toml) {
    const spec::LoadedSpec loaded = spec::ParseSpec(toml, "queue.toml");
    REQUIRE(loaded.spec.has_value());
    return loaded.spec->digest;
  };
  const std::string without = digest(std::string(test::kSpecText));
  CHECK(digest(WithWatches()) == without);
  const std::string coverage = "[coverage]\n";
  const auto with = [&](std::string_view keys) {
    return digest(Changed(coverage, coverage + std::string(keys)));
  };
  CHECK(with("maximum = 1.05\n") == without);
  CHECK(with("maximum = 1.5\n") != without);
  const std::string reason = "reason = \"max by (job, instance, path, kind) (queue_jobs_total)\"\n";
  CHECK(with(reason) != without);
  CHECK(with(reason + "reasons = { a = \"b\" }\n") == with(reason));
  CHECK(digest(Changed("[alertmanager]\n", "[alertmanager]\nequal = [\"cluster\"]\n")) == without);
  const auto depth = [&](const std::string& keys) {
    return digest(Changed("id = \"depth\"\n", "id = \"depth\"\n" + keys));
  };
  const std::string split = "split = \"queue_up\"\n";
  CHECK(depth(split) != without);
  CHECK(depth(split + "advice = { full = \"free the disk\" }\n") == depth(split));
}

TEST_CASE("what is wrong with a watch is reported at its place") {
  struct Row {
    std::string_view from;
    std::string_view to;
    std::string_view found;
  };
  constexpr Row kRows[] = {
      {"record = \"present\"", "record = \"present\"\nid = \"Both\"",
       "watch.record: found record beside id, expected id (of an alert) or record"},
      {"id = \"Down\"", "", "watch.id: found neither id nor record"},
      {"id = \"Down\"", "id = \"Jobs\"", "watch.id: found \"Jobs\" again (first in line"},
      {"id = \"Down\"", "id = \"sILENT\"", "watch.id: found \"sILENT\""},
      {"id = \"Down\"", "id = \"SILENT\"", "watch.id: found \"Silent\" again (first in line"},
      {"record = \"present\"", "record = \"coverage_ratio\"", "[coverage] records a series of that name"},
      {"record = \"present\"", "record = \"depth\"",
       "signal.id: found \"depth\", expected another id: a [[watch]] records a series of that name"},
      {"interval = \"2m\"", "interval = \"2m\"\nfor = \"5m\"",
       "watch.for: found a key of alerts, expected no such key, since a watch with record is no alert"},
      {"interval = \"2m\"", "interval = \"500ms\"", "watch.interval: found \"500ms\", expected at least 1s"},
      {"interval = \"2m\"", "interval = \"5m\"", "watch.interval: found \"5m\", expected less than 5m"},
      {"for = \"5m\"", "for = \"10s\"",
       "watch.for: found \"10s\", expected \"0s\" or at least rules.interval (30s)"},
      {"keep_firing_for = \"10m\"", "keep_firing_for = \"10s\"",
       "watch.keep_firing_for: found \"10s\", expected at least rules.interval (30s)"},
      {"max by ({identity}) (queue_up)", "max by ({identiy}) (queue_up)",
       "watch.expr: found the unknown placeholder \"{identiy}\", expected one of {digest}, {identity}, "
       "{window}, {missing}, {lookback}, {lookback_seconds}, and beside a [coverage] {minimum} and "
       "{maximum}; "
       "did you mean \"identity\"?"},
      {"queue:present[26h]", "queue:presnt[26h]", "watch.expr: found the unknown series \"queue:presnt\""},
      {"inhibits = [\"Silent\"", "inhibits = [\"Silend\"",
       "watch.inhibits: found the unknown alert \"Silend\", expected the id of a [[watch]] or [[threshold]]; "
       "did "
       "you mean \"Silent\"?"},
      {"inhibits = [\"Silent\"", "inhibits = [\"Down\"", "watch.inhibits: found \"Down\", this alert itself"},
      {"inhibits = [\"Silent\"", "inhibits = [\"Jobs\"", "watch.inhibits: found \"Jobs\" again"},
      {"keep_firing_for = \"10m\"", "inhibits = [\"Down\"]",
       "watch.inhibits: found \"Down\", which inhibits this alert itself, expected an alert that doesn't"},
      {"id = \"Silent\"\nlabels = [\"job\", \"instance\"]",
       "id = \"Silent\"\nlabels = [\"job\", \"instance\", \"severity\"]",
       "watch.labels: found \"severity\", expected a label that alerts don't set themselves"},
      {"equal = [\"job\", \"instance\"]", "",
       "watch.inhibits: found \"Silent\", which has no label \"path\", expected an alert that has the labels "
       "of equal"},
      {"equal = [\"job\", \"instance\"]", "equal = [\"kind\"]",
       "watch.equal: found \"kind\", expected a label that the alert's series have (labels)"},
      {"severity = \"critical\"", "severity = \"a b\"", "watch.severity: found \"a b\""},
      {"summary = \"Queue down\"", "", "watch.summary: found nothing, expected a string"},
      {"summary = \"Queue down\"", "summary = \"\"", "watch.summary: found an empty text"},
      {"value = 1\n\n[[watch.test]]", "fires = true\n\n[[watch.test]]",
       "watch.test.fires: found fires, expected value or recorded = false"},
      {"recorded = false", "recorded = true", "watch.test.recorded: found true, expected false"},
      {"recorded = false", "", "watch.test.value: found nothing, expected value or recorded = false"},
      {"fires = true", "", "watch.test.fires: found nothing, expected true or false"},
      {"fires = true", "value = 1\nfires = true", "watch.test.value: found value, expected fires"},
      {"fires = true", "labels = { kind = \"a\" }\nfires = true",
       "watch.test.labels: found \"kind\", expected a label of the watch's labels"},
      {"fires = true", "fires = false", "watch.test: found no test that fires"},
      {"at = \"5m\"\nfires = false", "at = \"5m\"\nfires = true",
       "watch.test: found no test that does not fire"},
      {"at = \"5m\"\nfires = true", "at = \"7m\"\nfires = true",
       "watch.test.at: found \"7m\", expected at most 6m, where the series end (one sample every interval)"},
      {"interval = \"30s\"", "interval = \"10ms\"",
       "watch.test.interval: found \"10ms\", expected at least 1s"},
  };
  CHECK(DiagnosticsOf(WithWatches()) == "");
  for (const Row& row : kRows) {
    CAPTURE(row.from);
    CAPTURE(row.to);
    std::string from(row.from);
    // The first in the text is another table's.
    const bool of_watch = std::string(test::kSpecText).find(from) == std::string::npos;
    const std::string found =
        of_watch
            ? FoundIn(row.from, row.to)
            : DiagnosticsOf(std::string(test::kSpecText) + Changed(row.from, row.to, std::string(kWatches)));
    CAPTURE(found);
    CHECK(Contains(found, row.found));
  }
}

TEST_CASE("what is wrong behind a placeholder is reported where the author wrote it") {
  const std::string found = FoundIn("queue:present[26h]", "queue:presnt[26h]");
  const std::string text = Changed("queue:present[26h]", "queue:presnt[26h]", WithWatches());
  const std::size_t at = text.find("queue:presnt");
  const auto line = 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n');
  const std::size_t column = at - text.rfind('\n', at);
  CHECK(found.starts_with("queue.toml:" + std::to_string(line) + ":" + std::to_string(column) + ": "));
}

TEST_CASE("what is wrong with the newer keys of coverage, signals and Alertmanager is reported") {
  struct Row {
    std::string_view from;
    std::string_view to;
    std::string_view found;
  };
  constexpr Row kRows[] = {
      {"[coverage]\n", "[coverage]\nmaximum = 0.9\n",
       "coverage.maximum: found 0.9, expected a number of at least 1"},
      {"[coverage]\n", "[coverage]\nreason = \"rate(queue_up[5m])\"\n",
       "coverage.reason: found rate of \"queue_up\""},
      {"[coverage]\n", "[coverage]\nreason = \"\"\n", "coverage.reason: found no expression"},
      {"[coverage]\n", "[coverage]\nreasons = { a = \"b\" }\n",
       "coverage.reasons: found sentences of reasons, expected the key reason"},
      {"[coverage]\n", "[coverage]\nreason = \"queue_up\"\nreasons = { A = \"b\" }\n",
       "coverage.reasons: found \"A\""},
      {"[coverage]\n", "[coverage]\nreason = \"queue_up\"\nreasons = { a = \"\" }\n",
       "coverage.reasons: found an empty text"},
      {"[coverage]\n", "[coverage]\nreason = \"queue_up\"\nreasons = { a = 1 }\n",
       "coverage.reasons: found 1, expected a string for each reason"},
      {"id = \"depth\"\n", "id = \"depth\"\nadvice = { full = \"free the disk\" }\n",
       "signal.advice: found sentences of reasons, expected the key split"},
      {"id = \"depth\"\n", "id = \"depth\"\nsplit = \"queue_sp\"\n",
       "signal.split: found the unknown series"},
      {"name = \"as it is\"\n", "name = \"as it is\"\nsplit = { a = 1 }\n",
       "signal.test.split: found a split, expected none, since the signal has no key split"},
      {"name = \"as it is\"\n", "name = \"as it is\"\nrecorded = false\n",
       "signal.test.recorded: found recorded beside value, expected one of the two"},
      {"at = \"10m\"\nvalue = 1\n\n[[signal]]", "at = \"10m\"\n\n[[signal]]",
       "signal.test.value: found nothing, expected a finite number (or recorded = false)"},
      {"at = \"10m\"\nvalue = 1\n\n[[signal]]", "at = \"10m\"\nrecorded = true\n\n[[signal]]",
       "signal.test.recorded: found true, expected false, where nothing is recorded; else value"},
      {"[[coverage.test]]\n", "[[coverage.test]]\nreasons = [\"a\"]\n",
       "coverage.test.reasons: found reasons, expected none, since the coverage has no key reason"},
      {"[alertmanager]\n", "[alertmanager]\nequal = [\"path\"]\n",
       "alertmanager.equal: found \"path\", expected a label beside those of store.identity"},
      {"[alertmanager]\n", "[alertmanager]\nequal = [\"a b\"]\n", "alertmanager.equal: found \"a b\""},
  };
  for (const Row& row : kRows) {
    CAPTURE(row.to);
    const std::string found = DiagnosticsOf(Changed(row.from, row.to));
    CAPTURE(found);
    CHECK(Contains(found, row.found));
  }
}

TEST_CASE("a case may say that nothing is recorded") {
  const spec::LoadedSpec loaded = spec::ParseSpec(
      Changed("at = \"10m\"\nvalue = 1\n\n[[signal]]", "at = \"10m\"\nrecorded = false\n\n[[signal]]"),
      "queue.toml");
  REQUIRE(loaded.spec.has_value());
  CHECK_FALSE(loaded.spec->signals[0].tests[0].recorded);
  CHECK(Contains(CanonicalText(*loaded.spec), "signal[0].test[0].recorded = false\n"));
  CHECK_FALSE(Contains(CanonicalText(*loaded.spec), "signal[0].test[0].value"));
}
