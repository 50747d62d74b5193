#include "rulegen/artefacts/dashboard_json.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "rulegen/artefacts/json_node.h"
#include "rulegen/artefacts/panel_json.h"
#include "thresholds/mark.h"

namespace outgrown::emit {
namespace {

using Map = Node::Map;
using List = Node::List;

Node Templating(const plan::Dashboard& dashboard) {
  List list = {Object({{"name", Text("datasource")},
                       {"type", Text("datasource")},
                       {"label", Text("Data source")},
                       {"query", Text("prometheus")},
                       {"current", Object({})}})};
  for (const plan::DashboardVariable& variable : dashboard.variables) {
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

Node Annotations(const plan::Dashboard& dashboard) {
  return Object({{"list", Array({Object({{"name", Text("Thresholds")},
                                         {"datasource", DataSource()},
                                         {"enable", Node::Bool(true)},
                                         {"expr", Text(dashboard.annotation_expr)},
                                         {"iconColor", Text("red")},
                                         {"step", Text("60s")},
                                         {"titleFormat", Text("{{alertname}}")}})})}});
}

Node Links(const plan::Dashboard& dashboard) {
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

std::string DashboardJson(const spec::Spec& spec, const plan::Dashboard& dashboard) {
  List panels;
  for (std::size_t i = 0; i < dashboard.panels.size(); ++i)
    panels.push_back(PanelNode(dashboard.panels[i], i + 1));
  return ToJson(Object({{"uid", Text(dashboard.uid)},
                        {"title", Text(dashboard.title)},
                        {"description", Text(GeneratedMark(spec))},
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

}  // namespace outgrown::emit
