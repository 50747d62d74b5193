#include "rulegen/artefacts/dashboard/table_json.h"

#include "common/text.h"
#include "rulegen/artefacts/escape.h"

namespace outgrown::artefacts {
namespace {

std::string TitleOf(const TableColumn& column) {
  return GrafanaText(column.title.empty() ? column.field : column.title);
}

Node Property(std::string_view id, Node value) {
  return Object({{"id", Text(id)}, {"value", std::move(value)}});
}

Node::List ValueProperties(const TableColumn& column) {
  const std::string_view type = column.filled ? "color-background" : "color-text";
  Node::Map cell = {{"type", Text(type)}};
  if (column.filled) cell.insert(cell.begin(), {"mode", Text("basic")});
  Node::List properties = {Property("custom.cellOptions", Object(std::move(cell)))};
  if (column.width > 0) properties.push_back(Property("custom.width", Node::Integer(column.width)));
  if (column.decimals) properties.push_back(Property("decimals", Node::Integer(*column.decimals)));
  properties.push_back(Property("mappings", MappingsNode(column.texts)));
  properties.push_back(Property("thresholds", StepsNode(column.steps)));
  properties.push_back(Property("unit", Text(column.unit)));
  return properties;
}

}  // namespace

std::string RefId(std::size_t index) {
  std::string id(1, static_cast<char>('A' + index % 26));
  while (index >= 26) {
    index = index / 26 - 1;
    id.insert(id.begin(), static_cast<char>('A' + index % 26));
  }
  return id;
}

Node StepsNode(const std::vector<ColorStep>& from) {
  Node::List steps;
  for (const ColorStep& step : from) {
    // The first step has no value: null is Grafana's minus infinity.
    steps.push_back(Object(
        {{"color", Text(step.color)}, {"value", step.from ? Node::Number(*step.from) : Node::Raw("null")}}));
  }
  if (steps.empty()) steps.push_back(Object({{"color", Text("blue")}, {"value", Node::Raw("null")}}));
  return Object({{"mode", Text("absolute")}, {"steps", Array(std::move(steps))}});
}

Node MappingsNode(const std::vector<ValueText>& texts) {
  if (texts.empty()) return Array({});
  // The options' keys are the values as text, the index is the order in which the editor lists them.
  Node::Map options;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    options.emplace_back(ExactNumber(texts[i].value),
                         Object({{"color", Text(texts[i].color)},
                                 {"index", Node::Integer(static_cast<long long>(i))},
                                 {"text", Text(texts[i].text)}}));
  }
  return Array({Object({{"options", Object(std::move(options))}, {"type", Text("value")}})});
}

Node TableOptions(const Panel& panel) {
  Node::List sorted;
  for (const std::string& title : panel.sorted_by)
    sorted.push_back(
        Object({{"desc", Node::Bool(panel.largest_first)}, {"displayName", Text(GrafanaText(title))}}));
  return Object(
      {{"cellHeight", Text("sm")}, {"showHeader", Node::Bool(true)}, {"sortBy", Array(std::move(sorted))}});
}

// The answer's columns in the panel's order, without the time and what is hidden.
// An instant query in table format has the columns Time, one for each label, and Value. Of several queries the rows with
// equal labels become one.
Node TableTransformations(const Panel& panel) {
  Node::Map index;
  Node::Map titles;
  for (std::size_t i = 0; i < panel.columns.size(); ++i) {
    const TableColumn& column = panel.columns[i];
    index.emplace_back(column.field, Node::Integer(static_cast<long long>(i)));
    if (!column.title.empty()) titles.emplace_back(column.field, Text(TitleOf(column)));
  }
  Node::Map hidden = {{"Time", Node::Bool(true)}};
  for (const std::string& column : panel.hidden_columns) hidden.emplace_back(column, Node::Bool(true));
  Node::List steps;
  if (panel.queries.size() > 1) steps.push_back(Object({{"id", Text("merge")}, {"options", Object({})}}));
  steps.push_back(Object({{"id", Text("organize")},
                          {"options", Object({{"excludeByName", Object(std::move(hidden))},
                                              {"indexByName", Object(std::move(index))},
                                              {"renameByName", Object(std::move(titles))}})}}));
  return Array(std::move(steps));
}

// As overrides of the columns, since defaults would colour those of labels as well.
Node TableFieldConfig(const Panel& panel) {
  Node::List overrides;
  for (const TableColumn& column : panel.columns) {
    Node::List properties = column.is_value() ? ValueProperties(column) : Node::List{};
    if (!column.is_value() && column.width > 0)
      properties.push_back(Property("custom.width", Node::Integer(column.width)));
    if (!column.url.empty()) {
      properties.push_back(Property("links", Array({Object({{"targetBlank", Node::Bool(false)},
                                                            {"title", Text("The store's dashboard")},
                                                            {"url", Text(column.url)}})})));
    }
    if (properties.empty()) continue;
    overrides.push_back(
        Object({{"matcher", Object({{"id", Text("byName")}, {"options", Text(TitleOf(column))}})},
                {"properties", Array(std::move(properties))}}));
  }
  Node::Map defaults = {
      {"color", Object({{"mode", Text("thresholds")}})},
      {"custom",
       Object({{"align", Text("auto")}, {"inspect", Node::Bool(false)}, {"minWidth", Node::Integer(80)}})}};
  if (!panel.empty.empty()) defaults.emplace_back("noValue", Text(GrafanaText(panel.empty)));
  return Object({{"defaults", Object(std::move(defaults))}, {"overrides", Array(std::move(overrides))}});
}

}  // namespace outgrown::artefacts
