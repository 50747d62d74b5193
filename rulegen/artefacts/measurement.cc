#include "rulegen/artefacts/measurement.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <vector>

#include "thresholds/known_series.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::plan {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

// What decides which alerts make sense. A spec over foreign series (postgres_exporter's) has no counter block, and no
// exporter of ours that would show a digest; its decisions are shown by whichever exporter reads the log.
struct Applies {
  bool target = false;    // its stores carry job and instance, so that `up` can be joined
  bool exporter = false;  // its stores are those of our exporter
  bool coverage = false;  // it says how the counting is checked

  explicit Applies(const spec::Spec& spec)
      : target(std::ranges::count(spec.store.identity, "job") > 0 &&
               std::ranges::count(spec.store.identity, "instance") > 0),
        exporter(spec::HasOwnExporter(spec)),
        coverage(spec.coverage.has_value()) {}
};

// A log that was shown within this time is still expected: with the decider's host the decisions vanish too.
constexpr std::string_view kDecisionsForgotten = "[1w]";

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
  explicit Planner(const spec::Spec& spec) : spec_(spec), by_(IdentityList(spec)) {}

  std::vector<MeasurementAlert> All() {
    const Applies applies(spec_);
    std::vector<MeasurementAlert> alerts;
    if (applies.target) alerts.push_back(ExporterDown());
    if (applies.target) alerts.push_back(StoreSilent());
    if (applies.exporter) alerts.push_back(BlockUnreadable());
    if (applies.exporter) alerts.push_back(WriterStale());
    if (applies.exporter) alerts.push_back(WriterGone());
    if (applies.coverage) alerts.push_back(CoverageIncomplete());
    if (applies.exporter) alerts.push_back(DigestMismatch());
    alerts.push_back(DecisionOverdue());
    return alerts;
  }

 private:
  // `up` alone would lose the labels that tell one store of a target from another, so the last known stores
  // stand on the left; 26 h long, because a longer silence is a store that was taken away.
  std::string SeenWithinADay() const {
    return MaxBy(by_, "last_over_time(" + spec::PresentSeries(spec_.store) + "[" +
                          FormatDuration(kDecisionOverdue) + "])");
  }

  MeasurementAlert ExporterDown() const {
    MeasurementAlert alert;
    alert.id = "ExporterDown";
    alert.expr = SeenWithinADay() + " and on (job, instance) max by (job, instance) (up) == 0";
    alert.hold = minutes(5);
    alert.summary = "Exporter down (the store is not measured)";
    alert.means =
        "Prometheus cannot scrape the exporter that measured this store within the last 26 hours. Nothing "
        "new is known about the store; its thresholds are unknown, not healthy. The alert ends when the "
        "exporter answers again, and by itself 26 hours after the store was last seen.";
    alert.look =
        "The target's page in Prometheus (Status, Targets) for the scrape's error, and the exporter's log.";
    alert.act = "Start the exporter, or mend the network between it and Prometheus.";
    alert.labels = spec_.store.identity;
    return alert;
  }

  // The value of `present` is not looked at: what it says about a store that is there is the store's own matter.
  MeasurementAlert StoreSilent() const {
    const std::string& present = spec_.store.present;
    MeasurementAlert alert;
    alert.id = "StoreSilent";
    alert.expr = SeenWithinADay() + " unless " + MaxBy(by_, present) + " and on (job, instance) up == 1";
    alert.hold = minutes(5);
    alert.summary = "Store silent (its exporter runs, but shows nothing of it)";
    alert.means =
        "Prometheus scrapes the exporter, but the store, which it showed within the last 26 hours, is no "
        "longer among what it shows: the store is down or gone, or the exporter was told to leave it out. "
        "Its thresholds are unknown, not healthy.";
    alert.look =
        present + ": when it ended. Then the exporter's log, its options, and whether the store runs.";
    alert.act =
        "Start the store, or give it back to the exporter. If it was taken away for good, silence the alert: "
        "it ends by itself 26 hours after the store was last seen.";
    alert.labels = spec_.store.identity;
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
        "latency are unknown; size, servers and commits are still measured.";
    alert.look =
        "checkpoint_block_problem_info: its label reason says why. Then the block's folder and its "
        "permissions.";
    alert.act =
        "Missing: start the application with its counting on. Refused: mend owner, group and mode of the "
        "folder. Damaged: stop the application, remove the file, start it.";
    alert.labels = spec_.store.identity;
    return alert;
  }

  MeasurementAlert WriterStale() const {
    MeasurementAlert alert;
    alert.id = "WriterStale";
    alert.expr = MaxBy(by_, "checkpoint_oldest_write_in_flight_seconds") + " > " + Seconds(kWriterStuck);
    alert.has_limit = true;
    alert.summary = "Writer stale (a write has been in flight for more than 5 minutes)";
    alert.means =
        "A living writer entered a write more than 5 minutes ago and has not left it: it is frozen, or waits "
        "for something that does not come. An idle writer has no write in flight and is not meant.";
    alert.look =
        "checkpoint_writes_in_flight, and what the writing process does (its stack, its state in "
        "/proc/PID/status: T is stopped, D waits for the disk).";
    alert.act =
        "Continue or restart the stuck process. Until then everybody else may get database is locked.";
    alert.labels = spec_.store.identity;
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
        "writes is not counted. A store that nobody writes to is idle and is not meant.";
    alert.look =
        "checkpoint_block_writers, checkpoint_store_commits_total, and which processes have the file open "
        "(fuser).";
    alert.act =
        "Restart the application with its counting on; stop a program that should not write to the store.";
    alert.labels = spec_.store.identity;
    return alert;
  }

  MeasurementAlert CoverageIncomplete() const {
    const double minimum = spec_.coverage->minimum;
    const std::string series = spec::CoverageSeries(spec_.store);
    MeasurementAlert alert;
    alert.id = "CoverageIncomplete";
    alert.expr = series + " < " + PromqlNumber(minimum);
    alert.has_limit = true;
    alert.hold = minutes(10);
    alert.summary = "Coverage incomplete (writes go uncounted)";
    alert.means =
        "The store itself saw more commits than the application counted, or a connection's counting lost its "
        "place. What rests on the counting is unknown, and the verdict cannot be healthy.";
    alert.look =
        series + " over time, checkpoint_block_trace_lost, and which programs write without being observed.";
    alert.act =
        "Observe every connection of the application; where another trace took the connection's slot, set it "
        "before the observer.";
    alert.labels = spec_.store.identity;
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
        "alerts; what the exporter and its host show as thresholds is not the same.";
    alert.look =
        "The label digest of checkpoint_threshold_table_info, and rulegen --verify, which names the copy "
        "behind.";
    alert.act =
        "Deploy the copy that is behind: the rules, the exporter, or the spec that it was given with --spec.";
    alert.labels = {"job", "instance"};
    return alert;
  }

  // A store that is old enough for a decision, and has none that is young enough. It is old enough if it was shown 26
  // hours ago, an hour's gap forgiven, and not taken away if it was shown since. The decisions may be shown by an
  // exporter on another host, which may be down now: what it showed last holds.
  MeasurementAlert DecisionOverdue() const {
    const std::string time = FormatDuration(kDecisionOverdue);
    std::string complete;
    for (const std::string& label : spec_.store.identity)
      complete += (complete.empty() ? "" : ",") + label + "!=\"\"";
    const std::string stores = spec::PresentSeries(spec_.store) + "{" + complete + "}";
    const std::string decisions = "last_over_time(" + spec::DecidedSeries(spec_.store) + "[" + time + "])";
    const std::string old_enough = MaxBy(by_, "last_over_time(" + stores + "[" + time + "])") + " and " +
                                   MaxBy(by_, "last_over_time(" + stores + "[1h] offset " + time + ")");
    MeasurementAlert alert;
    alert.id = kDecisionOverdueId;
    alert.expr = MaxBy(by_, WithSubject(old_enough) + " unless on (subject) " + decisions + " >= time() - " +
                                Seconds(kDecisionOverdue)) +
                 " and on () last_over_time(" + spec::DecidedStoresSeries(spec_.store) +
                 std::string(kDecisionsForgotten) + ")";
    alert.has_limit = true;
    alert.summary = "Decision overdue (none for 26 hours)";
    alert.means =
        "Exporters show the decision log, or did within the last week, and in none of them is a decision "
        "about this store that is younger than 26 hours: the daily evaluation did not run, did not find the "
        "store, or could not log.";
    alert.look =
        "The timer's last run (systemctl list-timers, journalctl -u outgrown-evaluate), and the log's disk. "
        "If other stores are decided: which spec and Prometheus the timer evaluates.";
    alert.act = "Run rulegen --evaluate by hand: it says what is wrong. Then mend the timer.";
    alert.labels = spec_.store.identity;
    return alert;
  }

  // The stores with the label `subject`, as the exporter writes it: KEY=VALUE by key, with commas between.
  std::string WithSubject(std::string stores) const {
    std::vector<std::string> labels = spec_.store.identity;
    std::ranges::sort(labels);
    std::string separator;
    for (const std::string& label : labels) {
      stores = "label_join(" + stores + ", \"subject\", \"" + separator + label + "=\", \"subject\", \"" +
               label + "\")";
      separator = ",";
    }
    return stores;
  }

  const spec::Spec& spec_;
  const std::string by_;
};

}  // namespace

std::vector<MeasurementAlert> PlanMeasurement(const spec::Spec& spec) { return Planner(spec).All(); }

const std::string& MeasurementSeverity(const spec::Spec& spec) { return spec.verdicts.front().severity; }

}  // namespace outgrown::plan
