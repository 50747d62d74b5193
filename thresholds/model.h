// The spec as plain structs: what rules/*.toml says, after parsing and validation, and nothing else.
//
// parse.h makes it from TOML and judges it, digest.h names it; rulegen/artefacts turns it into artefacts and
// spec_table.h into rows. Nobody changes it after that. Every value is what the author wrote, with the
// defaults filled in; identifiers refer to each other by id, never by position.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/time_text.h"
#include "thresholds/table.h"

namespace outgrown::spec {

// A place in the spec's file, counted from 1; a column is a Unicode code point, not a byte.
struct Position {
  int line = 1;
  int column = 1;

  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 sees a 0 in the comparison that it is to make itself
  friend auto operator<=>(const Position&, const Position&) = default;
};

// Where one key of a table is in the file, and its value.
struct Place {
  Position key;
  Position value;
  // Where the text of a string value begins, if the file holds it character for character (no escape in it), so that
  // a place inside it can be named; otherwise nothing.
  std::optional<Position> text;
  bool usable = true;  // false: the value was reported and the model holds the default in its place
};

// Where each key of one table is; "" is the table's own header line, "key[0]" an array's first element. A key
// that is absent has no entry. Empty for a spec made by hand.
using Positions = std::map<std::string, Place, std::less<>>;

// Where the key's value is; the table if it is absent, 1:1 if that has no place either.
inline Position PositionOf(const Positions& positions, std::string_view key) {
  auto found = positions.find(key);
  if (found == positions.end()) found = positions.find("");
  return found == positions.end() ? Position() : found->second.value;
}

// Whether the key is there but could not be read, so that the model's value is not the author's.
inline bool IsUnusable(const Positions& positions, std::string_view key) {
  const auto place = positions.find(key);
  return place != positions.end() && !place->second.usable;
}

// The rule engines that artefacts are made for. kPrometheus: 2.42 and newer, 3.x; Mimir and Thanos rulers too.
// kVictoriaMetrics: vmalert from 1.92 on; kVictoriaMetrics179: before, without keep_firing_for.
// kPrometheusOperator: the same rules as a PrometheusRule object of Kubernetes, for Prometheus' operator.
enum class Flavor { kPrometheus, kVictoriaMetrics, kVictoriaMetrics179, kPrometheusOperator };

struct Store {
  std::string name;        // [a-z][a-z0-9_]*; prefix of every recorded series and file
  std::string title;       // "SQLite checkpoint store"
  std::string sufficient;  // the verdict when nothing is breached: "SQLite sufficient"
  std::string next;        // what to migrate to: "PostgreSQL"
  std::vector<std::string> identity = {"job", "instance"};  // labels that name one store
  std::string present;                                      // the series that says which stores there are
  std::string
      modified;  // the series of the Unix times at which the stores were last written; "" if there is none
  Positions positions;
};

struct Rules {
  Milliseconds scrape_interval = std::chrono::seconds(15);
  Milliseconds interval =
      std::chrono::seconds(30);  // of every rule group; recorded samples are this far apart
  std::optional<Milliseconds> keep_firing_for;
  std::vector<Flavor> flavors = {Flavor::kPrometheus};
  // Of kPrometheusOperator alone: the object's labels, by which a Prometheus object selects it, in spec order.
  std::vector<std::pair<std::string, std::string>> object_labels;
  bool helm = false;        // of kPrometheusOperator alone: its file goes through Helm's templates
  std::string runbook_url;  // each alert's annotation is this plus "#" and the alert's anchor
  Positions positions;
};

// Where each kind of artefact goes, relative to the spec's folder. A kind that is absent is not made.
struct Output {
  std::optional<std::string> rules;
  std::optional<std::string> dashboards;
  std::optional<std::string> docs;
  Positions positions;
};

struct Alertmanager {
  std::string base;  // the user-supplied configuration, relative to the spec's folder; "" if none
  // Other specs' files, relative to the spec's folder, whose routes and inhibitions are merged in behind this one's.
  std::vector<std::string> also;
  // Labels beside the identity's by which alerts are grouped, and which inhibitions find equal: what
  // distinguishes several hosts with `external_labels` that share one Alertmanager.
  std::vector<std::string> equal;
  Positions positions;
};

// From mild to severe, in spec order.
struct Verdict {
  std::string id;        // "migrate_now"
  std::string text;      // "MIGRATE NOW"
  std::string severity;  // the alert's label: "critical"
  int exit_code = 0;     // of --evaluate --exit-code
  Positions positions;
};

// A foreign metric that expressions may read, with the labels it has beside the identity ones.
struct Metric {
  std::string name;
  std::string type;  // counter | gauge | histogram | summary
  std::string help;
  std::vector<std::string> labels;
  Positions positions;
};

// Raw series in, recorded value or alert out: one promtool case, of a signal, the coverage or a watch.
//
// Which stores a case is about: its series have the identity's labels that they don't name themselves with
// the values of the example store (ExampleValue); one that is named as empty (`up{database=""}`) is not
// there. Each distinct set of values of the identity's labels (of a watch: of Watch::labels) among the series
// that have all of them is one store; the example store if no series has them all. What the case expects, it
// expects of each of these stores, and of no other.
struct SignalTest {
  std::string name;                                         // "idle records 0"; "" if the author gave none
  std::vector<std::pair<std::string, std::string>> series;  // selector -> promtool's notation, in spec order
  Milliseconds at{0};
  double value = 0;  // not of an alert
  Positions positions;
  bool recorded = true;  // false: nothing is recorded; `value` means nothing then
  bool fires = false;    // of an alert alone: whether it fires at `at`
  // Of an alert alone: labels that its expression makes, which no series of the case has.
  std::vector<std::pair<std::string, std::string>> labels;
  // Of a watch: the samples of the series and the evaluations of all rules are this far apart. Absent (and in
  // signals and coverage): rules.scrape_interval and rules.interval.
  std::optional<Milliseconds> interval = {};
  // Of a signal with `split`: reason -> value recorded then, exactly these. Absent: not looked at.
  std::optional<std::vector<std::pair<std::string, double>>> split = {};
  // Of a coverage with `reason`: the values of the label `reason` recorded then, exactly these, each with the value 1.
  // Absent: not looked at.
  std::optional<std::vector<std::string>> reasons = {};
};

// One recording rule: STORE:ID (names.h). Without a threshold it is shown and not judged.
struct Signal {
  std::string id;
  std::string title;
  std::string description;  // one sentence for the metric reference and the dashboard
  Unit unit = Unit::kCount;
  std::string expr;  // PromQL; keeps the identity labels and no other
  // PromQL, recorded as STORE:ID:split (names.h) right behind the signal; keeps the identity labels and
  // `reason`, and is shown beside the verdict as shares of its sum. "" if there is none.
  std::string split;
  // The id of the signal that says how far this one can go in this very store, shown beside the limit. "" if there is none.
  std::string ceiling;
  // What to do where most of it has this reason, in spec order. Not part of the digest, as all sentences.
  std::vector<std::pair<std::string, std::string>> advice;
  std::vector<SignalTest> tests;
  Positions positions;
};

// The rules that a group may have: the limit that Mimir's rulers come with. A signal's recording rule and its
// alerts are in one group, so that an alert never sees an older recorded value.
inline constexpr std::size_t kRulesPerGroupMax = 20;

// One alert on one signal; of one signal at most kRulesPerGroupMax - 1.
struct Threshold {
  std::string id;  // the alert's name is the store's and this (names.h): "WriteErrors"
  std::string signal;
  Direction direction = Direction::kAbove;
  double limit = 0;      // in the signal's unit; breached strictly above or strictly below
  Milliseconds hold{0};  // `for`: how long the condition must have held
  std::string verdict;
  std::string because;  // "Write errors >1% (SQLite saturated)"
  std::string look;     // runbook: what to look at; may be empty
  std::string act;      // runbook: what to do; may be empty
  Positions positions;
};

// How much of the store's own commits the application's counting saw: one more recorded series, 1 if all.
// Below `minimum`, or absent, the signals that rest on that counting can't be trusted: those in `unknown` are
// unknown; those in `lower_bound` can only be too small, so a breach above is proven and anything else is unknown.
// Above `maximum` more was counted than the store has seen: those in `unknown` are unknown, those in
// `lower_bound` valid, since their expressions rest on the store's own commits then.
struct Coverage {
  std::string expr;
  double minimum = 0.95;
  double maximum = 1.05;
  // PromQL, recorded as STORE:coverage_reason (names.h) right behind the coverage: why it is what it is. Its
  // series keep the identity labels and `reason`, and have the value 1. "" if there is none.
  std::string reason;
  // What each of these reasons reads in the verdict line, in spec order; a reason without a sentence reads as itself.
  // Texts are not part of the digest.
  std::vector<std::pair<std::string, std::string>> reasons;
  std::vector<std::string> unknown;
  std::vector<std::string> lower_bound;
  std::vector<SignalTest> tests;
  Positions positions;
};

// One [[watch]]: an alert about the measurement, or what such alerts remember. Not part of the digest.
//
// Its expression and the series of its tests may hold placeholders ({digest}, {identity} and so on), which
// the model keeps as they are written: FillPlaceholders (placeholders.h) puts the values in. Alerts and
// memories are in spec order, in groups of their own interval, apart from the signals'; an alert may read
// every recorded series of the spec, memories included.
//
// An alert has the labels that its series keep, `severity`, and no `verdict`; the annotations `summary`, `description`
// followed by " Store: LABEL=VALUE, ..." of `labels`, and `runbook_url`. An expression that compares with a number
// needs no other value than 1 in tests: promtool does not look at an alert's value.
struct Watch {
  std::string id;  // of an alert: "ExporterDown", named by the store and this (AlertName); "" for a memory
  std::string record;  // of a memory: "present", recorded as STORE:present (RecordedSeries); "" for an alert
  std::string expr;    // PromQL; keeps `labels` and no other
  std::vector<std::string> labels;  // default: the identity's; may be empty
  Milliseconds interval{0};         // of its evaluation; default: rules.interval
  Milliseconds hold{0};             // `for`
  std::optional<Milliseconds> keep_firing_for;
  std::string severity;  // default: the mildest verdict's: an unmeasured store is unknown, not outgrown
  std::vector<std::string> inhibits;  // ids of other alerts ([[watch]] or [[threshold]]) that it silences
  std::vector<std::string> equal;     // the labels that these have in common with it; default: `labels`
  std::string summary;                // "Exporter down (the store is not measured)"
  std::string description;            // what it means: annotation and runbook
  std::string look;                   // runbook: what to look at; may be empty
  std::string act;                    // runbook: what to do; may be empty
  std::vector<SignalTest> tests;      // of an alert at least one that fires and one that doesn't
  Positions positions;

