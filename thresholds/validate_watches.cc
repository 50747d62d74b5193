// [[watch]] and [[panel]]: what alerts and panels there are beside those of the signals and thresholds.
#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "common/text.h"
#include "thresholds/names.h"
#include "thresholds/test_series.h"
#include "thresholds/validation.h"

namespace outgrown::spec {
namespace {

// Keys that a memory lacks, since it sends no notification.
constexpr std::array<std::string_view, 9> kOfAlerts = {
    "for", "keep_firing_for", "severity", "inhibits", "equal", "summary", "description", "look", "act"};

class Watches {
 public:
  Watches(const Spec& spec, Report& report, Suggestions& suggestions)
      : spec_(spec),
        report_(report),
        suggestions_(suggestions),
        series_(spec, Reader::kWatches),
        expressions_(spec, series_, suggestions) {
    for (const Threshold& threshold : spec.thresholds) {
      // An alert on a threshold has the identity's labels.
      labels_of_.emplace(threshold.id, &spec.store.identity);
      thresholds_.emplace(RunbookAnchor(threshold.id), PositionOf(threshold.positions, "id").line);
    }
    for (const Watch& watch : spec.watches) {
      // emplace keeps the threshold's entry if an id occurs twice, which Alert() reports.
      if (!watch.is_alert()) continue;
      labels_of_.emplace(watch.id, &watch.labels);
      inhibits_.emplace(watch.id, &watch.inhibits);
    }
    for (const auto& [id, labels] : labels_of_) ids_.push_back(id);
    std::ranges::sort(ids_);
  }

  void Run() {
    for (const Watch& watch : spec_.watches) One(watch);
  }

 private:
  void One(const Watch& watch) {
    const TableCheck check("watch", watch.positions, report_);
    const bool has_id = watch.positions.contains("id") || !watch.id.empty();
    const bool has_record = watch.positions.contains("record") || !watch.record.empty();
    // Neither or both: which keys are right depends on the answer, so the rest of such a watch is not judged
    // by its kind.
    if (has_id == has_record) {
      const std::string found = has_id ? "record beside id" : "neither id nor record";
      check.WrongKey(has_id ? "record" : "id", found, "id (of an alert) or record (of what alerts remember)");
    } else if (has_record) {
      Memory(check, watch);
    } else {
      Alert(check, watch);
    }
    LabelNames(check, "labels", watch.labels);
    // The default is that of [rules], which was judged there.
    if (watch.positions.contains("interval")) {
      Interval(check, "interval", watch.interval);
      if (watch.interval > Milliseconds(0)) SlowEnough(check, "interval", watch.interval);
    }
    expressions_.WatchExpression(check, watch.expr);
    expressions_.Tests("watch.test", watch.tests, check, report_);
  }

  void Memory(const TableCheck& check, const Watch& watch) {
    if (check.Id("record", watch.record, IsSnakeCase,
                 "a name of lower-case letters, digits and _, beginning with a letter")) {
      records_.Add(check, "record", watch.record, "a name that no other [[watch]] records");
      if (Contains(OwnSeriesIds(), watch.record))
        check.Wrong("record", Quoted(watch.record), "another name: [coverage] records a series of that name");
    }
    for (const std::string_view key : kOfAlerts) {
      if (check.Names(key))
        check.WrongKey(key, "a key of alerts", "no such key, since a watch with record is no alert");
    }
    for (const SignalTest& test : watch.tests) {
      const TableCheck test_check("watch.test", test.positions, report_);
      const bool has_value = test_check.Names("value");
      const bool has_recorded = test_check.Names("recorded");
      if (test_check.Names("fires"))
        test_check.WrongKey("fires", "fires", "value or recorded = false, since a memory does not fire");
      else if (has_value == has_recorded && !test.positions.empty())
        test_check.Wrong(has_recorded ? "recorded" : "value", has_value ? "recorded beside value" : "nothing",
                         "value or recorded = false");
      else if (test_check.Has("recorded") && has_recorded && test.recorded)
        test_check.Wrong("recorded", "true", "false, where nothing is recorded; else value");
    }
  }

