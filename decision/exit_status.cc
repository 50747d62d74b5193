#include "decision/exit_status.h"

#include <algorithm>

#include "common/exit_status.h"

namespace outgrown::decision {
namespace {

// The codes of the stores' verdicts, apart for each table's most severe one and for the milder ones; 0: none.
struct VerdictCodes {
  int severe = 0;
  int mild = 0;
};

VerdictCodes CodesOf(std::span<const Evaluation> evaluations) {
  VerdictCodes codes;
  for (const Evaluation& evaluation : evaluations) {
    for (const StoreDecision& store : evaluation.stores) {
      if (store.decision.outcome != engine::Outcome::kBreached) continue;
      const bool severe = store.decision.verdict + 1 == evaluation.table->verdicts.size();
      // Apart, because drift and undetermined rank between the two (docs/decision.md).
      int& code = severe ? codes.severe : codes.mild;
      code = std::max(code, evaluation.table->verdicts[store.decision.verdict].exit_code);
    }
  }
  return codes;
}

bool AnyDrift(std::span<const Evaluation> evaluations) {
  return std::ranges::any_of(evaluations, [](const Evaluation& evaluation) {
    return std::ranges::any_of(evaluation.stores, [](const StoreDecision& store) {
      return std::ranges::any_of(store.alerts, [](const AlertComparison& comparison) {
        return comparison.agreement == Agreement::kDrift;
      });
    });
  });
}

bool AnyUndetermined(std::span<const Evaluation> evaluations) {
  return std::ranges::any_of(evaluations, [](const Evaluation& evaluation) {
    // Unknown whether this spec has stores. A spec that certainly has none on this server is no reason to be
    // undetermined.
    const bool stores_unknown = !evaluation.fleet.answered || PresenceProblem(evaluation.fleet) != nullptr;
    return evaluation.fleet.without_identity || (evaluation.stores.empty() && stores_unknown) ||
           std::ranges::any_of(evaluation.stores,
                               [](const StoreDecision& store) { return store.decision.worse_unknown; });
  });
}

}  // namespace

int EvaluateExitStatus(std::span<const Evaluation> evaluations, bool verdict_codes) {
  const bool answered =
      std::ranges::any_of(evaluations, [](const Evaluation& one) { return one.fleet.answered; });
  // Before everything else: without any answer nothing below means anything.
  if (!answered) return kExitNoAnswer;
  const VerdictCodes codes = CodesOf(evaluations);
  // The most severe verdict outranks drift and undetermined: it is proven, whatever else is not known.
  if (verdict_codes && codes.severe != 0) return codes.severe;
  if (AnyDrift(evaluations)) return kExitDrift;
  const bool any_store =
      std::ranges::any_of(evaluations, [](const Evaluation& one) { return !one.stores.empty(); });
  if (!any_store || AnyUndetermined(evaluations)) return kExitUndetermined;
  if (verdict_codes && codes.mild != 0) return codes.mild;
  return kExitOk;
}

}  // namespace outgrown::decision
