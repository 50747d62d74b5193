#include "rulegen/plan/measurement.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "rulegen/plan/example_store.h"
#include "rulegen/plan/promql.h"
#include "rulegen/spec/names.h"

namespace outgrown::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// A decision is made daily; two hours of slack for a timer that starts late or a machine that was off.
constexpr Milliseconds kOverdue = hours(26);
// busy_timeout is seconds, a large transaction tens of them: five minutes inside one write is no work any
// more.
constexpr Milliseconds kStuck = minutes(5);

// What decides which alerts make sense. A spec over foreign series (postgres_exporter's) has no counter
// block, no exporter of ours that would show a digest or a decision.
struct Applies {
  bool target = false;    // its stores carry job and instance, so that `up` can be joined
  bool exporter = false;  // its stores are those of our exporter
  bool coverage = false;  // it says how the counting is checked

  explicit Applies(const spec::Spec& spec)
      : target(std::ranges::count(spec.store.identity, "job") > 0 &&
               std::ranges::count(spec.store.identity, "instance") > 0),
        exporter(spec.store.present == "checkpoint_block_up"),
        coverage(spec.coverage.has_value()) {}
};

std::string Seconds(Milliseconds duration) {
  return PromqlNumber(static_cast<double>(duration.count()) / 1000);
}

std::string MaxBy(const std::string& labels, const std::string& operand) {
  return "max by (" + labels + ") (" + operand + ")";
}

// At least the four scrapes that a rate needs to survive a lost one.
std::string RateWindow(const spec::Spec& spec) {
  return FormatDuration(std::max<Milliseconds>(minutes(5), 4 * spec.rules.scrape_interval));
}

class Planner {
 public:
  explicit Planner(const spec::Spec& spec)
      : spec_(spec), by_(IdentityList(spec)), store_(ExampleStore(spec)) {}

  std::vector<MeasurementAlert> All() {
    const Applies applies(spec_);
    std::vector<MeasurementAlert> alerts;
    if (applies.target) alerts.push_back(ExporterDown());
    if (applies.exporter) alerts.push_back(BlockUnreadable());
    if (applies.exporter) alerts.push_back(WriterStale());
    if (applies.exporter) alerts.push_back(WriterGone());
    if (applies.coverage) alerts.push_back(CoverageIncomplete());
    if (applies.exporter) alerts.push_back(DigestMismatch());
    if (applies.exporter) alerts.push_back(DecisionOverdue());
    for (MeasurementAlert& alert : alerts) {
      for (MeasurementCase& test : alert.cases) test.at = OnGrid(test.at);
    }
    return alerts;
  }

 private:
  // The first evaluation at or after that time.
  Milliseconds OnGrid(Milliseconds time) const {
    const Milliseconds interval = spec_.rules.interval;
    return (time + interval - Milliseconds(1)) / interval * interval;
  }

  // The series of the example store, with its identity labels.
  std::string Of(std::string_view name) const { return Selector(name, store_); }
  // The series of its target, which carry no more than job and instance.
  std::string OfTarget(std::string_view name, std::vector<Pair> more = {}) const {
    std::vector<Pair> labels = ExampleTarget();
    labels.insert(labels.end(), more.begin(), more.end());
    return Selector(name, labels);
  }

  // `up` alone would lose the labels that tell one store of a target from another, so the last known stores
  // stand on the left; 26 h long, because a longer silence is a store that was taken away.
  MeasurementAlert ExporterDown() const {
    MeasurementAlert alert;
    alert.id = "ExporterDown";
    alert.expr = MaxBy(by_, "last_over_time(" + spec_.store.present + "[" + FormatDuration(kOverdue) + "])") +
                 " and on (job, instance) up == 0";
    alert.hold = minutes(5);
    alert.summary = "Exporter down (the store is not measured)";
    alert.means =
        "Prometheus cannot scrape the exporter that measured this store within the last 26 hours. Nothing "
        "new is known "
        "about the store; its thresholds are unknown, not healthy.";
    alert.look =
        "The target's page in Prometheus (Status, Targets) for the scrape's error, and the exporter's log.";
    alert.act = "Start the exporter, or mend the network between it and Prometheus.";
    alert.labels = spec_.store.identity;
    alert.cases = {
        {"the target is down and had a store",
         {{OfTarget("up"), "1x4 0x80"}, {Of(spec_.store.present), "1x4 stale"}},
         minutes(10),
         true,
         1},
        {"the target is up",
         {{OfTarget("up"), "1x80"}, {Of(spec_.store.present), "1x80"}},
         minutes(10),
         false,
         0},
        {"the target is down and never had a store", {{OfTarget("up"), "0x80"}}, minutes(10), false, 0},
    };
    return alert;
  }

