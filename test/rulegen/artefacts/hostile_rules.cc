// Writes the rules and tests of a spec whose every text tries to leave its place, for promtool to judge: the annotations and
// labels that the tests expect are the texts themselves.
//
// Usage: hostile_rules FOLDER SEED
#include <cstdio>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "common/file.h"
#include "common/text.h"
#include "common/time_text.h"
#include "rulegen/artefacts/promtool/rule_tests.h"
#include "rulegen/artefacts/rules.h"
#include "test/rulegen/support/hostile.h"
#include "test/rulegen/support/tiny_spec.h"

namespace {

using namespace outgrown;

constexpr int kThresholds = 20;
constexpr int kPiecesEach = 30;

std::string Hostile(std::mt19937_64& random) {
  std::string text;
  for (int i = 0; i < kPiecesEach; ++i) text += test::HostileString(random);
  return text;
}

spec::Spec HostileSpec(std::mt19937_64& random) {
  spec::Spec spec = test::TinySpec();
  // The texts are the same however long the tests run.
  spec.rules.keep_firing_for = spec.rules.interval;
  for (spec::Verdict& verdict : spec.verdicts) {
    verdict.text = Hostile(random);
    verdict.severity = Hostile(random);
  }
  for (spec::Signal& signal : spec.signals) {
    signal.title = Hostile(random);
    signal.tests[0].name = Hostile(random);
  }
  for (spec::Watch& watch : spec.watches) {
    if (!watch.is_alert()) continue;
    watch.severity = Hostile(random);
    watch.summary = Hostile(random);
    watch.description = Hostile(random);
  }
  const spec::Threshold threshold = spec.thresholds[2];
  for (int i = 0; i < kThresholds; ++i) {
    spec.thresholds.push_back(threshold);
    spec.thresholds.back().id = "Hostile" + std::to_string(i);
    spec.thresholds.back().because = Hostile(random);
  }
  return spec;
}

}  // namespace

int main(int argc, char** argv) {
  const auto seed = argc == 3 ? ParseNumber(argv[2]) : std::nullopt;
  if (!seed) return 2;
  std::mt19937_64 random(static_cast<std::uint64_t>(*seed));
  const spec::Spec spec = HostileSpec(random);
  const artefacts::RuleFile rules = artefacts::PlanRules(spec);
  const std::filesystem::path folder = argv[1];
  const std::vector<artefacts::PromtoolFile> files = artefacts::PlanTests(spec, rules);
  bool written = WriteFileIfChanged(folder / files.front().rule_file,
                                    artefacts::RulesYaml(spec, rules, spec::Flavor::kPrometheus))
                     .ok();
  for (const artefacts::PromtoolFile& tests : files) {
    const std::string name = FormatDuration(tests.evaluation_interval) + ".test.yml";
    written = written && WriteFileIfChanged(folder / name, artefacts::PromtoolYaml(spec, tests)).ok();
  }
  return written ? 0 : 1;
}
