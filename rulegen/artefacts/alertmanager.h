// What Alertmanager does with a spec's alerts: routes and inhibitions as structs.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/time_text.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

struct Matcher {
  std::string label;
  std::string op;  // = != =~ !~
  std::string value;
};

struct Route {
  std::vector<Matcher> matchers;
  std::vector<std::string>
      receivers;  // the first of these that the user's configuration has; else the parent's
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

// A more severe verdict silences the milder ones of the same store, and a watch what it says that it inhibits.
Routing PlanRouting(const spec::Spec& spec, const RuleFile& rules);

// Alertmanager's configuration: the user-supplied one, with the routes and inhibitions of specs merged in.
//
// `base` is the text of the user's file, `base_name` its name for errors. The routes go behind their own (theirs win),
// the inhibitions behind theirs, in the order of `routings`. Of theirs the relative paths are changed that Alertmanager
// reads from its configuration's folder, so that they lead to the same files: `templates`, and the files of an
// `http_config` (all others it reads from where it was started). `base_folder` is the base's folder from the
// one that the text goes to. `spec` is the one that the file is marked with.
Result<std::string> AlertmanagerYaml(const spec::Spec& spec, const std::vector<Routing>& routings,
                                     const std::string& base, const std::string& base_name,
                                     const std::filesystem::path& base_folder);

}  // namespace outgrown::artefacts
