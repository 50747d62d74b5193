// Test files of `promtool test rules`: as structs, and as the YAML that promtool runs.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "common/time_text.h"
#include "rulegen/artefacts/rules.h"
#include "thresholds/model.h"

namespace outgrown::artefacts {

struct ExpectedAlert {
  std::vector<Pair> labels;       // in full, but the alert's name
  std::vector<Pair> annotations;  // in full, as they read once the templates are expanded
};

struct AlertCheck {
  std::string alert;
  Milliseconds at{0};
  std::vector<ExpectedAlert> expected;  // none: the alert must not fire
};

struct ExpectedSample {
  std::string labels;  // the store's, in full: {job="job-a",...}
  double value = 0;
};

// A recorded series' values, rounded: Prometheus 2 and 3 take other samples into a window (3 leaves out its
// left end), so that the last bits of a rate differ.
struct SampleCheck {
  std::string record;  // the recorded series' name
  std::string expr;    // round(SERIES, NEAREST)
  Milliseconds at{0};
  std::vector<ExpectedSample> expected;  // none: nothing must be recorded
};

struct PromtoolTest {
  std::string name;
  Milliseconds interval{0};  // between the samples of the input series
  std::vector<std::pair<std::string, std::string>> series;
  std::vector<AlertCheck> alerts;
  std::vector<SampleCheck> samples;
};

struct PromtoolFile {
  std::string rule_file;  // beside the test file
  Milliseconds evaluation_interval{0};
  std::vector<std::string> groups;  // the rules' groups, in the order in which they are evaluated
  // Lines for the reader. For each recorded series one that says which of idle and counter reset its tests
  // cover, and if not, why.
  std::vector<std::string> notes;
  std::vector<PromtoolTest> tests;
};

// The test file that `promtool test rules` runs.
std::string PromtoolYaml(const spec::Spec& spec, const PromtoolFile& tests);

}  // namespace outgrown::artefacts
