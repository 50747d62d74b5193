#include "rulegen/artefacts/routes.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "rulegen/artefacts/measurement.h"
#include "thresholds/names.h"

namespace outgrown::plan {
namespace {

// A migration takes weeks: once a day is a reminder, more is noise. Milder ones wait for as long as Alertmanager keeps what
// it notified about by default (--data.retention 120h).
constexpr Milliseconds kRemindDaily = std::chrono::hours(24);
constexpr Milliseconds kRemindSeldom = std::chrono::hours(120);

// Alert names are identifiers, so their alternatives need no escaping. Matchers are anchored.
Matcher AnyOf(const std::vector<std::string>& alerts) {
  if (alerts.size() == 1) return {"alertname", "=", alerts.front()};
  std::string value;
  for (const std::string& alert : alerts) value += (value.empty() ? "" : "|") + alert;
  return {"alertname", "=~", value};
}

using AlertsByVerdict = std::unordered_map<std::string_view, std::vector<std::string>>;

AlertsByVerdict ByVerdict(const spec::Spec& spec) {
  AlertsByVerdict alerts;
  for (const spec::Threshold& threshold : spec.thresholds) {
    alerts[threshold.verdict].push_back(spec::AlertName(spec.store, threshold.id));
  }
  return alerts;
}

// For each verdict that has something milder below it: its alerts silence all of those.
void SilenceMilder(const spec::Spec& spec, AlertsByVerdict& alerts, std::vector<Inhibition>& inhibitions) {
  std::vector<std::string> milder;
  for (const spec::Verdict& verdict : spec.verdicts) {
    const std::vector<std::string>& own = alerts[verdict.id];
    if (!own.empty() && !milder.empty())
      inhibitions.push_back({{AnyOf(own)}, {AnyOf(milder)}, spec.store.identity});
    milder.insert(milder.end(), own.begin(), own.end());
  }
}

// `source` silences the other alerts about the measurement that it explains.
void SilenceExplained(const spec::Spec& spec, const std::vector<MeasurementAlert>& planned,
                      std::string_view source, const std::vector<std::string_view>& explained,
                      std::vector<std::string> equal, std::vector<Inhibition>& inhibitions) {
  std::vector<std::string> targets;
  bool has_source = false;
  for (const MeasurementAlert& alert : planned) {
    has_source = has_source || alert.id == source;
    if (std::ranges::count(explained, alert.id) > 0) targets.push_back(spec::AlertName(spec.store, alert.id));
  }
  if (!has_source || targets.empty()) return;
  inhibitions.push_back({{AnyOf({spec::AlertName(spec.store, source)})}, {AnyOf(targets)}, std::move(equal)});
}

}  // namespace

Routing PlanRouting(const spec::Spec& spec, const RuleFile& rules) {
  std::vector<std::string> all;
  for (const RuleGroup& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      if (const auto* alert = std::get_if<AlertRule>(&rule)) all.push_back(alert->alert);
    }
  }
  Routing routing;
  routing.store = spec.store.name;
  routing.route.matchers = {AnyOf(all)};
  routing.route.group_by = spec.store.identity;
  for (std::size_t i = spec.verdicts.size(); i-- > 0;) {
    const spec::Verdict& verdict = spec.verdicts[i];
    const bool most_severe = i + 1 == spec.verdicts.size();
    routing.route.routes.push_back({{{"verdict", "=", verdict.id}},
                                    {verdict.id, verdict.severity},
                                    {},
                                    most_severe ? kRemindDaily : kRemindSeldom,
                                    {}});
  }
  const std::vector<MeasurementAlert> planned = PlanMeasurement(spec);
  if (!planned.empty()) {
    routing.route.routes.push_back(
        {{{"verdict", "=", ""}}, {"measurement", MeasurementSeverity(spec)}, {}, kRemindDaily, {}});
  }

  AlertsByVerdict alerts = ByVerdict(spec);
  SilenceMilder(spec, alerts, routing.inhibitions);
  SilenceExplained(
      spec, planned, "ExporterDown",
      {"StoreSilent", "BlockUnreadable", "WriterStale", "WriterGone", "CoverageIncomplete", "DigestMismatch"},
      {"job", "instance"}, routing.inhibitions);
  SilenceExplained(spec, planned, "BlockUnreadable", {"WriterStale", "WriterGone", "CoverageIncomplete"},
                   spec.store.identity, routing.inhibitions);
  return routing;
}

}  // namespace outgrown::plan
