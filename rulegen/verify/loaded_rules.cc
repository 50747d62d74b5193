#include "rulegen/verify/loaded_rules.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "common/json.h"
#include "common/text.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/promql.h"

namespace outgrown::verify {
namespace {

// Long enough for a whole expression of a shipped signal.
constexpr std::size_t kShownMax = 1000;
// Prometheus and vmalert write Go's zero time for "never evaluated".
constexpr std::string_view kNever = "0001-01-01T00:00:00";
// Go's largest duration, 292 years.
constexpr double kSecondsMax = 9.3e9;
// Up to here a JSON number is exact.
constexpr double kIntegerMax = 9007199254740992;

// An answer that does not fit is an error and never a partial list: a rule that was skipped would read as
// "not loaded".
Error Misfit(const std::string& what) { return Error{"the list of rules cannot be read: " + what, ""}; }

Result<std::string> Text(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  if (value == nullptr || value->string() == nullptr) return Misfit("no text \"" + std::string(key) + "\"");
  return *value->string();
}

// "" where the key is absent.
Result<std::string> OptionalText(const Json& object, std::string_view key) {
  return object.Find(key) == nullptr ? Result<std::string>(std::string()) : Text(object, key);
}

// Nothing where the key is absent.
// Prometheus and vmalert write durations as JSON numbers in seconds, possibly with a fraction.
Result<std::optional<Milliseconds>> Seconds(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  if (value == nullptr) return std::optional<Milliseconds>();
  const double* seconds = value->number();
  if (seconds == nullptr || !(*seconds >= 0) || *seconds > kSecondsMax) {
    return Misfit("\"" + std::string(key) + "\" is not a duration in seconds");
  }
  return std::optional<Milliseconds>(Milliseconds(std::llround(*seconds * 1000)));
}

// 0 where the key is absent.
Result<std::int64_t> Integer(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  if (value == nullptr) return std::int64_t{0};
  const double* number = value->number();
  if (number == nullptr || !(std::fabs(*number) <= kIntegerMax) || *number != std::trunc(*number)) {
    return Misfit("\"" + std::string(key) + "\" is not a whole number");
  }
  return static_cast<std::int64_t>(*number);
}

// An absent map and null are empty maps: Go omits or nulls what is empty, depending on the version.
Result<std::map<std::string, std::string>> TextsOf(const Json& object, std::string_view key) {
  std::map<std::string, std::string> texts;
  const Json* value = object.Find(key);
  if (value == nullptr || value->is_null()) return texts;
  if (value->object() == nullptr) return Misfit("\"" + std::string(key) + "\" is not an object");
  for (const auto& [name, text] : *value->object()) {
    if (text.string() == nullptr)
      return Misfit("\"" + std::string(key) + "\" holds something else than text");
    texts[name] = *text.string();
  }
  return texts;
}

Result<RuleState> ReadState(const Json& object) {
  RuleState state;
  Result<std::string> health = Text(object, "health");
  if (!health) return health.error();
  Result<std::string> error = OptionalText(object, "lastError");
  if (!error) return error.error();
  const Result<std::string> evaluation = OptionalText(object, "lastEvaluation");
  if (!evaluation) return evaluation.error();
  state.health = std::move(*health);
  state.last_error = std::move(*error);
  state.evaluated = !evaluation->empty() && !evaluation->starts_with(kNever);
  return state;
}

// Prometheus (web/api/v1) and vmalert differ in names: keepFiringFor and keep_firing_for.
Result<LoadedRule> ReadRule(const Json& object) {
  LoadedRule loaded;
  const Result<std::string> type = Text(object, "type");
  Result<std::string> name = Text(object, "name");
  Result<std::string> query = Text(object, "query");
  const Result<std::optional<Milliseconds>> hold = Seconds(object, "duration");
  const bool as_vmalert = object.Find("keep_firing_for") != nullptr;
  const Result<std::optional<Milliseconds>> keep =
      Seconds(object, as_vmalert ? "keep_firing_for" : "keepFiringFor");
  Result<std::map<std::string, std::string>> labels = TextsOf(object, "labels");
  Result<std::map<std::string, std::string>> annotations = TextsOf(object, "annotations");
  Result<RuleState> state = ReadState(object);
  if (!type) return type.error();
  if (!name) return name.error();
  if (!query) return query.error();
  if (!hold) return hold.error();
  if (!keep) return keep.error();
  if (!labels) return labels.error();
  if (!annotations) return annotations.error();
  if (!state) return state.error();
  if (*type != "alerting" && *type != "recording") return Misfit("a rule of unknown type \"" + *type + "\"");
  const bool alerting = *type == "alerting";
  loaded.rule.kind = alerting ? RuleKind::kAlerting : RuleKind::kRecording;
  loaded.rule.name = std::move(*name);
  loaded.rule.expr = std::move(*query);
  // vmalert gives recording rules a "duration" as well, where it means nothing.
  if (alerting) loaded.rule.hold = hold->value_or(Milliseconds(0));
  if (alerting) loaded.rule.keep_firing_for = *keep;
  loaded.rule.labels = std::move(*labels);
  loaded.rule.annotations = std::move(*annotations);
  loaded.state = std::move(*state);
  return loaded;
}

// `KEY is "A B"` for a list that isn't empty; a value of any other type is reported as "not empty".
std::optional<std::string> ListSetting(const Json& object, std::string_view key) {
  const Json* value = object.Find(key);
  if (value == nullptr || value->is_null()) return std::nullopt;
  std::string joined;
  if (const auto* list = value->array()) {
    if (list->empty()) return std::nullopt;
    for (const Json& item : *list) {
      if (item.string() != nullptr) joined += (joined.empty() ? "" : " ") + *item.string();
    }
  }
  if (joined.empty()) return std::string(key) + " is not empty";
  return std::string(key) + " is \"" + Shown(joined) + "\"";
}

// LoadedGroup::settings. `params: {extra_label: ["x=y"]}` would narrow every query of the group and leave each
// expression as it is; with `concurrency` an alert is evaluated beside the series that it reads and not
// behind it; an offset or delay moves what is judged away from the time that it is stamped with.
Result<std::vector<std::string>> Settings(const Json& object) {
  std::vector<std::string> settings;
  const Result<std::string> type = OptionalText(object, "type");
  if (!type) return type.error();
  if (!type->empty() && *type != "prometheus") settings.push_back("type is \"" + Shown(*type) + "\"");
  if (std::optional<std::string> params = ListSetting(object, "params"))
    settings.push_back(std::move(*params));
  // Their values are not printed: headers often hold secrets.
  if (ListSetting(object, "headers")) settings.emplace_back("headers is not empty");
  const Result<std::int64_t> concurrency = Integer(object, "concurrency");
  if (!concurrency) return concurrency.error();
  if (*concurrency > 1) settings.push_back("concurrency is " + std::to_string(*concurrency));
  for (const char* key : {"eval_offset", "eval_delay"}) {
    const Result<std::optional<Milliseconds>> shift = Seconds(object, key);
    if (!shift) return shift.error();
    if (*shift && **shift != Milliseconds(0))
      settings.push_back(fmt::format("{} is {}", key, FormatDuration(**shift)));
  }
  return settings;
}

Result<LoadedGroup> ReadGroup(const Json& object, std::string name, bool& vmalert) {
  LoadedGroup group;
  Result<std::string> file = OptionalText(object, "file");
  const Result<std::optional<Milliseconds>> interval = Seconds(object, "interval");
  const Result<std::int64_t> limit = Integer(object, "limit");
  Result<std::vector<std::string>> settings = Settings(object);
  const Json* rules = object.Find("rules");
  if (!file) return file.error();
  if (!settings) return settings.error();
  if (!interval) return interval.error();
  if (!limit) return limit.error();
  group.name = std::move(name);
  group.file = std::move(*file);
  group.interval = interval->value_or(Milliseconds(0));
  group.limit = *limit;
  group.settings = std::move(*settings);
  group.sorted = object.Find("partialResponseStrategy") != nullptr;  // Thanos
  if (rules == nullptr || rules->is_null()) return group;
  if (rules->array() == nullptr) return Misfit("\"rules\" is not a list");
  for (const Json& item : *rules->array()) {
    Result<LoadedRule> rule = ReadRule(item);
    if (!rule) return rule.error();
    if (item.Find("datasourceType") != nullptr) vmalert = true;
    group.rules.push_back(std::move(*rule));
  }
  return group;
}

// Thanos adds the ruler's own labels to each rule. They are those that every rule has with the same value;
// the spec's labels are on alerts only, and every spec has a recording rule, so none of them is removed.
void RemoveRulersLabels(std::vector<LoadedGroup>& groups) {
  std::optional<std::map<std::string, std::string>> common;
  for (const LoadedGroup& group : groups) {
    for (const LoadedRule& loaded : group.rules) {
      if (!common) common = loaded.rule.labels;
      std::erase_if(*common, [&](const auto& label) {
        const auto found = loaded.rule.labels.find(label.first);
        return found == loaded.rule.labels.end() || found->second != label.second;
      });
    }
  }
  if (!common) return;
  for (LoadedGroup& group : groups) {
    for (LoadedRule& loaded : group.rules) {
      for (const auto& [name, value] : *common) loaded.rule.labels.erase(name);
    }
  }
}

// Lenient, unlike the reader of our own groups: what another project's rules look like is no reason to refuse
// to compare ours.
Result<OtherGroup> ReadOtherGroup(const Json& object, std::string name) {
  OtherGroup group;
  Result<std::string> file = OptionalText(object, "file");
  if (!file) return file.error();
  group.name = std::move(name);
  group.file = std::move(*file);
  const Json* rules = object.Find("rules");
  if (rules == nullptr || rules->is_null()) return group;
  if (rules->array() == nullptr) return Misfit("\"rules\" is not a list");
  for (const Json& item : *rules->array()) {
    const Json* type = item.Find("type");
    if (type == nullptr || type->string() == nullptr) continue;
    std::vector<std::string>* names = nullptr;
    if (*type->string() == "recording") names = &group.series;
    if (*type->string() == "alerting") names = &group.alerts;
    if (names == nullptr) continue;
    Result<std::string> rule = Text(item, "name");
    if (!rule) return rule.error();
    names->push_back(std::move(*rule));
  }
  return group;
}

}  // namespace

std::string Shown(std::string_view text) { return PlainText(text, kShownMax); }

Result<LoadedRules> ReadLoadedRules(std::string_view body) {
  const Result<Json> document = ParseJson(body);
  if (!document) return Misfit(document.error().what);
  const Json* data = document->Find("data");
  const Json* groups = data == nullptr ? nullptr : data->Find("groups");
  if (groups == nullptr) return Misfit("no \"data\" with \"groups\"");
  LoadedRules loaded;
  // Go writes an empty list as null in some versions.
  if (groups->is_null()) return loaded;
  if (groups->array() == nullptr) return Misfit("\"groups\" is not a list");
  for (const Json& item : *groups->array()) {
    Result<std::string> name = Text(item, "name");
    if (!name) return name.error();
    // By the group's name: the API does not give the comment with the mark, and the file may be called
    // anything.
    if (!name->starts_with(artefacts::kGroupPrefix)) {
      Result<OtherGroup> other = ReadOtherGroup(item, std::move(*name));
      if (!other) return other.error();
      loaded.others.push_back(std::move(*other));
      continue;
    }
    Result<LoadedGroup> group = ReadGroup(item, std::move(*name), loaded.vmalert);
    if (!group) return group.error();
    loaded.groups.push_back(std::move(*group));
  }
  if (!loaded.groups.empty() && loaded.groups.front().sorted) RemoveRulersLabels(loaded.groups);
  return loaded;
}

spec::Flavor FlavorOf(const LoadedRules& loaded, const spec::Spec& spec) {
  // vmalert says of each alert what its keep_firing_for is since it knows the key.
  const auto keeps = [](const LoadedRule& loaded_rule) {
    return loaded_rule.rule.keep_firing_for.has_value();
  };
  const bool recent = std::ranges::any_of(
      loaded.groups, [&](const LoadedGroup& group) { return std::ranges::any_of(group.rules, keeps); });
  std::vector<spec::Flavor> wanted = {spec::Flavor::kPrometheus};
  if (loaded.vmalert) wanted = {spec::Flavor::kVictoriaMetrics179, spec::Flavor::kVictoriaMetrics};
  if (loaded.vmalert && recent) std::ranges::reverse(wanted);
  for (const spec::Flavor flavor : wanted) {
    if (std::ranges::count(spec.rules.flavors, flavor) > 0) return flavor;
  }
  return spec.rules.flavors.front();
}

Result<LoadedRules> LoadRules(prometheus_api::RuleServer& server) {
  const Result<std::string> body = server.Rules();
  return body ? ReadLoadedRules(*body) : body.error();
}

// If the server cannot format the left side, our own canonical form decides for both; the two forms are never
// mixed.
bool Expressions::Same(const std::string& left, const std::string& right) {
  if (left == right) return true;
  const std::optional<std::string> canonical = Canonical(left);
  if (!canonical) return spec::CanonicalPromql(left) == spec::CanonicalPromql(right);
  return canonical == Canonical(right);
}

const std::optional<std::string>& Expressions::Canonical(const std::string& expr) {
  // Each expression is asked for once, however often it is compared.
  const auto found = known_.find(expr);
  return found != known_.end() ? found->second : known_.emplace(expr, format_(expr)).first->second;
}

}  // namespace outgrown::verify
