#include "rulegen/artefacts/dashboard/dashboard_json.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "rulegen/artefacts/escape.h"
#include "rulegen/artefacts/node.h"
#include "thresholds/names.h"

namespace outgrown::artefacts {

namespace {

Node Text(std::string_view text) { return Node::String(text); }
Node Null() { return Node::Raw("null"); }
Node Object(Node::Map entries) { return Node::Of(std::move(entries)); }
Node Array(Node::List items) { return Node::Of(std::move(items)); }

// The dashboard's variable for the data source.
Node DataSource() { return Object({{"type", Text("prometheus")}, {"uid", Text("${datasource}")}}); }

using Map = Node::Map;
using List = Node::List;
using artefacts::PanelKind;

std::string_view TypeName(PanelKind kind) {
  switch (kind) {
    case PanelKind::kRow:
      return "row";
    case PanelKind::kStat:
      return "stat";
    case PanelKind::kBarGauge:
      return "bargauge";
    case PanelKind::kTimeSeries:
      return "timeseries";
    case PanelKind::kStateTimeline:
      return "state-timeline";
    case PanelKind::kTable:
      return "table";
    case PanelKind::kText:
      return "text";
  }
  return "text";
}

// A, B, ..., Z, AA, AB, ...
// Grafana names the queries of a panel like columns of a spreadsheet.
std::string RefId(std::size_t index) {
  std::string id(1, static_cast<char>('A' + index % 26));
  while (index >= 26) {
    index = index / 26 - 1;
    id.insert(id.begin(), static_cast<char>('A' + index % 26));
  }
  return id;
}

Node Targets(const artefacts::Panel& panel) {
  const std::string_view format = panel.kind == PanelKind::kTable ? "table" : "time_series";
  List targets;
  for (std::size_t i = 0; i < panel.queries.size(); ++i) {
    const artefacts::DashboardQuery& query = panel.queries[i];
    targets.push_back(Object({{"datasource", DataSource()},
                              {"editorMode", Text("code")},
                              {"expr", Text(query.expr)},
                              {"format", Text(format)},
                              {"instant", Node::Bool(query.instant)},
                              {"legendFormat", Text(query.legend)},
                              {"range", Node::Bool(!query.instant)},
                              {"refId", Text(RefId(i))}}));
  }
  return Array(std::move(targets));
}

Node Thresholds(const artefacts::Panel& panel) {
  List steps;
  for (const artefacts::ColorStep& step : panel.steps) {
    // The first step has no value: null is Grafana's minus infinity.
    steps.push_back(
        Object({{"color", Text(step.color)}, {"value", step.from ? Node::Number(*step.from) : Null()}}));
  }
  if (steps.empty()) steps.push_back(Object({{"color", Text("blue")}, {"value", Null()}}));
  return Object({{"mode", Text("absolute")}, {"steps", Array(std::move(steps))}});
}

Node Mappings(const artefacts::Panel& panel) {
  if (panel.texts.empty()) return Array({});
  // The options' keys are the values as text, the index is the order in which the editor lists them.
  Map options;
  for (std::size_t i = 0; i < panel.texts.size(); ++i) {
    const artefacts::ValueText& text = panel.texts[i];
    options.emplace_back(ExactNumber(text.value), Object({{"color", Text(text.color)},
                                                          {"index", Node::Integer(static_cast<long long>(i))},
                                                          {"text", Text(text.text)}}));
  }
  return Array({Object({{"options", Object(std::move(options))}, {"type", Text("value")}})});
}

// The settings of a panel's kind that hold for each of its series.
Node Custom(const artefacts::Panel& panel) {
  if (panel.kind == PanelKind::kStateTimeline) {
    return Object({{"fillOpacity", Node::Integer(75)}, {"lineWidth", Node::Integer(0)}});
  }
  // 40 % for stacked areas, none where the limits are shaded, else a hint of an area below the line.
  Map custom = {
      {"drawStyle", Text("line")},
      {"fillOpacity", Node::Integer(panel.stacked       ? 40
                                    : panel.limit_lines ? 0
                                                        : 8)},
      {"lineInterpolation", Text("linear")},
      {"lineWidth", Node::Integer(2)},
      {"showPoints", Text("never")},
      {"spanNulls", Node::Bool(false)},
      {"stacking", Object({{"group", Text("A")}, {"mode", Text(panel.stacked ? "normal" : "none")}})},
      {"thresholdsStyle", Object({{"mode", Text(panel.limit_lines ? "dashed+area" : "off")}})}};
  if (panel.soft_max) custom.emplace_back("axisSoftMax", Node::Number(*panel.soft_max));
  return Object(std::move(custom));
}

Node FieldConfig(const artefacts::Panel& panel) {
  const bool by_series = panel.kind == PanelKind::kTimeSeries;
  Map defaults = {{"color", Object({{"mode", Text(by_series ? "palette-classic" : "thresholds")}})}};
  if (panel.kind == PanelKind::kTimeSeries || panel.kind == PanelKind::kStateTimeline) {
    defaults.emplace_back("custom", Custom(panel));
  }
  if (panel.decimals) defaults.emplace_back("decimals", Node::Integer(*panel.decimals));
  defaults.emplace_back("mappings", Mappings(panel));
  if (panel.max) defaults.emplace_back("max", Node::Number(*panel.max));
  if (panel.min) defaults.emplace_back("min", Node::Number(*panel.min));
  defaults.emplace_back("thresholds", Thresholds(panel));
  if (!panel.unit.empty()) defaults.emplace_back("unit", Text(panel.unit));
  // By legend text: with "byName" a series keeps its colour whatever else is shown beside it.
  List overrides;
  for (const artefacts::Pair& series : panel.series_colors) {
    const Node color = Object({{"fixedColor", Text(series.value)}, {"mode", Text("fixed")}});
    overrides.push_back(Object({{"matcher", Object({{"id", Text("byName")}, {"options", Text(series.name)}})},
                                {"properties", Array({Object({{"id", Text("color")}, {"value", color}})})}}));
  }
  return Object({{"defaults", Object(std::move(defaults))}, {"overrides", Array(std::move(overrides))}});
}

Node Legend(bool shown = true) {
  return Object({{"calcs", Array({})},
                 {"displayMode", Text("list")},
                 {"placement", Text("bottom")},
                 {"showLegend", Node::Bool(shown)}});
}

Node Tooltip() { return Object({{"mode", Text("multi")}, {"sort", Text("desc")}}); }

// lastNotNull: the newest value of the range, also where the last evaluation is not there yet.
Node Reduce() {
  return Object(
      {{"calcs", Node::Strings({"lastNotNull"})}, {"fields", Text("")}, {"values", Node::Bool(false)}});
}

Node StatOptions(const artefacts::Panel& panel) {
  const bool verdict = !panel.texts.empty();
  return Object({{"colorMode", Text(verdict ? "background" : "value")},
                 {"graphMode", Text(verdict ? "none" : "area")},
                 {"justifyMode", Text("auto")},
                 {"orientation", Text("auto")},
                 {"percentChangeColorMode", Text("standard")},
                 {"reduceOptions", Reduce()},
                 {"showPercentChange", Node::Bool(false)},
                 {"textMode", Text("auto")},
                 {"wideLayout", Node::Bool(true)}});
}

Node BarGaugeOptions() {
  return Object({{"displayMode", Text("basic")},
                 {"legend", Legend(false)},
                 {"minVizHeight", Node::Integer(12)},
                 {"minVizWidth", Node::Integer(8)},
                 {"namePlacement", Text("left")},
                 {"orientation", Text("horizontal")},
                 {"reduceOptions", Reduce()},
                 {"showUnfilled", Node::Bool(true)},
                 {"sizing", Text("auto")},
                 {"valueMode", Text("color")}});
}

Node TableOptions(const artefacts::Panel& panel) {
  return Object(
      {{"cellHeight", Text("sm")},
       {"showHeader", Node::Bool(true)},
       {"sortBy", Array({Object({{"desc", Node::Bool(false)}, {"displayName", Text(panel.value_title)}})})}});
}

// The answer's columns in the panel's order, without the time and what is hidden.
// An instant query in table format has the columns Time, one for each label, and Value.
Node TableTransformations(const artefacts::Panel& panel) {
  Map index;
  for (std::size_t i = 0; i < panel.columns.size(); ++i) {
    index.emplace_back(panel.columns[i], Node::Integer(static_cast<long long>(i)));
  }
  Map hidden = {{"Time", Node::Bool(true)}};
  for (const std::string& column : panel.hidden_columns) hidden.emplace_back(column, Node::Bool(true));
  return Array(
      {Object({{"id", Text("organize")},
               {"options", Object({{"excludeByName", Object(std::move(hidden))},
                                   {"indexByName", Object(std::move(index))},
                                   {"renameByName", Object({{"Value", Text(panel.value_title)}})}})}})});
}

// What colours, texts and unit mean for a table: its value's column only.
// As overrides of that column, since defaults would colour the columns of labels as well.
Node TableFieldConfig(const artefacts::Panel& panel) {
  const auto property = [](std::string_view id, Node value) {
    return Object({{"id", Text(id)}, {"value", std::move(value)}});
  };
  List properties = {property("custom.cellOptions", Object({{"type", Text("color-text")}})),
                     property("custom.width", Node::Integer(90)),
                     property("decimals", Node::Integer(panel.decimals.value_or(1))),
                     property("mappings", Mappings(panel)),
                     property("thresholds", Thresholds(panel)),
                     property("unit", Text(panel.unit))};
  return Object(
      {{"defaults", Object({{"color", Object({{"mode", Text("thresholds")}})},
                            {"custom", Object({{"align", Text("auto")},
                                               {"inspect", Node::Bool(false)},
                                               {"minWidth", Node::Integer(80)}})}})},
       {"overrides",
        Array({Object({{"matcher", Object({{"id", Text("byName")}, {"options", Text(panel.value_title)}})},
                       {"properties", Array(std::move(properties))}})})}});
}

std::string RowsMarkdown(const artefacts::Panel& panel) {
  std::string text = "| decision | when |\n|---|---|\n";
  for (const artefacts::Pair& row : panel.rows) {
    text += "| " + MarkdownText(row.name) + " | " + MarkdownText(row.value) + " |\n";
  }
  return text;
}

Node Options(const artefacts::Panel& panel) {
  switch (panel.kind) {
    case PanelKind::kStat:
      return StatOptions(panel);
    case PanelKind::kBarGauge:
      return BarGaugeOptions();
    case PanelKind::kTable:
      return TableOptions(panel);
    case PanelKind::kTimeSeries:
      return Object({{"legend", Legend()}, {"tooltip", Tooltip()}});
    case PanelKind::kStateTimeline:
      return Object({{"alignValue", Text("left")},
                     {"legend", Legend()},
                     {"mergeValues", Node::Bool(true)},
                     {"rowHeight", Node::Number(0.85)},
                     {"showValue", Text("auto")},
                     {"tooltip", Tooltip()}});
    case PanelKind::kText:
      return Object({{"content", Text(GrafanaText(RowsMarkdown(panel)))}, {"mode", Text("markdown")}});
    case PanelKind::kRow:
      break;
  }
  return Object({});
}

// Texts go through GrafanaText, since Grafana fills variables into titles, descriptions and Markdown. Queries
// do not: their variables are meant.
Node PanelNode(const artefacts::Panel& panel, std::size_t id) {
  Map entries = {{"id", Node::Integer(static_cast<long long>(id))},
                 {"type", Text(TypeName(panel.kind))},
                 {"title", Text(GrafanaText(panel.title))},
                 {"gridPos", Object({{"h", Node::Integer(panel.height)},
                                     {"w", Node::Integer(panel.width)},
                                     {"x", Node::Integer(panel.x)},
                                     {"y", Node::Integer(panel.y)}})}};
  // A row that is open has no panels of its own; those below it follow in the list.
  if (panel.kind == PanelKind::kRow) {
    entries.emplace_back("collapsed", Node::Bool(false));
    entries.emplace_back("panels", Array({}));
    return Object(std::move(entries));
  }
  entries.emplace_back("description", Text(GrafanaText(panel.description)));
  if (panel.kind != PanelKind::kText) {
    entries.emplace_back("datasource", DataSource());
    entries.emplace_back("targets", Targets(panel));
    entries.emplace_back("fieldConfig",
                         panel.kind == PanelKind::kTable ? TableFieldConfig(panel) : FieldConfig(panel));
  }
  if (panel.kind == PanelKind::kTable) entries.emplace_back("transformations", TableTransformations(panel));
  entries.emplace_back("options", Options(panel));
  return Object(std::move(entries));
}

Node Templating(const artefacts::Dashboard& dashboard) {
  List list = {Object({{"name", Text("datasource")},
                       {"type", Text("datasource")},
                       {"label", Text("Data source")},
                       {"query", Text("prometheus")},
                       {"current", Object({})}})};
  for (const artefacts::DashboardVariable& variable : dashboard.variables) {
    list.push_back(
        Object({{"name", Text(variable.label)},
                {"type", Text("query")},
                {"label", Text(variable.label)},
                {"datasource", DataSource()},
                {"query", Object({{"query", Text(variable.query)}, {"refId", Text(variable.label)}})},
                {"allValue", Text(".+")},
                {"current", Object({{"text", Text("All")}, {"value", Text("$__all")}})},
                {"includeAll", Node::Bool(true)},
                {"multi", Node::Bool(true)},
                {"refresh", Node::Integer(2)},
                {"sort", Node::Integer(1)}}));
  }
  return Object({{"list", Array(std::move(list))}});
}

Node Annotations(const artefacts::Dashboard& dashboard) {
  return Object({{"list", Array({Object({{"name", Text("Thresholds")},
                                         {"datasource", DataSource()},
                                         {"enable", Node::Bool(true)},
                                         {"expr", Text(dashboard.annotation_expr)},
                                         {"iconColor", Text("red")},
                                         {"step", Text("60s")},
                                         {"titleFormat", Text("{{alertname}}")}})})}});
}

Node Links(const artefacts::Dashboard& dashboard) {
  if (dashboard.runbook_url.empty()) return Array({});
  return Array({Object({{"asDropdown", Node::Bool(false)},
                        {"icon", Text("doc")},
                        {"includeVars", Node::Bool(false)},
                        {"keepTime", Node::Bool(false)},
                        {"tags", Array({})},
                        {"targetBlank", Node::Bool(true)},
                        {"title", Text("Runbook")},
                        {"tooltip", Text("What each alert means and what to do")},
                        {"type", Text("link")},
                        {"url", Text(dashboard.runbook_url)}})});
}

}  // namespace

// Without an "id", which is each Grafana's own: an import is found by its uid and replaces the dashboard.
std::string DashboardJson(const spec::Spec& spec, const artefacts::Dashboard& dashboard) {
  List panels;
  for (std::size_t i = 0; i < dashboard.panels.size(); ++i)
    panels.push_back(PanelNode(dashboard.panels[i], i + 1));
  return ToJson(Object({{"uid", Text(dashboard.uid)},
                        {"title", Text(dashboard.title)},
                        {"description", Text(spec::GeneratedMark(spec))},
                        {"tags", Node::Strings(dashboard.tags)},
                        {"schemaVersion", Node::Integer(41)},
                        {"version", Node::Integer(1)},
                        {"editable", Node::Bool(false)},
                        {"graphTooltip", Node::Integer(1)},
                        {"timezone", Text("browser")},
                        {"refresh", Text("30s")},
                        {"time", Object({{"from", Text("now-6h")}, {"to", Text("now")}})},
                        {"timepicker", Object({})},
                        {"links", Links(dashboard)},
                        {"annotations", Annotations(dashboard)},
                        {"templating", Templating(dashboard)},
                        {"panels", Array(std::move(panels))}}));
}

}  // namespace outgrown::artefacts