  MeasurementAlert BlockUnreadable() const {
    MeasurementAlert alert;
    alert.id = "BlockUnreadable";
    alert.expr = MaxBy(by_, "checkpoint_block_up") + " == 0";
    alert.hold = minutes(5);
    alert.summary = "Counter block unreadable (the application's writes are not counted)";
    alert.means =
        "The exporter runs, but the store's counter block is missing, damaged or refused. Writes, errors and "
        "latency "
        "are unknown; size, servers and commits are still measured.";
    alert.look =
        "checkpoint_block_problem_info: its label reason says why. Then the block's folder and its "
        "permissions.";
    alert.act =
        "Missing: start the application with its counting on. Refused: mend owner, group and mode of the "
        "folder. "
        "Damaged: stop the application, remove the file, start it.";
    alert.labels = spec_.store.identity;
    alert.cases = {
        {"the block is unreadable", {{Of("checkpoint_block_up"), "0x80"}}, minutes(10), true, 0},
        {"the block is readable and the application idle",
         {{Of("checkpoint_block_up"), "1x80"}, {Of("checkpoint_last_write_timestamp_seconds"), "0x80"}},
         minutes(10),
         false,
         0},
        {"the exporter does not show the store",
         {{Of("checkpoint_block_up"), "_x80"}},
         minutes(10),
         false,
         0},
    };
    return alert;
  }

  MeasurementAlert WriterStale() const {
    MeasurementAlert alert;
    alert.id = "WriterStale";
    alert.expr = MaxBy(by_, "checkpoint_oldest_write_in_flight_seconds") + " > " + Seconds(kStuck);
    alert.summary = "Writer stale (a write has been in flight for more than 5 minutes)";
    alert.means =
        "A living writer entered a write more than 5 minutes ago and has not left it: it is frozen, or waits "
        "for "
        "something that does not come. An idle writer has no write in flight and is not meant.";
    alert.look =
        "checkpoint_writes_in_flight, and what the writing process does (its stack, its state in "
        "/proc/PID/status: T is "
        "stopped, D waits for the disk).";
    alert.act =
        "Continue or restart the stuck process. Until then everybody else may get database is locked.";
    alert.labels = spec_.store.identity;
    alert.cases = {
        {"a write has lasted for 10 minutes",
         {{Of("checkpoint_oldest_write_in_flight_seconds"), "600x80"}},
         minutes(10),
         true,
         600},
        {"a write has lasted for exactly 5 minutes",
         {{Of("checkpoint_oldest_write_in_flight_seconds"), "300x80"}},
         minutes(10),
         false,
         0},
        {"idle", {{Of("checkpoint_oldest_write_in_flight_seconds"), "0x80"}}, minutes(10), false, 0},
    };
    return alert;
  }

  MeasurementAlert WriterGone() const {
    MeasurementAlert alert;
    alert.id = "WriterGone";
    alert.expr = MaxBy(by_, "checkpoint_block_writers") + " == 0 and sum by (" + by_ +
                 ") (rate(checkpoint_store_commits_total[" + RateWindow(spec_) + "])) > 0";
    alert.hold = minutes(10);
    alert.summary = "No living writer (the store is written by somebody who is not counted)";
    alert.means =
        "The store's own commit counter advances, but no process holds a slot of the counter block: whoever "
        "writes is not "
        "counted. A store that nobody writes to is idle and is not meant.";
    alert.look =
        "checkpoint_block_writers, checkpoint_store_commits_total, and which processes have the file open "
        "(fuser).";
    alert.act =
        "Restart the application with its counting on; stop a program that should not write to the store.";
    alert.labels = spec_.store.identity;
    alert.cases = {
        {"commits without a writer",
         {{Of("checkpoint_block_writers"), "0x120"}, {Of("checkpoint_store_commits_total"), "0+1x120"}},
         minutes(20),
         true,
         0},
        {"idle: no writer, no commits",
         {{Of("checkpoint_block_writers"), "0x120"}, {Of("checkpoint_store_commits_total"), "7x120"}},
         minutes(20),
         false,
         0},
        {"a writer that commits",
         {{Of("checkpoint_block_writers"), "1x120"}, {Of("checkpoint_store_commits_total"), "0+1x120"}},
         minutes(20),
         false,
         0},
    };
    return alert;
  }

