// A small spec made by hand, for tests that need one without a file.
#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "thresholds/model.h"

namespace outgrown::test {

inline spec::SignalTest Case(std::string name, std::string series, std::string notation, double value) {
  spec::SignalTest made;
  made.name = std::move(name);
  made.series = {{std::move(series), std::move(notation)}};
  made.at = std::chrono::minutes(10);
  made.value = value;
  return made;
}

// What the spec remembers, and two alerts about its measurement.
inline std::vector<spec::Watch> TinyWatches(const spec::Spec& spec) {
  spec::Watch present;
  present.record = "present";
  present.expr = "max by ({identity}) (queue_up)";
  present.labels = spec.store.identity;
  present.interval = std::chrono::minutes(2);
  present.tests = {Case("", "queue_up", "1x80", 1)};
  spec::Watch down;
  down.id = "ExporterDown";
  down.expr = "max by ({identity}) (last_over_time(queue:present[26h])) and on (job, instance) up == 0";
  down.labels = spec.store.identity;
  down.interval = spec.rules.interval;
  down.hold = std::chrono::minutes(5);
  down.severity = "warning";
  down.inhibits = {"DepthUnread"};
  down.equal = {"job", "instance"};
  down.summary = "Exporter down";
  down.description = "It does not answer.";
  down.look = "the exporter's log";
  down.act = "Start it.";
  spec::SignalTest fires;
  fires.name = "down";
  fires.series = {{"up{path=\"\"}", "0x20"}, {"queue_up", "1x20"}};
  fires.at = std::chrono::minutes(5);
  fires.fires = true;
  spec::SignalTest quiet = fires;
  quiet.name = "up";
  quiet.series[0].second = "1x20";
  quiet.fires = false;
  spec::SignalTest day = fires;
  day.name = "for a day";
  day.interval = std::chrono::minutes(30);
  day.series = {{"up{path=\"\"}", "0x60"}, {"queue_up", "1x2 stale"}};
  day.at = std::chrono::hours(26);
  down.tests = {fires, quiet, day};
  spec::Watch unread;
  unread.id = "DepthUnread";
  unread.expr = "count(queue_up unless on () queue_depth{digest=\"{digest}\"})";
  unread.labels = {};
  unread.interval = spec.rules.interval;
  unread.severity = "critical";
  unread.summary = "Depth unread";
  unread.description = "Nobody reads it.";
  fires.series = {{"queue_up", "1x20"}};
  fires.at = std::chrono::minutes(1);
  quiet.series = {{"queue_up", "1x20"}, {"queue_depth{digest=\"{digest}\"}", "1x20"}};
  unread.tests = {fires, quiet};
  return {present, down, unread};
}

inline spec::Spec TinySpec() {
  using std::chrono::minutes;
  using std::chrono::seconds;
  spec::Spec spec;
  spec.file = "rules/queue.toml";
  spec.store.name = "queue";
  spec.store.title = "File queue";
  spec.store.sufficient = "File queue sufficient";
  spec.store.next = "a broker";
  spec.store.identity = {"job", "instance", "path"};
  spec.store.present = "queue_up";
  spec.rules.keep_firing_for = minutes(15);
  spec.rules.flavors = {spec::Flavor::kPrometheus, spec::Flavor::kVictoriaMetrics};
  spec.rules.runbook_url = "https://example.org/queue.runbook.md";
  spec.output = {"gen", "dashboards", "docs", {}};
  spec.verdicts = {{"soon", "MOVE SOON", "warning", 10, {}}, {"now", "MOVE NOW", "critical", 20, {}}};
  spec.metrics = {{"queue_up", "gauge", "1 if the queue was read.", {"path"}, {}},
                  {"queue_jobs_total", "counter", "Jobs by status.", {"path", "status"}, {}},
                  {"queue_depth", "gauge", "Jobs that wait.", {"path"}, {}}};
  spec::Signal rate;
  rate.id = "jobs_per_second";
  rate.title = "Jobs per second";
  rate.description = "Jobs per second, over 5 minutes.";
  rate.unit = Unit::kPerSecond;
  rate.expr = "\n  sum by (job,instance, path) (rate(queue_jobs_total[300s]))\n";
  rate.tests = {Case("15 jobs a scrape", "queue_jobs_total{status=\"ok\"}", "0+15x80", 1)};
  spec::Signal depth;
  depth.id = "depth";
  depth.title = "Depth";
  depth.description = "Jobs that wait.";
  depth.expr = "max by (job, instance, path) (queue_depth)";
  depth.tests = {Case("", "queue_depth", "7x80", 7)};
  spec.signals = {rate, depth};
  const auto threshold = [](std::string id, std::string signal, double limit, Milliseconds hold,
                            std::string verdict, std::string because) {
    spec::Threshold made;
    made.id = std::move(id);
    made.signal = std::move(signal);
    made.limit = limit;
    made.hold = hold;
    made.verdict = std::move(verdict);
    made.because = std::move(because);
    return made;
  };
  spec.thresholds = {threshold("Rate", "jobs_per_second", 100, minutes(10), "now", "Rate >100/sec"),
                     threshold("RateApproaching", "jobs_per_second", 80, minutes(10), "soon", "Rate >80/sec"),
                     threshold("Depth", "depth", 1000, minutes(0), "soon", "More than 1000 jobs wait")};
  spec.watches = TinyWatches(spec);
  spec.digest = std::string(64, 'd');
  return spec;
}

}  // namespace outgrown::test
