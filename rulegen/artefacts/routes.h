// What Alertmanager does with a spec's alerts: routes and inhibitions as structs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/duration.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::plan {

struct Matcher {
  std::string label;
  std::string op;  // = != =~ !~
  std::string value;
};

struct Route {
  std::vector<Matcher> matchers;
  std::vector<std::string>
      receivers;  // the first of these that the people's configuration has; else the parent's
  std::vector<std::string> group_by;
  std::optional<Milliseconds> repeat_interval;
  std::vector<Route> routes;
};

struct Inhibition {
  std::vector<Matcher> source;
  std::vector<Matcher> target;
  std::vector<std::string> equal;
};

struct Routing {
  std::string store;  // the spec's store
  Route
      route;  // one for all of the spec's alerts, with one below it for each verdict and one for the measurement
  std::vector<Inhibition> inhibitions;
};

// A more severe verdict silences the milder ones of the same store; an exporter that is down silences what else would be
// said about its measurements, and so does an unreadable block.
Routing PlanRouting(const spec::Spec& spec, const RuleFile& rules);

}  // namespace outgrown::plan