  bool is_alert() const { return record.empty(); }
};

// One [[panel]] of the dashboard behind those of the signals and thresholds. Not part of the digest.
//
// Its queries may hold {identity}, as a watch's, and {shown}: the matchers that the dashboard's variables make.
struct DashboardPanel {
  enum class Kind { kChart, kStates, kTable };
  std::string row;  // begins a row of that title; "" goes on in the one before
  std::string title;
  std::string description;
  Kind kind = Kind::kChart;
  std::string unit;  // Grafana's id: "percentunit"
  int width = 8;     // of 24 columns
  bool stacked = false;
  std::vector<std::pair<std::string, std::string>> queries;  // legend, in Grafana's format -> PromQL
  std::vector<std::pair<std::string, std::string>> colors;   // legend's text, or one of `texts` -> colour
  std::vector<std::pair<std::string, double>> texts;  // of kStates: text -> the value that is shown by it
  std::vector<std::pair<std::string, double>> steps;  // of kTable: colour -> from that value on; green before
  std::vector<std::string> columns;                   // of kTable: labels, and "Value"
  std::string value_title;                            // of kTable: the value's heading
  std::string empty;                                  // shown where no query has a result
  Positions positions;
};

struct Spec {
  std::filesystem::path file;  // as the user named it
  Positions positions;         // of the root's keys
  int schema = 1;
  Store store;
  Rules rules;
  Output output;
  std::optional<Alertmanager> alertmanager;
  std::vector<Verdict> verdicts;
  std::vector<Metric> metrics;
  std::vector<Signal> signals;
  std::vector<Threshold> thresholds;
  std::optional<Coverage> coverage;
  std::vector<Watch> watches;
  std::vector<DashboardPanel> panels;
  std::string digest;  // SHA-256 of the canonical text (digest.h), 64 hexadecimal digits
};

}  // namespace outgrown::spec
