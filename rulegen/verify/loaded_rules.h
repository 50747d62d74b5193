// The rules that a server says it has loaded (Prometheus, Mimir or Thanos, or vmalert where another server
// keeps the series). Source of the format: https://prometheus.io/docs/prometheus/latest/querying/api/#rules.
// vmalert's differs in that it has `datasourceType`, an empty `lastError`, and expressions as the file spells
// them; Thanos' in that the alerts of a group come first and that each rule has the labels of the ruler
// beside its own.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "common/time_text.h"
#include "prometheus/rule_server.h"
#include "thresholds/model.h"

namespace outgrown::verify {

// A server's text, plain and in one line.
std::string Shown(std::string_view text);

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
  bool sorted = false;  // as Thanos lists them, by kind and name: the file's order doesn't show
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

struct LoadedRules {
  std::vector<LoadedGroup> groups;  // rulegen's (artefacts::kGroupPrefix), in the server's order
  std::vector<OtherGroup> others;   // not rulegen's
  bool vmalert = false;
};

// Of groups that are not rulegen's only the names of their rules are read. An error says what doesn't fit the
// format: a rule that can't be read must not pass as one that is in step.
Result<LoadedRules> ReadLoadedRules(std::string_view body);

// The flavor whose rule file such a server loads, of those that the spec is generated for.
spec::Flavor FlavorOf(const LoadedRules& loaded, const spec::Spec& spec);

// What the server has loaded. An error if it doesn't answer or its answer can't be read.
Result<LoadedRules> LoadRules(prometheus_api::RuleServer& server);

// Whether two PromQL expressions say the same.
class Expressions {
 public:
  // A server's canonical form of an expression (/api/v1/format_query); nothing if it has none to give.
  using Format = std::function<std::optional<std::string>(const std::string& expr)>;

  explicit Expressions(Format format) : format_(std::move(format)) {}

  // Equal as text, or else in the server's canonical form, which is asked only then, once for each expression. Where no
  // server has one (Thanos, and VictoriaMetrics with vmalert) in the generator's own, which may call two
  // spellings different but never two meanings the same.
  bool Same(const std::string& left, const std::string& right);

 private:
  const std::optional<std::string>& Canonical(const std::string& expr);

  Format format_;
  std::map<std::string, std::optional<std::string>> known_;
};

}  // namespace outgrown::verify
