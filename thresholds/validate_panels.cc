// [[panel]]: what the dashboard shows beside the signals. Grafana's variables make its queries no PromQL yet, so only
// placeholders are checked in them.
#include <string>
#include <string_view>

#include "thresholds/placeholders.h"
#include "thresholds/validate_parts.h"

namespace outgrown::spec {
namespace {

constexpr int kColumns = 24;
constexpr int kWidthMin = 4;

void Queries(const TableCheck& check, const DashboardPanel& panel, const Spec& spec) {
  if (!check.Has("queries")) return;
  if (panel.queries.empty()) check.Wrong("queries", "no query", "at least one");
  for (const auto& [legend, query] : panel.queries) {
    std::string text = query;
    constexpr std::string_view kShown = "{shown}";
    for (std::size_t at = text.find(kShown); at != std::string::npos; at = text.find(kShown))
      text.erase(at, kShown.size());
    const Filled filled = FillPlaceholders(text, spec, "");
    if (filled.problem)
      check.Wrong("queries", filled.problem->found + " in " + Quoted(legend), "{identity} or {shown}");
  }
}

}  // namespace

void ValidatePanels(const Spec& spec, Report& report) {
  for (const DashboardPanel& panel : spec.panels) {
    const TableCheck check("panel", panel.positions, report);
    check.LineOrNothing("row", panel.row);
    check.Line("title", panel.title);
    check.LineOrNothing("description", panel.description);
    if (check.Has("width") && (panel.width < kWidthMin || panel.width > kColumns))
      check.Wrong("width", std::to_string(panel.width), "4 to 24 columns");
    Queries(check, panel, spec);
  }
}

}  // namespace outgrown::spec
