// A small spec made by hand, for tests that need one without a file.
#pragma once

#include <chrono>
#include <string>

#include "thresholds/model.h"

namespace outgrown::test {

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
  rate.tests = {{"15 jobs a scrape", {{"queue_jobs_total{status=\"ok\"}", "0+15x80"}}, minutes(10), 1, {}}};
  spec::Signal depth;
  depth.id = "depth";
  depth.title = "Depth";
  depth.description = "Jobs that wait.";
  depth.expr = "max by (job, instance, path) (queue_depth)";
  depth.tests = {{"", {{"queue_depth", "7x80"}}, minutes(10), 7, {}}};
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
  spec.digest = std::string(64, 'd');
  return spec;
}

}  // namespace outgrown::test
