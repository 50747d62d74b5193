// Puts panels side by side into rows of the dashboard's grid, and knows the words that their queries share.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rulegen/artefacts/dashboard.h"
#include "thresholds/model.h"

namespace outgrown::plan {

inline constexpr int kGridColumns = 24;

// Fills lines from left to right; a panel that doesn't fit starts the next line.
class PanelGrid {
 public:
  // A heading across the dashboard.
  void Row(std::string title);
  void Add(Panel panel);
  std::vector<Panel> Take() { return std::move(panels_); }

 private:
  void NextLine();

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

// Text in a legend, where "{{" would start a label.
std::string LegendText(std::string_view text);

// The least value beyond a limit: Grafana colours from a step's value on, but a limit itself is no breach.
double JustAbove(double limit);

// Mild yellow to severe red, for the verdict with that index.
std::string VerdictColor(const spec::Spec& spec, std::size_t index);

}  // namespace outgrown::plan
