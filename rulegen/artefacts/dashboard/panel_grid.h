// Where a dashboard's panels go, and what several of them say in PromQL, legends and colours.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rulegen/artefacts/dashboard/dashboard_json.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

// Grafana's grid: a panel's width and x are in 24ths of the dashboard.
inline constexpr int kGridColumns = 24;

// Fills lines from left to right; a panel that doesn't fit starts the next line.
class PanelGrid {
 public:
  // A heading across the dashboard.
  // A row's own height is 1; NextLine() of the panel behind it moves on by that.
  void Row(std::string title) {
    NextLine();
    Panel row;
    row.title = std::move(title);
    Add(std::move(row));
  }

  void Add(Panel panel) {
    if (x_ + panel.width > kGridColumns) NextLine();
    panel.x = x_;
    panel.y = y_;
    x_ += panel.width;
    line_height_ = std::max(line_height_, panel.height);
    panels_.push_back(std::move(panel));
  }

  std::vector<Panel> Take() { return std::move(panels_); }

 private:
  void NextLine() {
    y_ += line_height_;
    x_ = 0;
    line_height_ = 0;
  }

  std::vector<Panel> panels_;
  int x_ = 0;
  int y_ = 0;
  int line_height_ = 0;
};

// The selection that the dashboard's variables make: job=~"$job",instance=~"$instance".
std::string Selection(const spec::Spec& spec);

// NAME{MORE,selection}; `more` may be empty.
std::string Selected(const spec::Spec& spec, std::string_view name, std::string_view more = "");

// "{{database}} @ {{instance}}": one store in a legend.
std::string StoreLegend(const spec::Spec& spec);

// The least value beyond a limit: Grafana colours from a step's value on, but the limit itself is not a breach.
double JustAbove(double limit);

}  // namespace outgrown::artefacts
