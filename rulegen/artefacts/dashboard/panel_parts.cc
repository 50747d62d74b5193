#include "rulegen/artefacts/dashboard/panel_parts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>

#include "common/digest.h"
#include "common/horizons.h"
#include "common/time_text.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::artefacts {
namespace {

// Grafana's limit.
constexpr std::size_t kUidLengthMax = 40;

// The numbers of VerdictExpr.
constexpr int kUndetermined = 1;
constexpr int kMildest = 2;

// Mild yellow to severe red, for the verdict with that index.
// Counted from the most severe: with two verdicts they are orange and red, with four the two mildest are both
// yellow.
std::string VerdictColor(const spec::Spec& spec, std::size_t index) {
  constexpr std::array<std::string_view, 3> kFromSevere = {"red", "orange", "yellow"};
  const std::size_t behind = spec.verdicts.size() - 1 - index;
  return std::string(kFromSevere[std::min(behind, kFromSevere.size() - 1)]);
}

std::string SignalSelected(const spec::Spec& spec, const std::string& signal) {
  return Selected(spec, spec::RecordedSeries(spec.store, signal));
}

}  // namespace

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

std::string ByStore(const spec::Spec& spec) { return "max by (" + IdentityList(spec) + ") "; }

int ThresholdWidth(const spec::Spec& spec) {
  constexpr int kCharacter = 7;
  constexpr int kBorders = 30;
  std::size_t longest = 0;
  for (const spec::Threshold& threshold : spec.thresholds) longest = std::max(longest, threshold.id.size());
  return kBorders + kCharacter * static_cast<int>(longest);
}

std::string StoreLegend(const spec::Spec& spec) {
  const std::vector<std::string>& identity = spec.store.identity;
  std::string legend = "{{" + identity.back() + "}}";
  const bool has_instance = std::ranges::count(identity, "instance") > 0;
  if (has_instance && identity.back() != "instance") legend += " @ {{instance}}";
  return legend;
}

// Narrowed, so that only combinations that exist can be chosen.
std::vector<DashboardVariable> StoreVariables(const spec::Spec& spec) {
  std::vector<DashboardVariable> variables;
  std::string narrowed;
  for (const std::string& label : spec.store.identity) {
    const std::string of = spec.store.present + (narrowed.empty() ? "" : "{" + narrowed + "}");
    variables.push_back({label, "label_values(" + of + ", " + label + ")"});
    narrowed += (narrowed.empty() ? "" : ",") + label + "=~\"$" + label + "\"";
  }
  return variables;
}

std::string DashboardUid(const spec::Spec& spec, std::string_view suffix) {
  const std::string name = spec.store.name + std::string(suffix);
  const std::string uid = "outgrown-" + name;
  return uid.size() > kUidLengthMax ? "outgrown-" + Sha256Hex(name).substr(0, 16) : uid;
}

// Grafana itself puts its own path before it.
std::string DashboardUrl(const spec::Spec& spec, std::string_view suffix) {
  return "/d/" + DashboardUid(spec, suffix);
}

void AddRunbook(const spec::Spec& spec, Dashboard& dashboard) {
  if (spec.rules.runbook_url.empty()) return;
  dashboard.links.push_back({.title = "Runbook",
                             .url = spec.rules.runbook_url,
                             .tooltip = "What each alert means and what to do",
                             .elsewhere = true});
}

std::string GrafanaUnit(Unit unit) {
  switch (unit) {
    case Unit::kRatio:
      return "percentunit";
    case Unit::kPerSecond:
      return "ops";
    case Unit::kSeconds:
      return "s";
    case Unit::kBytes:
      return "bytes";
    case Unit::kCount:
      return "short";
  }
  return "short";
}

double JustAbove(double limit) {
  return limit == 0 ? 1e-9 : std::nextafter(limit, std::numeric_limits<double>::infinity());
}

