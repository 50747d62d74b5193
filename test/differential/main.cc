// outgrown-differential: writes a differential proof for promtool; differential_test.py runs it.
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "test/differential/proof.h"
#include "thresholds/parse.h"

int main(int argc, char** argv) {
  using outgrown::differential::Fault;
  outgrown::differential::ProofOptions options;
  std::string spec_file;
  std::string folder;
  CLI::App app("Writes rules, random series and the predicted alerts, for promtool to confirm");
  app.add_option("--spec", spec_file)->required();
  app.add_option("--out", folder, "an existing folder")->required();
  app.add_option("--seed", options.seed)->required();
  app.add_option("--series", options.series)->required();
  app.add_flag("--keep-firing", options.keep_firing);
  const std::map<std::string, Fault> faults = {
      {"engine-limit", Fault::kEngineLimit},     {"engine-hold", Fault::kEngineHold},
      {"engine-verdict", Fault::kEngineVerdict}, {"rule-limit", Fault::kRuleLimit},
      {"rule-finite", Fault::kRuleFinite},       {"rule-hold", Fault::kRuleHold},
      {"rule-order", Fault::kRuleOrder}};
  app.add_option("--fault", options.fault)->transform(CLI::CheckedTransformer(faults));
  CLI11_PARSE(app, argc, argv);

  const outgrown::spec::LoadedSpec loaded = outgrown::spec::LoadSpec(spec_file);
  for (const outgrown::spec::Diagnostic& diagnostic : loaded.diagnostics) {
    fmt::print(stderr, "{}\n", outgrown::spec::FormatDiagnostic(diagnostic));
  }
  if (!loaded.spec.has_value()) return 3;
  const auto counts = outgrown::differential::WriteProof(*loaded.spec, options, folder);
  if (!counts) {
    fmt::print(stderr, "{}\n", counts.error().Text());
    return 1;
  }
  fmt::print("{{\"series\": {}, \"fires\": {}, \"silent\": {}, \"skipped\": {}, \"verdicts\": {}}}\n",
             counts->series, counts->fires, counts->silent, counts->skipped, counts->verdicts);
  return 0;
}