  MeasurementAlert CoverageIncomplete() const {
    const double minimum = spec_.coverage->minimum;
    const std::string series = spec::CoverageSeries(spec_.store);
    const double below = std::nextafter(minimum, -std::numeric_limits<double>::infinity());
    MeasurementAlert alert;
    alert.id = "CoverageIncomplete";
    alert.expr = series + " < " + PromqlNumber(minimum);
    alert.hold = minutes(10);
    alert.summary = "Coverage incomplete (writes go uncounted)";
    alert.means =
        "The store itself saw more commits than the application counted, or a connection's counting lost its "
        "place. "
        "What rests on the counting is unknown, and the verdict cannot be healthy.";
    alert.look =
        series + " over time, checkpoint_block_trace_lost, and which programs write without being observed.";
    alert.act =
        "Observe every connection of the application; where another trace took the connection's slot, set it "
        "before the "
        "observer.";
    alert.labels = spec_.store.identity;
    alert.cases = {
        {"just below the minimum", {{Of(series), PromqlNumber(below) + "x80"}}, minutes(15), true, below},
        {"at the minimum", {{Of(series), PromqlNumber(minimum) + "x80"}}, minutes(15), false, 0},
        {"complete", {{Of(series), "1x80"}}, minutes(15), false, 0},
        {"not recorded", {{Of(series), "_x80"}}, minutes(15), false, 0},
    };
    return alert;
  }

  // The digest and the store's name are the metric's labels; dropping them keeps the alert's labels stable.
  MeasurementAlert DigestMismatch() const {
    const std::string& store = spec_.store.name;
    MeasurementAlert alert;
    alert.id = "DigestMismatch";
    alert.expr = MaxBy("job, instance", "checkpoint_threshold_table_info{store=\"" + store + "\",digest!=\"" +
                                            spec_.digest + "\"}");
    alert.hold = hours(1);
    alert.summary = "Threshold table differs (exporter and rules come from different specs)";
    alert.means =
        "The exporter's threshold table was made from another spec than these rules. The rules decide about "
        "alerts; what the "
        "exporter and its host show as thresholds is not the same.";
    alert.look =
        "The label digest of checkpoint_threshold_table_info, and rulegen --verify, which names the copy "
        "behind.";
    alert.act =
        "Deploy the copy that is behind: the rules, the exporter, or the spec that it was given with --spec.";
    alert.labels = {"job", "instance"};
    const auto info = [&](const std::string& of, const std::string& digest) {
      return OfTarget("checkpoint_threshold_table_info", {{"store", of}, {"digest", digest}});
    };
    const std::string other(64, '0');
    alert.cases = {
        {"another digest for an hour", {{info(store, other), "1x400"}}, minutes(70), true, 1},
        {"another digest during a roll-out", {{info(store, other), "1x100 _x300"}}, minutes(70), false, 0},
        {"the same digest", {{info(store, spec_.digest), "1x400"}}, minutes(70), false, 0},
        {"another store's table", {{info("other_" + store, other), "1x400"}}, minutes(70), false, 0},
    };
    return alert;
  }

  MeasurementAlert DecisionOverdue() const {
    const std::string timestamp = "checkpoint_decision_timestamp_seconds";
    const std::vector<Pair> store = {{"store", spec_.store.name}};
    const std::string overdue = PromqlNumber(-static_cast<double>(kOverdue.count()) / 1000);
    MeasurementAlert alert;
    alert.id = "DecisionOverdue";
    alert.expr = "time() - " + MaxBy("job, instance", timestamp + "{store=\"" + spec_.store.name + "\"}") +
                 " > " + Seconds(kOverdue);
    alert.hold = minutes(5);
    alert.summary = "Decision overdue (none for 26 hours)";
    alert.means =
        "The exporter shows the decision log, and the last decision in it is older than 26 hours: the daily "
        "evaluation did "
        "not run, or could not log.";
    alert.look =
        "The timer's last run (systemctl list-timers, journalctl -u outgrown-evaluate), and the log's disk.";
    alert.act = "Run rulegen --evaluate by hand: it says what is wrong. Then mend the timer.";
    alert.labels = {"job", "instance"};
    alert.cases = {
        {"the last decision was 26 hours before the start",
         {{OfTarget(timestamp, store), overdue + "x80"}},
         minutes(10),
         true,
         0},
        {"the last decision is 26 hours old", {}, minutes(10), false, 0},
        {"a decision was made", {{OfTarget(timestamp, store), "0x80"}}, minutes(10), false, 0},
        {"the exporter shows no decisions", {{OfTarget(timestamp, store), "_x80"}}, minutes(10), false, 0},
    };
    const Milliseconds limit = OnGrid(alert.cases[1].at) - kOverdue;
    alert.cases[1].series = {{OfTarget(timestamp, store), Seconds(limit) + "x80"}};
    alert.cases[0].value = static_cast<double>((OnGrid(alert.cases[0].at) + kOverdue).count()) / 1000;
    return alert;
  }

  const spec::Spec& spec_;
  const std::string by_;
  const std::vector<Pair> store_;
};

}  // namespace

std::vector<MeasurementAlert> PlanMeasurement(const spec::Spec& spec) { return Planner(spec).All(); }

const std::string& MeasurementSeverity(const spec::Spec& spec) { return spec.verdicts.front().severity; }

}  // namespace outgrown::plan
