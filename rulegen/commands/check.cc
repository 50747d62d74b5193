#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "rulegen/commands/commands.h"
#include "rulegen/commands/spec_files.h"
#include "rulegen/generate/artefacts.h"
#include "rulegen/generate/tree.h"

namespace outgrown::commands {

int RunCheck(const Options& options) {
  const Specs specs = LoadSpecs(options);
  if (specs.status != kExitOk) return specs.status;
  bool drift = false;
  for (const spec::Spec& spec : specs.specs) {
    const Result<std::vector<generate::Artefact>> artefacts = generate::MakeArtefacts(spec);
    if (!artefacts.ok()) {
      fmt::print(stderr, "rulegen: {}\n", artefacts.error().Text());
      return kExitFailure;
    }
    const auto diff = generate::DiffTree(spec, *artefacts, generate::Layout(spec, options.out));
    if (!diff.ok()) {
      fmt::print(stderr, "rulegen: {}\n", diff.error().Text());
      return kExitFailure;
    }
    if (diff->empty()) continue;
    drift = true;
    fmt::print("{}", *diff);
    fmt::print(stderr, "rulegen: artefacts are not what {} generates; run rulegen --generate\n",
               spec.file.string());
  }
  return drift ? kExitDrift : kExitOk;
}

}  // namespace outgrown::commands
