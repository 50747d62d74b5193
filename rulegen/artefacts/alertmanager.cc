#include "rulegen/artefacts/alertmanager.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "common/time_text.h"
#include "rulegen/artefacts/node.h"
#include "thresholds/names.h"
#include "thresholds/promql.h"

namespace outgrown::artefacts {

namespace {

// A migration takes weeks: once a day is a reminder, more is noise. Milder ones repeat as seldom as
// Alertmanager allows: it forgets what it notified about after --data.retention, 120h by default, and would
// notify again anyway.
constexpr Milliseconds kRemindDaily = std::chrono::hours(24);
constexpr Milliseconds kRemindSeldom = std::chrono::hours(120);

// Alert names are identifiers, so their alternatives need no escaping; Alertmanager anchors a matcher's
// regular expression.
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

// The labels, and those that separate hosts that share one Alertmanager (alertmanager.equal).
std::vector<std::string> AndShared(const spec::Spec& spec, std::vector<std::string> labels) {
  if (!spec.alertmanager) return labels;
  for (const std::string& label : spec.alertmanager->equal) {
    if (std::ranges::count(labels, label) == 0) labels.push_back(label);
  }
  return labels;
}

// For each verdict: its alerts silence those of all milder ones.
// An inhibition is needed because all alerts of a store may be firing at once: who breaches the severe limit
// of a signal breaches its milder ones as well, and one page for each would bury the one that matters.
// Alertmanager takes a label that is missing for an empty one (docs, "inhibition-related settings"): labels
// of alertmanager.equal that neither alert has make no difference, so a single host may set them too.
void SilenceMilder(const spec::Spec& spec, AlertsByVerdict& alerts, std::vector<Inhibition>& inhibitions) {
  std::vector<std::string> milder;
  for (const spec::Verdict& verdict : spec.verdicts) {
    const std::vector<std::string>& own = alerts[verdict.id];
    if (!own.empty() && !milder.empty())
      inhibitions.push_back({{AnyOf(own)}, {AnyOf(milder)}, AndShared(spec, spec.store.identity)});
    milder.insert(milder.end(), own.begin(), own.end());
  }
}

// What each watch says that it silences.
void SilenceExplained(const spec::Spec& spec, std::vector<Inhibition>& inhibitions) {
  for (const spec::Watch& watch : spec.watches) {
    if (watch.inhibits.empty()) continue;
    std::vector<std::string> targets;
    for (const std::string& id : watch.inhibits) targets.push_back(spec::AlertName(spec.store, id));
    inhibitions.push_back(
        {{AnyOf({spec::AlertName(spec.store, watch.id)})}, {AnyOf(targets)}, AndShared(spec, watch.equal)});
  }
}

// The route of the alerts about the measurement; one below it for each severity but the usual, the mildest verdict's.
// These alerts carry no label `verdict`, and a matcher with an empty value selects alerts without the label.
// So a watch that is added later needs no new route.
Route MeasurementRoute(const spec::Spec& spec) {
  const std::string& usual = spec.verdicts.front().severity;
  Route route{{{"verdict", "=", ""}}, {"measurement", usual}, {}, kRemindDaily, {}};
  std::vector<std::string> others;
  for (const spec::Watch& watch : spec.watches) {
    if (!watch.is_alert() || watch.severity == usual || std::ranges::count(others, watch.severity) > 0)
      continue;
    others.push_back(watch.severity);
    route.routes.push_back({{{"severity", "=", watch.severity}}, {watch.severity}, {}, {}, {}});
  }
  return route;
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
  // By name and not by a label of ours: the user's other alerts may have a label `verdict` or `threshold`
  // too.
  routing.route.matchers = {AnyOf(all)};
  routing.route.group_by = AndShared(spec, spec.store.identity);
  // The matchers exclude each other, so the order is for the reader: most severe first.
  for (std::size_t i = spec.verdicts.size(); i-- > 0;) {
    const spec::Verdict& verdict = spec.verdicts[i];
    const bool most_severe = i + 1 == spec.verdicts.size();
    routing.route.routes.push_back({{{"verdict", "=", verdict.id}},
                                    {verdict.id, verdict.severity},
                                    {},
                                    most_severe ? kRemindDaily : kRemindSeldom,
                                    {}});
  }
  if (std::ranges::any_of(spec.watches, &spec::Watch::is_alert))
    routing.route.routes.push_back(MeasurementRoute(spec));

  AlertsByVerdict alerts = ByVerdict(spec);
  SilenceMilder(spec, alerts, routing.inhibitions);
  SilenceExplained(spec, routing.inhibitions);
  return routing;
}

namespace {

Node* Find(Node& map, std::string_view key) {
  const auto found = std::ranges::find_if(map.entries, [&](const auto& entry) { return entry.key == key; });
  return found == map.entries.end() ? nullptr : &found->value;
}

bool IsNull(const Node& node) { return node.kind == Node::Kind::kRaw && node.text == "null"; }

// The list below `key`, made if it is missing or null; null if it is something else.
// Users leave keys empty ("inhibit_rules:"), which YAML reads as null; Alertmanager takes that for an empty
// list.
Node* ListOf(Node& map, const std::string& key) {
  Node* list = Find(map, key);
  if (list == nullptr) {
    map.entries.emplace_back(key, Node::Of(Node::List{}));
    return &map.entries.back().value;
  }
  if (IsNull(*list)) *list = Node::Of(Node::List{});
  return list->kind == Node::Kind::kList ? list : nullptr;
}

std::vector<std::string> ReceiverNames(Node& config) {
  std::vector<std::string> names;
  Node* receivers = Find(config, "receivers");
  if (receivers == nullptr) return names;
  for (Node& receiver : receivers->items) {
    if (const Node* name = Find(receiver, "name")) names.push_back(name->text);
  }
  return names;
}

// LABEL="VALUE": Alertmanager's matchers take Go's quoting, as PromQL does.
Node Matchers(const std::vector<Matcher>& matchers) {
  std::vector<std::string> texts;
  texts.reserve(matchers.size());
  for (const Matcher& matcher : matchers) {
    texts.push_back(matcher.label + matcher.op + spec::PromqlString(matcher.value));
  }
  return Node::Strings(texts);
}

// A route without a receiver inherits its parent's. So where the configuration has none of the names that the
// plan offers, the alerts still go where the user's other alerts go, and Alertmanager accepts the file.
Node RouteNode(const Route& route, const std::vector<std::string>& receivers) {
  Node::Map entries = {{"matchers", Matchers(route.matchers)}};
  const auto receiver = std::ranges::find_if(
      route.receivers, [&](const std::string& name) { return std::ranges::count(receivers, name) > 0; });
  if (receiver != route.receivers.end()) entries.emplace_back("receiver", Node::String(*receiver));
  if (!route.group_by.empty()) entries.emplace_back("group_by", Node::Strings(route.group_by));
  if (route.repeat_interval) {
    entries.emplace_back("repeat_interval", Node::Duration(*route.repeat_interval));
  }
  Node::List routes;
  for (const Route& child : route.routes) routes.push_back(RouteNode(child, receivers));
  if (!routes.empty()) entries.emplace_back("routes", Node::Of(std::move(routes)));
  return Node::Of(std::move(entries));
}

// Whether one of the routes has the same matchers: then the base is itself a generated file, and merging
// would double the routes.
bool HasRoute(Node& routes, const Route& route) {
  const std::string own = ToYaml(Matchers(route.matchers));
  return std::ranges::any_of(routes.items, [&](Node& item) {
    const Node* matchers = Find(item, "matchers");
    return matchers != nullptr && ToYaml(*matchers) == own;
  });
}

Node InhibitionNode(const Inhibition& inhibition) {
  return Node::Of(Node::Map{{"source_matchers", Matchers(inhibition.source)},
                            {"target_matchers", Matchers(inhibition.target)},
                            {"equal", Node::Strings(inhibition.equal)}});
}

void MovePath(Node& path, const std::filesystem::path& base_folder) {
  const bool is_text = path.kind == Node::Kind::kString || path.kind == Node::Kind::kRaw;
  if (!is_text || IsNull(path) || path.text.empty() || path.text.starts_with('/')) return;
  path = Node::String((base_folder / path.text).lexically_normal().generic_string());
}

void MovePathsOf(Node* list, const std::filesystem::path& base_folder) {
  if (list == nullptr) return;
  for (Node& path : list->items) MovePath(path, base_folder);
}

// What Alertmanager reads from its configuration's folder. Source: resolveFilepaths in its config/config.go, and
// HTTPClientConfig.SetDirectory in prometheus/common: all keys that end in _file, and `files` of http_headers. What
// `endpoint_params` has are a request's own parameters.
void MoveHttpPaths(Node& node, const std::filesystem::path& base_folder, bool in_http_config) {
  for (Node& item : node.items) MoveHttpPaths(item, base_folder, in_http_config);
  for (auto& [key, value] : node.entries) {
    if (in_http_config && key.ends_with("_file")) MovePath(value, base_folder);
    if (in_http_config && key == "files") MovePathsOf(&value, base_folder);
    if (key != "endpoint_params") MoveHttpPaths(value, base_folder, in_http_config || key == "http_config");
  }
}

void MovePaths(Node& config, const std::filesystem::path& base_folder) {
  if (base_folder == ".") return;
  MovePathsOf(Find(config, "templates"), base_folder);
  for (const std::string_view place : {"global", "receivers"}) {
    if (Node* found = Find(config, place)) MoveHttpPaths(*found, base_folder, false);
  }
}

}  // namespace

Result<std::string> AlertmanagerYaml(const spec::Spec& spec, const std::vector<Routing>& routings,
                                     const std::string& base, const std::string& base_name,
                                     const std::filesystem::path& base_folder) {
  Result<Node> config = ReadYaml(base);
  if (!config.ok()) return Error{config.error().what, base_name + ":" + config.error().where};
  if (config->kind != Node::Kind::kMap) return Error{"expected a map with route and receivers", base_name};
  MovePaths(*config, base_folder);
  Node* route = Find(*config, "route");
  if (route == nullptr || route->kind != Node::Kind::kMap) return Error{"expected a map as route", base_name};
  // Behind the user's own routes: Alertmanager takes the first that matches, so a route of theirs has
  // precedence.
  Node* routes = ListOf(*route, "routes");
  if (routes == nullptr) return Error{"expected a list as route.routes", base_name};
  const std::vector<std::string> receivers = ReceiverNames(*config);
  for (const Routing& routing : routings) {
    if (HasRoute(*routes, routing.route)) {
      return Error{"already has the route of the alerts of the store " + routing.store +
                       ", so it was generated from that spec; name your own configuration",
                   base_name};
    }
    routes->items.push_back(RouteNode(routing.route, receivers));
  }
  // `route` and `routes` are not used from here on: a new key may move the entries of `config`, which they
  // point into.
  Node* inhibitions = ListOf(*config, "inhibit_rules");
  if (inhibitions == nullptr) return Error{"expected a list as inhibit_rules", base_name};
  for (const Routing& routing : routings) {
    for (const Inhibition& inhibition : routing.inhibitions)
      inhibitions->items.push_back(InhibitionNode(inhibition));
  }
  // The comments of the user's file are lost, since yaml-cpp does not keep them.
  return "# " + spec::GeneratedMark(spec) + "\n" + ToYaml(*config);
}

}  // namespace outgrown::artefacts
