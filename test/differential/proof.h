// Writes one proof for promtool: rules from the spec, random recorded series, and the alerts that our engine predicts
// at every evaluation. promtool's exit status is the verdict on us.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "common/result.h"
#include "thresholds/model.h"

namespace outgrown::differential {

// A fault put in on purpose, to see that the proof goes red.
enum class Fault {
  kNone,
  kEngineLimit,
  kEngineHold,
  kEngineVerdict,  // the only one that WriteProof finds itself
  kRuleLimit,
  kRuleFinite,  // an alert that fires on infinity
  kRuleHold,
  kRuleOrder,  // the alerts before the series that they compare
};

struct ProofOptions {
  std::uint64_t seed = 1;
  std::size_t series = 2000;  // recorded series of signals to draw, rounded up to whole groups of stores
  bool keep_firing = false;  // with keep_firing_for, as Prometheus' flavor; else without, as VictoriaMetrics'
  Fault fault = Fault::kNone;
};

struct ProofCounts {
  std::size_t series = 0;
  std::size_t fires = 0;    // claims that an alert fires
  std::size_t silent = 0;   // claims that it does not
  std::size_t skipped = 0;  // no claim: the engine knows less than the alert on purpose
  std::size_t verdicts = 0;
};

// Writes rules.yml and test-N.yml into `folder`, which exists. An error too if the engine's verdict does not follow
// from the alerts that it predicts itself.
Result<ProofCounts> WriteProof(const spec::Spec& spec, const ProofOptions& options,
                               const std::filesystem::path& folder);

}  // namespace outgrown::differential
