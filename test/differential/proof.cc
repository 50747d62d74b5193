#include "test/differential/proof.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/file.h"
#include "common/text.h"
#include "common/time_text.h"
#include "rulegen/artefacts/node.h"
#include "rulegen/artefacts/promtool/test_stores.h"
#include "rulegen/artefacts/rules.h"
#include "test/differential/predict.h"
#include "test/differential/series.h"
#include "thresholds/spec_table.h"

namespace outgrown::differential {
namespace {

using artefacts::Node;

constexpr std::size_t kStoresInGroup = 3;
constexpr std::size_t kGroupsInFile = 20;
constexpr std::size_t kEvaluations = 80;

// The scraped gauge that a recording rule of the proof copies.
std::string Scraped(std::string_view recorded) { return "drawn:" + std::string(recorded); }

bool IsRecording(const artefacts::Rule& rule) {
  return std::holds_alternative<artefacts::RecordingRule>(rule);
}

// The groups that have alerts on thresholds, these without annotations: their texts are the generated tests' business,
// as is what the recording rules compute; here each copies a gauge, so that a value is known to the bit.
artefacts::RuleFile RulesToProve(const spec::Spec& spec, Fault fault) {
  artefacts::RuleFile file = artefacts::PlanRules(spec);
  for (artefacts::RuleGroup& group : file.groups) {
    std::erase_if(group.rules, [](const artefacts::Rule& rule) {
      const auto* alert = std::get_if<artefacts::AlertRule>(&rule);
      return alert != nullptr &&
             std::ranges::find(alert->labels, "threshold", &artefacts::Pair::name) == alert->labels.end();
    });
    for (artefacts::Rule& rule : group.rules) {
      if (auto* recording = std::get_if<artefacts::RecordingRule>(&rule)) {
        recording->expr = Scraped(recording->record);
        continue;
      }
      auto& alert = std::get<artefacts::AlertRule>(rule);
      alert.annotations.clear();
      if (fault == Fault::kRuleHold && alert.hold.count() > 0) alert.hold -= group.interval;
      if (fault == Fault::kRuleFinite) alert.expr.erase(alert.expr.find_last_of("<>"));
      if (fault == Fault::kRuleLimit) alert.expr.insert(alert.expr.find_first_of("<>") + 1, "=");
    }
    if (fault == Fault::kRuleOrder) {
      std::stable_partition(group.rules.begin(), group.rules.end(), std::not_fn(IsRecording));
    }
  }
  std::erase_if(file.groups, [](const artefacts::RuleGroup& group) {
    return std::ranges::all_of(group.rules, IsRecording);
  });
  return file;
}

// The spec's table, with the fault in its rows.
class FaultyTable {
 public:
  FaultyTable(const spec::Spec& spec, Fault fault) : owned_(spec::MakeTable(spec)), table_(owned_.table()) {
    rows_.assign(table_.thresholds.begin(), table_.thresholds.end());
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    for (ThresholdRow& row : rows_) {
      const bool above = row.direction == Direction::kAbove;
      if (fault == Fault::kEngineLimit) row.limit = std::nextafter(row.limit, above ? -kInfinity : kInfinity);
      if (fault == Fault::kEngineHold && row.hold_ms > 0) row.hold_ms += table_.interval_ms;
    }
    table_.thresholds = rows_;
  }
  FaultyTable(const FaultyTable&) = delete;
  FaultyTable& operator=(const FaultyTable&) = delete;
  const Table& table() const { return table_; }

 private:
  spec::OwnedTable owned_;
  Table table_;
  std::vector<ThresholdRow> rows_;
};

class Proof {
 public:
  Proof(const spec::Spec& spec, const ProofOptions& options)
      : spec_(spec),
        options_(options),
        faulty_(spec, options.fault),
        drawn_(spec::MakeTable(spec)),
        random_(options.seed) {
    for (std::size_t signal = 0; signal < drawn_.table().signals.size(); ++signal) {
      const auto of_signal = [signal](const ThresholdRow& row) { return row.signal == signal; };
      if (std::ranges::any_of(drawn_.table().thresholds, of_signal)) judged_signals_.push_back(signal);
    }
  }

  bool Enough() const { return counts_.series >= options_.series; }
  const ProofCounts& counts() const { return counts_; }

  // One group of stores as a promtool test: every alert at every evaluation.
  Result<Node> Group() {
    std::vector<StoreSeries> stores;
    for (std::size_t i = 0; i < kStoresInGroup; ++i) stores.push_back(DrawStore());
    Node::List checks;
    std::vector<std::vector<std::vector<Claim>>> kept;
    if (options_.keep_firing) {
      for (const StoreSeries& store : stores) kept.push_back(PredictKept(table(), store));
    }
    for (std::size_t step = 0; step < kEvaluations; ++step) {
      std::vector<std::vector<Claim>> claims;
      for (std::size_t i = 0; i < stores.size(); ++i) {
        Result<std::vector<Claim>> at_step = ClaimsAt(stores[i], step);
        if (!at_step) return at_step.error();
        claims.push_back(options_.keep_firing ? kept[i][step] : *at_step);
      }
      for (std::size_t i = 0; i < table().thresholds.size(); ++i) AddCheck(claims, i, step, checks);
    }
    return Node::Of(Node::Map{{"interval", Node::Raw(Interval())},
                              {"input_series", Node::Of(InputSeries(stores))},
                              {"alert_rule_test", Node::Of(std::move(checks))}});
  }

  Node File(Node::List groups) const {
    return Node::Of(Node::Map{{"rule_files", Node::Strings({"rules.yml"})},
                              {"evaluation_interval", Node::Raw(Interval())},
                              {"tests", Node::Of(std::move(groups))}});
  }

