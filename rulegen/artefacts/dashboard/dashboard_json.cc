#include "rulegen/artefacts/dashboard/dashboard_json.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "common/text.h"
#include "rulegen/artefacts/dashboard/table_json.h"
#include "rulegen/artefacts/escape.h"
#include "rulegen/artefacts/node.h"
#include "thresholds/names.h"

namespace outgrown::artefacts {

namespace {

// The dashboard's variable for the data source.
Node DataSource() { return Object({{"type", Text("prometheus")}, {"uid", Text("${datasource}")}}); }

using Map = Node::Map;
using List = Node::List;

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

Node Targets(const Panel& panel) {
  const std::string_view format = panel.kind == PanelKind::kTable ? "table" : "time_series";
  List targets;
  for (std::size_t i = 0; i < panel.queries.size(); ++i) {
    const DashboardQuery& query = panel.queries[i];
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

// The settings of a panel's kind that hold for each of its series.
Node Custom(const Panel& panel) {
  if (panel.kind == PanelKind::kStateTimeline) {
    return Object({{"fillOpacity", Node::Integer(75)}, {"lineWidth", Node::Integer(0)}});
  }
  // 60 % for stacked areas, none where the limits are shaded, else a hint of an area below the line. A stack has no lines: that
  // of a series which is 0 lies on top of the others, and its colour would look like theirs.
  Map custom = {
      {"drawStyle", Text("line")},
      {"fillOpacity", Node::Integer(panel.stacked       ? 60
                                    : panel.limit_lines ? 0
                                                        : 8)},
      {"lineInterpolation", Text("linear")},
      {"lineWidth", Node::Integer(panel.stacked ? 0 : 2)},
      {"showPoints", Text("never")},
      {"spanNulls", Node::Bool(false)},
      {"stacking", Object({{"group", Text("A")}, {"mode", Text(panel.stacked ? "normal" : "none")}})},
      {"thresholdsStyle", Object({{"mode", Text(panel.limit_lines ? "dashed+area" : "off")}})}};
  if (panel.soft_max) custom.emplace_back("axisSoftMax", Node::Number(*panel.soft_max));
  return Object(std::move(custom));
}

Node FieldConfig(const Panel& panel) {
  const bool by_series = panel.kind == PanelKind::kTimeSeries;
  Map defaults = {{"color", Object({{"mode", Text(by_series ? "palette-classic" : "thresholds")}})}};
  if (panel.kind == PanelKind::kTimeSeries || panel.kind == PanelKind::kStateTimeline) {
    defaults.emplace_back("custom", Custom(panel));
  }
  if (panel.decimals) defaults.emplace_back("decimals", Node::Integer(*panel.decimals));
  defaults.emplace_back("mappings", MappingsNode(panel.texts));
  if (panel.max) defaults.emplace_back("max", Node::Number(*panel.max));
  if (panel.min) defaults.emplace_back("min", Node::Number(*panel.min));
  if (!panel.empty.empty()) defaults.emplace_back("noValue", Text(GrafanaText(panel.empty)));
  defaults.emplace_back("thresholds", StepsNode(panel.steps));
  if (!panel.unit.empty()) defaults.emplace_back("unit", Text(panel.unit));
  // By legend text: with "byName" a series keeps its colour whatever else is shown beside it.
  List overrides;
  const auto override = [&overrides](std::string_view legend, std::string_view color, List properties) {
    properties.push_back(Object(
        {{"id", Text("color")}, {"value", Object({{"fixedColor", Text(color)}, {"mode", Text("fixed")}})}}));
    overrides.push_back(Object({{"matcher", Object({{"id", Text("byName")}, {"options", Text(legend)}})},
                                {"properties", Array(std::move(properties))}}));
  };
  for (const Pair& series : panel.series_colors) override(series.name, series.value, {});
  for (const SeriesText& series : panel.series_texts) {
    override(series.legend, series.color,
             {Object({{"id", Text("displayName")}, {"value", Text(GrafanaText(series.text))}})});
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

Node StatOptions(const Panel& panel) {
  const bool verdict = !panel.texts.empty() || !panel.series_texts.empty();
  return Object({{"colorMode", Text(verdict ? "background" : "value")},
                 {"graphMode", Text(verdict ? "none" : "area")},
                 {"justifyMode", Text("auto")},
                 {"orientation", Text("auto")},
                 {"percentChangeColorMode", Text("standard")},
                 {"reduceOptions", Reduce()},
                 {"showPercentChange", Node::Bool(false)},
                 // "auto" leaves the name of a single series out, which says what is counted.
                 {"textMode", Text(panel.series_texts.empty() ? "auto" : "value_and_name")},
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

std::string RowsMarkdown(const Panel& panel) {
  std::string text = "| decision | when |\n|---|---|\n";
  for (const Pair& row : panel.rows) {
    text += "| " + MarkdownText(row.name) + " | " + MarkdownText(row.value) + " |\n";
  }
  return text;
}

Node Options(const Panel& panel) {
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
Node PanelNode(const Panel& panel, std::size_t id) {
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

Node Templating(const Dashboard& dashboard) {
  List list = {Object({{"name", Text("datasource")},
                       {"type", Text("datasource")},
                       {"label", Text("Data source")},
                       {"query", Text("prometheus")},
                       {"current", Object({})}})};
  for (const DashboardVariable& variable : dashboard.variables) {
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

Node Annotations(const Dashboard& dashboard) {
  if (dashboard.annotation_expr.empty()) return Object({{"list", Array({})}});
  return Object({{"list", Array({Object({{"name", Text("Thresholds")},
                                         {"datasource", DataSource()},
                                         {"enable", Node::Bool(true)},
                                         {"expr", Text(dashboard.annotation_expr)},
                                         {"iconColor", Text("red")},
                                         {"step", Text("60s")},
                                         {"titleFormat", Text("{{alertname}}")}})})}});
}

Node Links(const Dashboard& dashboard) {
  List links;
  for (const DashboardLink& link : dashboard.links) {
    links.push_back(Object({{"asDropdown", Node::Bool(false)},
                            {"icon", Text(link.elsewhere ? "doc" : "dashboard")},
                            {"includeVars", Node::Bool(false)},
                            {"keepTime", Node::Bool(!link.elsewhere)},
                            {"tags", Array({})},
                            {"targetBlank", Node::Bool(link.elsewhere)},
                            {"title", Text(link.title)},
                            {"tooltip", Text(link.tooltip)},
                            {"type", Text("link")},
                            {"url", Text(link.url)}}));
  }
  return Array(std::move(links));
}

}  // namespace

// Without an "id", which is each Grafana's own: an import is found by its uid and replaces the dashboard.
std::string DashboardJson(const spec::Spec& spec, const Dashboard& dashboard) {
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
