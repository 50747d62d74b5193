#include "test/rulegen/artefacts/untested.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>
#include <vector>

#include "common/time_text.h"
#include "rulegen/artefacts/promtool/rule_tests.h"

namespace outgrown::artefacts {
namespace {

// What the tests of one alert hold it to.
struct Tested {
  bool fires = false;
  bool quiet_before = false;  // before it fires
  bool one_interval_short = false;
  bool at_limit = false;
  bool not_finite = false;
  bool ended = false;
  Milliseconds absent_at{-1};  // the latest check without any series
};

// True if a store of the test has that value in one of its labels.
bool HasStore(const PromtoolTest& test, std::string_view what) {
  const std::string quoted = "\"" + std::string(what) + "\"";
  return std::ranges::any_of(
      test.series, [&](const auto& series) { return series.first.find(quoted) != std::string::npos; });
}

// Takes in one alert's checks of one test, by their time.
void Count(const PromtoolTest& test, const std::map<Milliseconds, const AlertCheck*>& checks,
           Tested& tested) {
  const auto fires =
      std::ranges::find_if(checks, [](const auto& check) { return !check.second->expected.empty(); });
  if (fires == checks.end()) {
    if (test.series.empty()) tested.absent_at = std::max(tested.absent_at, checks.rbegin()->first);
    return;
  }
  tested.fires = true;
  if (fires != checks.begin()) tested.quiet_before = true;
  // A store that is checked while others fire.
  if (HasStore(test, kOneIntervalShort)) tested.one_interval_short = true;
  if (HasStore(test, kAtLimit)) tested.at_limit = true;
  if (HasStore(test, kNotFinite)) tested.not_finite = true;
  if (HasStore(test, kEnded) && checks.rbegin()->second->expected.size() < fires->second->expected.size()) {
    tested.ended = true;
  }
}

void AddMissing(const AlertRule& rule, const Tested& tested, std::vector<std::string>& untested) {
  const auto add = [&](bool missing, const std::string& before, const std::string& after) {
    if (missing) untested.push_back(before + rule.alert + after);
  };
  const bool waits = rule.hold > Milliseconds(0);
  const bool has_limit = std::ranges::count(rule.labels, "threshold", &Pair::name) > 0;
  add(!tested.fires, "no test expects ", " to fire");
  add(waits && !(tested.quiet_before && (tested.one_interval_short || !has_limit)), "no test has ",
      " one interval short of its `for`");
  add(has_limit && !tested.at_limit, "no test has ", " at its limit");
  add(has_limit && !tested.not_finite, "no test has ", " at a value that is not finite");
  add(rule.keep_firing_for && !tested.ended, "no test has ", " end after keep_firing_for");
  add(tested.absent_at < rule.hold, "no test has ", " without any series");
}

}  // namespace

std::vector<std::string> Untested(const RuleFile& rules, const std::vector<PromtoolFile>& files) {
  std::unordered_map<std::string_view, Tested> alerts;
  std::unordered_set<std::string_view> series;
  for (const PromtoolFile& file : files) {
    for (const PromtoolTest& test : file.tests) {
      std::unordered_map<std::string_view, std::map<Milliseconds, const AlertCheck*>> checks;
      for (const AlertCheck& check : test.alerts) checks[check.alert].emplace(check.at, &check);
      for (const auto& [alert, by_time] : checks) Count(test, by_time, alerts[alert]);
      for (const SampleCheck& check : test.samples) {
        if (!check.expected.empty()) series.insert(check.record);
      }
    }
  }
  std::vector<std::string> untested;
  for (const RuleGroup& group : rules.groups) {
    for (const Rule& rule : group.rules) {
      if (const auto* alert = std::get_if<AlertRule>(&rule)) {
        AddMissing(*alert, alerts[alert->alert], untested);
        alerts.erase(alert->alert);
      } else if (const std::string& record = std::get<RecordingRule>(rule).record; !series.contains(record)) {
        untested.push_back("no test expects a value of " + record);
      }
    }
  }
  std::vector<std::string> unknown;
  unknown.reserve(alerts.size());
  for (const auto& [alert, tested] : alerts) unknown.emplace_back(alert);
  std::ranges::sort(unknown);
  for (const std::string& alert : unknown)
    untested.push_back("a test checks " + alert + ", which no rule has");
  return untested;
}

}  // namespace outgrown::artefacts
