// Rules as a rule server holds them, and the same rules as a spec makes them: two sides of one comparison.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/duration.h"

namespace outgrown::verify {

enum class RuleKind { kRecording, kAlerting };

struct Rule {
  RuleKind kind = RuleKind::kRecording;
  std::string name;
  std::string expr;
  Milliseconds hold{0};  // an alert's `for`
  // Nothing: the server doesn't say (vmalert 1.79), so there is nothing to compare.
  std::optional<Milliseconds> keep_firing_for;
  std::map<std::string, std::string> labels;       // without the alert's name
  std::map<std::string, std::string> annotations;  // templates, not what they expand to
};

// How a loaded rule fares.
struct RuleState {
  std::string health = "ok";  // the server's word: ok, err, unknown
  std::string last_error;
  bool evaluated = true;  // at least once since it was loaded
};

struct LoadedRule {
  Rule rule;
  RuleState state;
};

struct LoadedGroup {
  std::string name;
  std::string file;  // which rule file (Mimir: which namespace) it came from; "" if the server doesn't say
  Milliseconds interval{0};
  std::int64_t limit =
      0;  // series or alerts that a rule may have before it fails; 0: none, or the server doesn't say
  // What else of the group changes what its rules ask or when, each as `KEY is VALUE`: vmalert's type, params, headers
  // and concurrency, where they are not what a generated file means. Prometheus has none.
  std::vector<std::string> settings;
  std::vector<LoadedRule> rules;
};

// A group that isn't rulegen's: what it records and the names of its alerts are all that is read of it.
struct OtherGroup {
  std::string name;
  std::string file;
  std::vector<std::string> series;  // one for each recording rule
  std::vector<std::string> alerts;  // one for each alerting rule
};

struct ExpectedGroup {
  std::string name;
  Milliseconds interval{0};
  std::vector<Rule> rules;
};

}  // namespace outgrown::verify
