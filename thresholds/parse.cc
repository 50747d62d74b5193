#include "thresholds/parse.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "common/file.h"
#include "thresholds/diagnostic.h"
#include "thresholds/digest.h"
#include "thresholds/table.h"
#include "thresholds/table_reader.h"
#include "thresholds/tables.h"
#include "thresholds/toml.h"
#include "thresholds/toml_guard.h"

namespace outgrown::spec {
namespace {

struct FlavorName {
  std::string_view name;
  Flavor flavor;
};
constexpr auto kFlavors = std::to_array<FlavorName>({{"prometheus", Flavor::kPrometheus},
                                                     {"victoriametrics", Flavor::kVictoriaMetrics},
                                                     {"victoriametrics-1.79", Flavor::kVictoriaMetrics179},
                                                     {"prometheus-operator", Flavor::kPrometheusOperator}});

class Parser {
 public:
  Parser(const TomlNode& root, Report& report) : root_(root), report_(report) {}

  void Parse(Spec& spec) {
    TableReader root(root_, TableOf(""), report_, spec.positions);
    if (root.Integer("schema", spec.schema) && spec.schema != 1) {
      report_.Add(spec.positions["schema"].value, "schema", std::to_string(spec.schema),
                  "1, the only schema that this version knows");
    }
    // The order of these calls: a watch's defaults are the identity, the interval and the mildest verdict's
    // severity, whatever the order of tables in the file.
    if (const TomlNode* table = root.Table("store")) ParseStore(*table, spec.store);
    if (const TomlNode* table = root.Table("rules")) ParseRules(*table, spec.rules);
    if (const TomlNode* table = root.Table("output")) ParseOutput(*table, spec.output);
    if (const TomlNode* table = root.Table("alertmanager"))
      ParseAlertmanager(*table, spec.alertmanager.emplace());
    for (const TomlNode* table : root.Tables("verdict")) ParseVerdict(*table, spec.verdicts.emplace_back());
    for (const TomlNode* table : root.Tables("metric")) ParseMetric(*table, spec.metrics.emplace_back());
    for (const TomlNode* table : root.Tables("signal")) ParseSignal(*table, spec.signals.emplace_back());
    for (const TomlNode* table : root.Tables("threshold"))
      ParseThreshold(*table, spec.thresholds.emplace_back());
    if (const TomlNode* table = root.Table("coverage")) ParseCoverage(*table, spec.coverage.emplace());
    for (const TomlNode* table : root.Tables("watch")) ParseWatch(*table, spec, spec.watches.emplace_back());
    for (const TomlNode* table : root.Tables("panel")) ParsePanel(*table, spec.panels.emplace_back());
  }

 private:
  void ParseStore(const TomlNode& table, Store& store) {
    TableReader reader(table, TableOf("store"), report_, store.positions);
    reader.Text("name", store.name);
    reader.Text("title", store.title);
    reader.Text("sufficient", store.sufficient);
    reader.Text("next", store.next);
    reader.TextList("identity", store.identity);
    reader.Text("present", store.present);
    reader.Text("modified", store.modified);
  }

  void ParseRules(const TomlNode& table, Rules& rules) {
    TableReader reader(table, TableOf("rules"), report_, rules.positions);
    reader.Duration("scrape_interval", rules.scrape_interval);
    reader.Duration("interval", rules.interval);
    reader.Duration("keep_firing_for", rules.keep_firing_for);
    reader.Text("runbook_url", rules.runbook_url);
    reader.TextTable("object_labels", "label", rules.object_labels);
    reader.Boolean("helm", rules.helm);
    std::vector<std::string> names;
    if (!reader.TextList("flavors", names)) return;
    // The default stays until the key is known to be a list.
    rules.flavors.clear();
    for (std::size_t i = 0; i < names.size(); ++i) {
      const auto* found = std::ranges::find(kFlavors, names[i], &FlavorName::name);
      if (found != kFlavors.end()) {
        rules.flavors.push_back(found->flavor);
        continue;
      }
      std::array<std::string_view, kFlavors.size()> candidates;
      std::ranges::transform(kFlavors, candidates.begin(), &FlavorName::name);
      report_.Add(rules.positions["flavors[" + std::to_string(i) + "]"].value, "rules.flavors",
                  Quoted(names[i]),
                  R"("prometheus", "victoriametrics", "victoriametrics-1.79" or "prometheus-operator")" +
                      DidYouMean(names[i], candidates));
      rules.positions["flavors"].usable = false;
    }
  }