  void Alert(const TableCheck& check, const Watch& watch) {
    if (check.Id("id", watch.id, IsPascalCase,
                 "an id such as \"ExporterDown\": letters and digits, beginning with an upper-case one")) {
      // Alerts of both kinds share one runbook, whose anchors are in lower case.
      const auto threshold = thresholds_.find(RunbookAnchor(watch.id));
      if (threshold != thresholds_.end()) {
        check.Wrong("id",
                    Quoted(watch.id) + " again (first in line " + std::to_string(threshold->second) + ")",
                    "an id that no [[threshold]] has, upper and lower case alike");
      }
      alerts_.AddFolded(check, "id", RunbookAnchor(watch.id), watch.id,
                        "an id that no other [[watch]] has, upper and lower case alike", Unique::At::kValue);
    }
    Texts(check, watch);
    const bool own_interval = watch.positions.contains("interval");
    const Pace pace{watch.interval, own_interval ? "interval" : "rules.interval",
                    own_interval ? check.Has("interval") : !IsUnusable(spec_.rules.positions, "interval")};
    Hold(check, watch.hold, pace);
    KeepFiringFor(check, watch.keep_firing_for, pace, spec_.rules);
    for (std::size_t i = 0; check.Has("labels") && i < watch.labels.size(); ++i) {
      if (watch.labels[i] != "alertname" && watch.labels[i] != "severity") continue;
      check.Wrong(Element("labels", i), Quoted(watch.labels[i]), "a label that alerts don't set themselves");
    }
    if (check.Has("severity") && watch.positions.contains("severity") && !IsSeverity(watch.severity)) {
      check.Wrong("severity", Quoted(watch.severity),
                  "a label value of letters, digits, _ and -, beginning with a letter, such as \"warning\"");
    }
    Inhibits(check, watch);
    Fires(check, watch);
  }

  void Texts(const TableCheck& check, const Watch& watch) {
    for (const auto& [key, text] : {std::pair<std::string_view, const std::string&>{"summary", watch.summary},
                                    {"description", watch.description}}) {
      // Optional in the list of keys, because a memory lacks them; of an alert they are required.
      if (check.Names(key) || watch.positions.empty()) {
        check.Line(key, text);
      } else {
        check.Wrong(key, "nothing", "a string");
      }
    }
    check.LineOrNothing("look", watch.look);
    check.LineOrNothing("act", watch.act);
  }

  void Inhibits(const TableCheck& check, const Watch& watch) {
    if (watch.positions.contains("equal") && LabelNames(check, "equal", watch.equal)) {
      for (std::size_t i = 0; i < watch.equal.size(); ++i) {
        if (Contains(watch.labels, watch.equal[i]) || IsUnusable(watch.positions, "labels")) continue;
        check.Wrong(Element("equal", i), Quoted(watch.equal[i]),
                    "a label that the alert's series have (labels)");
      }
    }
    if (!check.Has("inhibits")) return;
    Unique unique;
    for (std::size_t i = 0; i < watch.inhibits.size(); ++i) {
      const std::string& id = watch.inhibits[i];
      const std::string element = Element("inhibits", i);
      unique.Add(check, element, id, "each alert once");
      const auto target = labels_of_.find(id);
      if (id == watch.id) {
        check.Wrong(element, Quoted(id) + ", this alert itself", "another alert");
      } else if (target == labels_of_.end()) {
        if (AllAlertsRead())
          check.Wrong(element, "the unknown alert " + Quoted(id),
                      "the id of a [[watch]] or [[threshold]]" + suggestions_.For(id, ids_));
      } else if (Reaches(id, watch.id)) {
        // Alertmanager mutes by what fires, muted or not: alerts that inhibit each other are all muted.
        check.Wrong(element, Quoted(id) + ", which inhibits this alert itself", "an alert that doesn't");
      } else {
        for (const std::string& label : watch.equal) {
          // Alertmanager takes a label that is missing for an empty one: an alert without it would never be
          // found equal to one that has it.
          if (Contains(*target->second, label)) continue;
          check.Wrong(element, Quoted(id) + ", which has no label " + Quoted(label),
                      "an alert that has the labels of equal");
          break;
        }
      }
    }
  }

  // Whether `from` inhibits `to`, itself or by way of others.
  bool Reaches(std::string_view from, std::string_view to) const {
    std::vector<std::string_view> reached = {from};
    std::unordered_set<std::string_view> seen;
    for (std::size_t next = 0; next < reached.size(); ++next) {
      const auto inhibits = inhibits_.find(reached[next]);
      if (inhibits == inhibits_.end()) continue;
      for (const std::string& id : *inhibits->second) {
        if (id == to) return true;
        if (seen.insert(id).second) reached.push_back(id);
      }
    }
    return false;
  }

