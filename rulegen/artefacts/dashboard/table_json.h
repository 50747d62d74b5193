// A dashboard's tables in Grafana's JSON model, and the settings of a value that tables share with other panels.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rulegen/artefacts/dashboard/dashboard_model.h"
#include "rulegen/artefacts/node.h"

namespace outgrown::artefacts {

inline Node Text(std::string_view text) { return Node::String(text); }
inline Node Object(Node::Map entries) { return Node::Of(std::move(entries)); }
inline Node Array(Node::List items) { return Node::Of(std::move(items)); }

// "A", ..., "Z", "AA", ...: Grafana names the queries of a panel like columns of a spreadsheet.
std::string RefId(std::size_t index);

// Colours by value; blue without steps.
Node StepsNode(const std::vector<ColorStep>& steps);

// Texts instead of values.
Node MappingsNode(const std::vector<ValueText>& texts);

Node TableOptions(const Panel& panel);
Node TableTransformations(const Panel& panel);
Node TableFieldConfig(const Panel& panel);

}  // namespace outgrown::artefacts
