#include "rulegen/artefacts/panel_grid.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace outgrown::plan {

void PanelGrid::NextLine() {
  y_ += line_height_;
  x_ = 0;
  line_height_ = 0;
}

void PanelGrid::Row(std::string title) {
  NextLine();
  Panel row;
  row.title = std::move(title);
  Add(std::move(row));
}

void PanelGrid::Add(Panel panel) {
  if (x_ + panel.width > kGridColumns) NextLine();
  panel.x = x_;
  panel.y = y_;
  x_ += panel.width;
  line_height_ = std::max(line_height_, panel.height);
  panels_.push_back(std::move(panel));
}

std::string Selection(const spec::Spec& spec) {
  std::string text;
  for (const std::string& label : spec.store.identity) {
    text += (text.empty() ? "" : ",") + label + "=~\"$" + label + "\"";
  }
  return text;
}

std::string Selected(const spec::Spec& spec, std::string_view name, std::string_view more) {
  return std::string(name) + "{" + std::string(more) + (more.empty() ? "" : ",") + Selection(spec) + "}";
}

std::string StoreLegend(const spec::Spec& spec) {
  const std::vector<std::string>& identity = spec.store.identity;
  std::string legend = "{{" + identity.back() + "}}";
  const bool has_instance = std::ranges::count(identity, "instance") > 0;
  if (has_instance && identity.back() != "instance") legend += " @ {{instance}}";
  return legend;
}

std::string LegendText(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    if (c == '{' && safe.ends_with('{')) safe += ' ';
    safe += c;
  }
  return safe;
}

std::string VerdictColor(const spec::Spec& spec, std::size_t index) {
  constexpr std::array<std::string_view, 3> kFromSevere = {"red", "orange", "yellow"};
  const std::size_t behind = spec.verdicts.size() - 1 - index;
  return std::string(kFromSevere[std::min(behind, kFromSevere.size() - 1)]);
}

double JustAbove(double limit) {
  return limit == 0 ? 1e-9 : std::nextafter(limit, std::numeric_limits<double>::infinity());
}

}  // namespace outgrown::plan
