// A Grafana dashboard as structs: the panels' places, their queries and their colours.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "rulegen/artefacts/rules.h"

namespace outgrown::artefacts {

enum class PanelKind { kRow, kStat, kBarGauge, kTimeSeries, kStateTimeline, kTable, kText };

struct DashboardQuery {
  std::string expr;
  std::string legend;  // Grafana's format: "{{database}}"
  bool instant = false;
};

// A colour from that value on; the first step has none and is for everything below.
struct ColorStep {
  std::optional<double> from;
  std::string color;
};

struct ValueText {
  double value = 0;
  std::string text;
  std::string color;
};

// A series by its legend, and the text that is shown for it.
struct SeriesText {
  std::string legend;
  std::string text;
  std::string color;
};

// A column of a table: a label, or a query's value.
struct TableColumn {
  // The label; of a value "Value", or where the panel has several queries "Value #B" for the second.
  std::string field = {};
  std::string title = {};  // "": the field's name
  // Of a value.
  std::string unit = {};
  std::optional<int> decimals = {};
  std::vector<ColorStep> steps = {};
  std::vector<ValueText> texts = {};
  bool filled = false;   // the whole cell has the colour, not its text alone
  int width = 0;         // pixels; 0: its share of the table
  std::string url = {};  // where a click leads, with Grafana's variables

  bool is_value() const { return field.starts_with("Value"); }
};

struct Panel {
  PanelKind kind = PanelKind::kRow;
  std::string title;
  std::string description;
  int x = 0;  // grid: 24 columns, 1 y is 30 pixels
  int y = 0;
  int width = 24;
  int height = 1;
  std::vector<DashboardQuery> queries;
  std::string unit;  // Grafana's id: "percentunit"
  std::optional<int> decimals;
  std::optional<double> min;
  std::optional<double> max;
  std::optional<double>
      soft_max;  // the axis reaches at least so far, so that a limit's line is in the picture
  std::vector<ColorStep> steps;
  bool limit_lines = false;  // draws the steps as lines across a time series
  bool stacked = false;
  std::string empty;                     // shown where no query has a result; "": Grafana's own text
  std::vector<Pair> series_colors;       // a legend's text and its colour, where the colour means something
  std::vector<SeriesText> series_texts;  // of series whose legend is a number or an id
  std::vector<ValueText> texts;
  std::vector<Pair> rows;                   // of a text panel: a verdict's line and its condition
  std::vector<TableColumn> columns;         // of a table, in this order
  std::vector<std::string> hidden_columns;  // of a table: labels
  // Of a table: the columns by whose titles it is sorted.
  std::vector<std::string> sorted_by;
  bool largest_first = false;
};

// A template variable: the values of one identity label, narrowed by the ones before it.
struct DashboardVariable {
  std::string label;
  std::string query;
};

// A link beside the dashboard's variables.
struct DashboardLink {
  std::string title;
  std::string url;
  std::string tooltip;
  bool elsewhere = false;  // opens another tab, and knows nothing of the time shown
};

struct Dashboard {
  std::string uid;  // at most 40 characters; stays the same for a store's name
  std::string title;
  std::vector<std::string> tags;
  std::vector<DashboardLink> links;
  std::vector<DashboardVariable> variables;
  std::string annotation_expr;  // firing alerts on thresholds; "" for none
  std::vector<Panel> panels;
};

}  // namespace outgrown::artefacts
