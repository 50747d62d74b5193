#include "rulegen/artefacts/dashboard/panel_grid.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace outgrown::artefacts {

// =~ and not =, since each variable takes several values; Grafana fills them in as an alternation, and ".+"
// for "All".
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

double JustAbove(double limit) {
  return limit == 0 ? 1e-9 : std::nextafter(limit, std::numeric_limits<double>::infinity());
}

}  // namespace outgrown::artefacts