  void ParseOutput(const TomlNode& table, Output& output) {
    TableReader reader(table, TableOf("output"), report_, output.positions);
    reader.Text("rules", output.rules);
    reader.Text("dashboards", output.dashboards);
    reader.Text("docs", output.docs);
  }

  void ParseAlertmanager(const TomlNode& table, Alertmanager& alertmanager) {
    TableReader reader(table, TableOf("alertmanager"), report_, alertmanager.positions);
    reader.Text("base", alertmanager.base);
    reader.TextList("also", alertmanager.also);
    reader.TextList("equal", alertmanager.equal);
  }

  void ParseVerdict(const TomlNode& table, Verdict& verdict) {
    TableReader reader(table, TableOf("verdict"), report_, verdict.positions);
    reader.Text("id", verdict.id);
    reader.Text("text", verdict.text);
    reader.Text("severity", verdict.severity);
    reader.Integer("exit_code", verdict.exit_code);
  }

  void ParseMetric(const TomlNode& table, Metric& metric) {
    TableReader reader(table, TableOf("metric"), report_, metric.positions);
    reader.Text("name", metric.name);
    reader.Text("type", metric.type);
    reader.Text("help", metric.help);
    reader.TextList("labels", metric.labels);
  }

  void ParseSignal(const TomlNode& table, Signal& signal) {
    TableReader reader(table, TableOf("signal"), report_, signal.positions);
    reader.Text("id", signal.id);
    reader.Text("title", signal.title);
    reader.Text("description", signal.description);
    reader.Text("expr", signal.expr);
    reader.Text("split", signal.split);
    reader.Text("ceiling", signal.ceiling);
    reader.TextTable("advice", "reason", signal.advice);
    ParseTests(reader, "signal.test", signal.tests);
    std::string unit;
    if (!reader.Text("unit", unit)) return;
    if (const std::optional<Unit> known = ParseUnit(unit)) {
      signal.unit = *known;
      return;
    }
    report_.Add(signal.positions["unit"].value, "signal.unit", Quoted(unit),
                R"("ratio", "per_second", "seconds", "bytes" or "count")" + DidYouMean(unit, kUnitNames));
  }

  void ParseTests(TableReader& parent, std::string_view name, std::vector<SignalTest>& tests) {
    for (const TomlNode* table : parent.Tables("test")) {
      SignalTest& test = tests.emplace_back();
      TableReader reader(*table, TableOf(name), report_, test.positions);
      reader.Text("name", test.name);
      reader.TextTable("series", "series", test.series);
      reader.Duration("at", test.at);
      reader.Number("value", test.value);
      reader.Boolean("recorded", test.recorded);
      // Find() asserts that the table has such a key, so each kind of test asks for its own only. An empty
      // table is not the same as none: it says that nothing is recorded.
      if (name == "signal.test" && reader.Find("split") != nullptr)
        reader.NumberTable("split", "reason", test.split.emplace());
      if (name == "coverage.test" && reader.Find("reasons") != nullptr)
        reader.TextList("reasons", test.reasons.emplace());
      if (name != "watch.test") continue;
      reader.Duration("interval", test.interval);
      reader.Boolean("fires", test.fires);
      reader.TextTable("labels", "label", test.labels);
    }
  }

  // What is left out is what the spec says for everything.
  void ParseWatch(const TomlNode& table, const Spec& spec, Watch& watch) {
    watch.labels = spec.store.identity;
    watch.interval = spec.rules.interval;
    if (!spec.verdicts.empty()) watch.severity = spec.verdicts.front().severity;
    TableReader reader(table, TableOf("watch"), report_, watch.positions);
    reader.Text("id", watch.id);
    reader.Text("record", watch.record);
    reader.Text("expr", watch.expr);
    reader.TextList("labels", watch.labels);
    // Behind `labels`, of which it is the default.
    watch.equal = watch.labels;
    reader.Duration("interval", watch.interval);
    reader.Duration("for", watch.hold);
    reader.Duration("keep_firing_for", watch.keep_firing_for);
    reader.Text("severity", watch.severity);
    reader.TextList("inhibits", watch.inhibits);
    reader.TextList("equal", watch.equal);
    reader.Text("summary", watch.summary);
    reader.Text("description", watch.description);
    reader.Text("look", watch.look);
    reader.Text("act", watch.act);
    ParseTests(reader, "watch.test", watch.tests);
  }