  // One that could not be read was reported, and could be the one that is meant.
  bool AllAlertsRead() const {
    return !labels_of_.contains("") && !IsUnusable(spec_.positions, "watch") &&
           !IsUnusable(spec_.positions, "threshold");
  }

  void Fires(const TableCheck& check, const Watch& watch) {
    bool all_said = true;
    for (const SignalTest& test : watch.tests) {
      const TableCheck test_check("watch.test", test.positions, report_);
      for (std::size_t i = 0; test_check.Has("labels") && i < test.labels.size(); ++i) {
        if (Contains(watch.labels, test.labels[i].first) || IsUnusable(watch.positions, "labels")) continue;
        test_check.WrongKey(Element("labels", i), Quoted(test.labels[i].first),
                            "a label of the watch's labels");
      }
      for (const std::string_view key : {"value", "recorded"}) {
        if (test_check.Names(key))
          test_check.WrongKey(key, std::string(key), "fires, since this is an alert");
      }
      if (test.positions.empty() || test_check.Has("fires")) continue;
      all_said = false;
      if (!test_check.Names("fires")) test_check.Wrong("fires", "nothing", "true or false");
    }
    if (watch.tests.empty() || !all_said) return;
    // A case that fires alone would also be passed by an alert that fires always.
    for (const bool fires : {true, false}) {
      if (std::ranges::find(watch.tests, fires, &SignalTest::fires) != watch.tests.end()) continue;
      check.Wrong("test", fires ? "no test that fires" : "no test that does not fire",
                  "at least one of each: fires = true, fires = false");
    }
  }

  const Spec& spec_;
  Report& report_;
  Suggestions& suggestions_;
  const KnownSeriesIndex series_;
  const ExpressionCheck expressions_;
  std::unordered_map<std::string_view, const std::vector<std::string>*> labels_of_;  // by an alert's id
  std::unordered_map<std::string_view, const std::vector<std::string>*> inhibits_;   // by a watch's id
  std::vector<std::string_view> ids_;                                                // of all alerts, sorted
  std::unordered_map<std::string, int> thresholds_;                                  // anchor -> line
  Unique alerts_;
  Unique records_;
};

}  // namespace

void ValidateWatches(const Spec& spec, Report& report, Suggestions& suggestions) {
  Watches(spec, report, suggestions).Run();
}

namespace {

constexpr int kColumns = 24;
constexpr int kWidthMin = 4;

// Keys that mean something in panels of one kind alone.
constexpr std::array<std::pair<std::string_view, DashboardPanel::Kind>, 5> kOfKind = {{
    {"stacked", DashboardPanel::Kind::kChart},
    {"texts", DashboardPanel::Kind::kStates},
    {"steps", DashboardPanel::Kind::kTable},
    {"columns", DashboardPanel::Kind::kTable},
    {"value_title", DashboardPanel::Kind::kTable},
}};

std::string_view NameOf(DashboardPanel::Kind kind) {
  if (kind == DashboardPanel::Kind::kChart) return "chart";
  return kind == DashboardPanel::Kind::kStates ? "states" : "table";
}

}  // namespace

void ValidatePanels(const Spec& spec, Report& report, Suggestions& suggestions) {
  const KnownSeriesIndex series(spec, Reader::kWatches);
  const ExpressionCheck expressions(spec, series, suggestions);
  for (const DashboardPanel& panel : spec.panels) {
    const TableCheck check("panel", panel.positions, report);
    check.LineOrNothing("row", panel.row);
    check.Line("title", panel.title);
    check.LineOrNothing("description", panel.description);
    check.LineOrNothing("empty", panel.empty);
    if (check.Has("width") && (panel.width < kWidthMin || panel.width > kColumns))
      check.Wrong("width", std::to_string(panel.width), "4 to 24 columns");
    for (const auto& [key, kind] : kOfKind) {
      // A key without effect is reported: its author expects one.
      if (!check.Names(key) || IsUnusable(panel.positions, "kind") || panel.kind == kind) continue;
      check.WrongKey(key, "a key of kind " + Quoted(NameOf(kind)),
                     "none in a panel of kind " + Quoted(NameOf(panel.kind)));
    }
    if (!check.Has("queries")) continue;
    if (panel.queries.empty()) check.Wrong("queries", "no query", "at least one");
    for (std::size_t i = 0; i < panel.queries.size(); ++i)
      expressions.PanelQuery(check, Element("queries", i), panel.queries[i].second);
  }
}

}  // namespace outgrown::spec