 private:
  const Table& table() const { return faulty_.table(); }
  std::string Interval() const { return FormatDuration(Milliseconds(table().interval_ms)); }

  StoreSeries DrawStore() {
    StoreSeries store;
    store.signals.resize(table().signals.size(), Values(kEvaluations));
    // Drawn about the spec's own limits, whatever fault the engine's table has.
    for (const std::size_t signal : judged_signals_) {
      store.signals[signal] = DrawSignal(drawn_.table(), signal, kEvaluations, random_);
      ++counts_.series;
    }
    store.coverage = DrawCoverage(drawn_.table(), kEvaluations, random_);
    return store;
  }

  // The claims for the evaluation `step`, asked at a T on it or between it and the next one.
  Result<std::vector<Claim>> ClaimsAt(const StoreSeries& store, std::size_t step) {
    const std::int64_t on_ms = static_cast<std::int64_t>(step) * table().interval_ms;
    std::uniform_int_distribution<std::int64_t> later_ms(0, table().interval_ms - 1);
    const std::int64_t time_ms = random_() % 2 == 0 ? on_ms : on_ms + later_ms(random_);
    Prediction prediction = Predict(table(), store, time_ms);
    if (options_.fault == Fault::kEngineVerdict) prediction.decision.outcome = engine::Outcome::kSufficient;
    if (prediction.decision.outcome == engine::Outcome::kBreached) ++counts_.verdicts;
    if (!VerdictFollows(table(), prediction)) {
      return Error{"the verdict does not follow from the alerts", "evaluation " + std::to_string(step)};
    }
    std::vector<Claim> claims = prediction.claims;
    for (std::size_t i = 0; i < claims.size(); ++i) {
      // A claim about an earlier evaluation was checked there. At this one the series is gone.
      if (prediction.evaluation_ms[i] != on_ms) claims[i] = Claim::kSilent;
    }
    return claims;
  }

  void AddCheck(const std::vector<std::vector<Claim>>& claims, std::size_t threshold, std::size_t step,
                Node::List& checks) {
    Node::List alerts;
    for (const std::vector<Claim>& of_store : claims) {
      if (of_store[threshold] == Claim::kNone) {
        ++counts_.skipped;
        return;
      }
    }
    const ThresholdRow& row = table().thresholds[threshold];
    for (std::size_t store = 0; store < claims.size(); ++store) {
      if (claims[store][threshold] == Claim::kSilent) {
        ++counts_.silent;
        continue;
      }
      ++counts_.fires;
      const VerdictRow& verdict = table().verdicts[row.verdict];
      Node::Map labels;
      for (const artefacts::Pair& label : StoreLabels(store))
        labels.emplace_back(label.name, Node::String(label.value));
      labels.emplace_back("severity", Node::String(verdict.severity));
      labels.emplace_back("verdict", Node::String(verdict.id));
      labels.emplace_back("threshold", Node::String(row.id));
      alerts.push_back(Node::Of(Node::Map{{"exp_labels", Node::Of(std::move(labels))}}));
    }
    const Milliseconds at(static_cast<std::int64_t>(step) * table().interval_ms);
    checks.push_back(Node::Of(Node::Map{{"eval_time", Node::String(FormatDuration(at))},
                                        {"alertname", Node::String(row.alert)},
                                        {"exp_alerts", Node::Of(std::move(alerts))}}));
  }

  std::vector<artefacts::Pair> StoreLabels(std::size_t store) const {
    return artefacts::StoreNamed(spec_, "store-" + std::to_string(store));
  }

  Node::List InputSeries(const std::vector<StoreSeries>& stores) const {
    Node::List input;
    for (std::size_t store = 0; store < stores.size(); ++store) {
      for (const std::size_t signal : judged_signals_) {
        // Of every second store Prometheus records the series itself, just before it evaluates the alerts; the others'
        // are there as recorded.
        const std::string_view recorded = table().signals[signal].series;
        const std::string name = store % 2 == 1 ? Scraped(recorded) : std::string(recorded);
        input.push_back(
            Node::Of(Node::Map{{"series", Node::String(artefacts::Selector(name, StoreLabels(store)))},
                               {"values", Node::String(PromtoolValues(stores[store].signals[signal]))}}));
      }
    }
    return input;
  }

  const spec::Spec& spec_;
  const ProofOptions options_;
  FaultyTable faulty_;
  spec::OwnedTable drawn_;
  std::vector<std::size_t> judged_signals_;  // those with a threshold
  std::mt19937_64 random_;
  ProofCounts counts_;
};

}  // namespace

Result<ProofCounts> WriteProof(const spec::Spec& spec, const ProofOptions& options,
                               const std::filesystem::path& folder) {
  const spec::Flavor flavor =
      options.keep_firing ? spec::Flavor::kPrometheus : spec::Flavor::kVictoriaMetrics179;
  const std::string rules = artefacts::RulesYaml(spec, RulesToProve(spec, options.fault), flavor);
  if (const auto written = WriteFileIfChanged(folder / "rules.yml", rules); !written) return written.error();
  Proof proof(spec, options);
  for (std::size_t file = 0; !proof.Enough(); ++file) {
    Node::List groups;
    while (groups.size() < kGroupsInFile && !proof.Enough()) {
      Result<Node> group = proof.Group();
      if (!group) return group.error();
      groups.push_back(std::move(group).value());
    }
    const std::string text = artefacts::ToYaml(proof.File(std::move(groups)));
    const std::filesystem::path path = folder / ("test-" + std::to_string(file) + ".yml");
    if (const auto written = WriteFileIfChanged(path, text); !written) return written.error();
  }
  return proof.counts();
}

}  // namespace outgrown::differential