// The most severe verdict with a firing alert; without one, sufficient only where every signal is there and the
// counting is complete. From the alerts and not from the values, since an alert also knows for how long its
// condition has held.
std::string VerdictExpr(const spec::Spec& spec) {
  const std::string by = ByStore(spec);
  std::string expr;
  for (std::size_t i = spec.verdicts.size(); i-- > 0;) {
    std::string alerts;
    for (const spec::Threshold& threshold : spec.thresholds) {
      if (threshold.verdict != spec.verdicts[i].id) continue;
      alerts += (alerts.empty() ? "" : "|") + spec::AlertName(spec.store, threshold.id);
    }
    if (alerts.empty()) continue;
    expr += std::to_string(kMildest + i) + " * " + by + "(" +
            Selected(spec, "ALERTS", "alertname=~\"" + alerts + "\",alertstate=\"firing\"") + ")\nor ";
  }
  expr += "0 * (" + by + "(" + Selected(spec, spec.store.present) + ")";
  for (const spec::Threshold& threshold : spec.thresholds) {
    // "and" keeps a store for which the right side has a sample; abs() < +Inf drops NaN and both
    // infinities.
    const std::string known = " and abs(" + SignalSelected(spec, threshold.signal) + ") < +Inf";
    if (expr.find(known) == std::string::npos) expr += known;
  }
  if (spec.coverage) {
    expr += " and " + Selected(spec, spec::CoverageSeries(spec.store)) +
            " >= " + spec::PromqlNumber(spec.coverage->minimum) +
            " <= " + spec::PromqlNumber(spec.coverage->maximum);
    if (!spec.coverage->reason.empty())
      expr += " unless on (" + IdentityList(spec) + ") " + Selected(spec, spec::ReasonSeries(spec.store));
  }
  // Undetermined is everything else that reported for as long as decisions remember a store.
  return expr + ")\nor " + std::to_string(kUndetermined) + " + 0 * " + by + "(last_over_time(" +
         Selected(spec, spec.store.present) + "[" + FormatDuration(Milliseconds(kLookbackMs)) + "]))";
}

std::vector<ValueText> VerdictTexts(const spec::Spec& spec) {
  std::vector<ValueText> texts = {{0, spec.store.sufficient, "green"},
                                  {kUndetermined, "UNDETERMINED", "purple"}};
  for (std::size_t i = 0; i < spec.verdicts.size(); ++i) {
    texts.push_back({static_cast<double>(kMildest + i), spec.verdicts[i].text, VerdictColor(spec, i)});
  }
  return texts;
}

std::vector<ColorStep> LimitSteps(const spec::Spec& spec, std::string_view signal) {
  std::vector<const spec::Threshold*> above;
  std::vector<const spec::Threshold*> below;
  for (const spec::Threshold& threshold : spec.thresholds) {
    if (threshold.signal != signal) continue;
    (threshold.direction == Direction::kAbove ? above : below).push_back(&threshold);
  }
  std::ranges::sort(above, {}, &spec::Threshold::limit);
  std::ranges::sort(below, {}, &spec::Threshold::limit);
  const auto color = [&](const spec::Threshold* threshold) {
    const auto verdict = std::ranges::find(spec.verdicts, threshold->verdict, &spec::Verdict::id);
    return VerdictColor(spec, static_cast<std::size_t>(verdict - spec.verdicts.begin()));
  };
  // Ascending, as Grafana needs them: each step colours from its value up to the next. Below the least
  // lower limit that limit's verdict applies.
  std::vector<ColorStep> steps = {{{}, below.empty() ? "green" : color(below.front())}};
  for (std::size_t i = 0; i < below.size(); ++i) {
    steps.push_back({below[i]->limit, i + 1 < below.size() ? color(below[i + 1]) : "green"});
  }
  for (const spec::Threshold* threshold : above)
    steps.push_back({JustAbove(threshold->limit), color(threshold)});
  return steps;
}

std::vector<ColorStep> CoverageSteps(const spec::Coverage& coverage, std::string_view inside) {
  return {{{}, "red"}, {coverage.minimum, std::string(inside)}, {JustAbove(coverage.maximum), "red"}};
}

std::string ShareOfLimit(const spec::Spec& spec, const spec::Threshold& threshold) {
  const Unit unit = std::ranges::find(spec.signals, threshold.signal, &spec::Signal::id)->unit;
  // A share of a limit of 0 would be a division by 0.
  if (threshold.limit == 0 || (threshold.limit == 1 && unit == Unit::kCount)) return "";
  std::string series = SignalSelected(spec, threshold.signal);
  const std::string limit = spec::PromqlNumber(threshold.limit);
  const bool above = threshold.direction == Direction::kAbove;
  // 0 is the worst there is below a limit, and would be left out as +Inf is.
  if (!above && threshold.limit > 0)
    series = "clamp_min(" + series + ", " + spec::PromqlNumber(threshold.limit / 1000) + ")";
  // "< +Inf" leaves out what is not finite: +Inf would be the maximum, whatever the other stores have.
  return (above ? series : limit) + " / " + (above ? limit : series) + " < +Inf";
}

std::string ShareOfCeiling(const spec::Spec& spec, const spec::Signal& signal) {
  if (signal.ceiling.empty()) return "";
  return SignalSelected(spec, signal.id) + " / " + SignalSelected(spec, signal.ceiling) + " < +Inf";
}

}  // namespace outgrown::artefacts