  void ParsePanel(const TomlNode& table, DashboardPanel& panel) {
    TableReader reader(table, TableOf("panel"), report_, panel.positions);
    reader.Text("row", panel.row);
    reader.Text("title", panel.title);
    reader.Text("description", panel.description);
    reader.Text("unit", panel.unit);
    reader.Integer("width", panel.width);
    reader.Boolean("stacked", panel.stacked);
    reader.TextTable("queries", "legend", panel.queries);
    reader.TextTable("colors", "legend", panel.colors);
    reader.NumberTable("texts", "text", panel.texts);
    reader.NumberTable("steps", "colour", panel.steps);
    reader.TextList("columns", panel.columns);
    reader.Text("value_title", panel.value_title);
    reader.Text("empty", panel.empty);
    std::string kind;
    if (!reader.Text("kind", kind) || kind == "chart") return;
    panel.kind = kind == "states" ? DashboardPanel::Kind::kStates : DashboardPanel::Kind::kTable;
    if (kind == "states" || kind == "table") return;
    panel.positions["kind"].usable = false;
    report_.Add(panel.positions["kind"].value, "panel.kind", Quoted(kind), R"("chart", "states" or "table")");
  }

  void ParseThreshold(const TomlNode& table, Threshold& threshold) {
    TableReader reader(table, TableOf("threshold"), report_, threshold.positions);
    reader.Text("id", threshold.id);
    reader.Text("signal", threshold.signal);
    reader.Duration("for", threshold.hold);
    reader.Text("verdict", threshold.verdict);
    reader.Text("because", threshold.because);
    reader.Text("look", threshold.look);
    reader.Text("act", threshold.act);
    reader.Number("above", threshold.limit);
    reader.Number("below", threshold.limit);
    const TomlEntry* above = reader.Find("above");
    const TomlEntry* below = reader.Find("below");
    if (above == nullptr && below == nullptr) {
      report_.Add(reader.position(), "threshold.above", "neither above nor below", "one of the two");
    } else if (above != nullptr && below != nullptr) {
      report_.Add(below->position, "threshold.below", "below beside above",
                  "one of the two (a second threshold can have the other)");
      // Neither is judged: which of the two is meant can't be known.
      threshold.positions["above"].usable = false;
      threshold.positions["below"].usable = false;
    }
    threshold.direction = below != nullptr ? Direction::kBelow : Direction::kAbove;
  }

  void ParseCoverage(const TomlNode& table, Coverage& coverage) {
    TableReader reader(table, TableOf("coverage"), report_, coverage.positions);
    reader.Text("expr", coverage.expr);
    reader.Number("minimum", coverage.minimum);
    reader.Number("maximum", coverage.maximum);
    reader.Text("reason", coverage.reason);
    reader.TextTable("reasons", "reason", coverage.reasons);
    reader.TextList("unknown", coverage.unknown);
    reader.TextList("lower_bound", coverage.lower_bound);
    ParseTests(reader, "coverage.test", coverage.tests);
  }

  const TomlNode& root_;
  Report& report_;
};

}  // namespace

LoadedSpec LoadSpec(const std::filesystem::path& file) {
  Result<std::string> toml = ReadFile(file, kSpecBytesMax);
  if (toml.ok()) return ParseSpec(*toml, file);
  LoadedSpec loaded;
  loaded.unreadable = true;
  loaded.diagnostics.push_back(
      {file, {}, "", "a file that can't be read (" + toml.error().what + ")", "a spec in TOML"});
  return loaded;
}

LoadedSpec ParseSpec(std::string_view toml, const std::filesystem::path& file) {
  Report report(file);
  Spec spec;
  spec.file = file;
  // After an error of syntax the parser has no tree, so nothing more can be reported in that run.
  if (const std::optional<TomlNode> root = ParseToml(toml, report)) {
    Parser(*root, report).Parse(spec);
    Validate(spec, report);
  }
  LoadedSpec loaded;
  loaded.source = toml;
  if (report.empty()) {
    // Only of a valid spec: a digest of something else would never be in use anywhere.
    spec.digest = Digest(spec);
    loaded.spec = std::move(spec);
  } else {
    loaded.diagnostics = report.TakeInFileOrder();
  }
  return loaded;
}

}  // namespace outgrown::spec
