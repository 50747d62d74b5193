// Where a dashboard's panels go.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "rulegen/artefacts/dashboard/dashboard_model.h"

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

}  // namespace outgrown::artefacts
