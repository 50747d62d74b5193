// What several panels say in PromQL, legends, units and colours.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rulegen/artefacts/dashboard/dashboard_model.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

// The selection that the dashboard's variables make: job=~"$job",instance=~"$instance".
std::string Selection(const spec::Spec& spec);

// NAME{MORE,selection}; `more` may be empty.
std::string Selected(const spec::Spec& spec, std::string_view name, std::string_view more = "");

// "max by (job, instance, database) ": drops every label that names no store.
std::string ByStore(const spec::Spec& spec);

// "{{database}} @ {{instance}}": one store in a legend. Before what is said of the store, since a state timeline cuts long
// names off at their beginning.
std::string StoreLegend(const spec::Spec& spec);

// One variable for each label of the identity, narrowed by those before it.
std::vector<DashboardVariable> StoreVariables(const spec::Spec& spec);

// "outgrown-NAME" and the suffix, or a digest of both where that is too long for Grafana: links last for as long as the
// store's name.
std::string DashboardUid(const spec::Spec& spec, std::string_view suffix = "");

// Where that dashboard is in any Grafana.
std::string DashboardUrl(const spec::Spec& spec, std::string_view suffix = "");

// The link to the runbook, if there is one.
void AddRunbook(const spec::Spec& spec, Dashboard& dashboard);

// A table's column of numbers, in pixels.
inline constexpr int kValueWidth = 90;

// A table's column of thresholds' ids, in pixels.
int ThresholdWidth(const spec::Spec& spec);

// "percentunit"
std::string GrafanaUnit(Unit unit);

// The least value beyond a limit: Grafana colours from a step's value on, but the limit itself is not a breach.
double JustAbove(double limit);

// Each store's verdict by its firing alerts: 0 sufficient, 1 undetermined, from 2 on the verdicts from mild to severe. So
// that the worst is the largest.
std::string VerdictExpr(const spec::Spec& spec);

// What these numbers mean.
std::vector<ValueText> VerdictTexts(const spec::Spec& spec);

// Green within every limit of that signal; the colour of a verdict beyond its limit.
std::vector<ColorStep> LimitSteps(const spec::Spec& spec, std::string_view signal);

// Red outside of the coverage that is in order, `inside` within.
std::vector<ColorStep> CoverageSteps(const spec::Coverage& coverage, std::string_view inside);

// The recorded value as a share of the limit, 1 at the limit in either direction; "" where there is none: a limit of 0, and
// one of 1 of a count, which is at its limit or beyond it and nowhere on the way.
std::string ShareOfLimit(const spec::Spec& spec, const spec::Threshold& threshold);

// The same of a signal's own ceiling; "" if it has none.
std::string ShareOfCeiling(const spec::Spec& spec, const spec::Signal& signal);

}  // namespace outgrown::artefacts
