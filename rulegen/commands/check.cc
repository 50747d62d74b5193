#include <string>
#include <vector>

#include "common/exit_status.h"
#include "rulegen/commands/commands.h"
#include "rulegen/commands/output.h"
#include "rulegen/commands/spec_files.h"
#include "rulegen/generate/artefacts.h"
#include "rulegen/generate/tree.h"

namespace outgrown::commands {

int RunCheck(const Options& options) {
  const Specs specs = LoadSpecs(options);
  if (specs.status != kExitOk) return specs.status;
  std::string diffs;
  for (const spec::Spec& spec : specs.specs) {
    const Result<std::vector<generate::Artefact>> artefacts = generate::MakeArtefacts(spec);
    if (!artefacts.ok()) return Fail(artefacts.error());
    const auto diff = generate::DiffTree(spec, *artefacts, generate::Layout(spec, options.out));
    if (!diff.ok()) return Fail(diff.error());
    if (diff->empty()) continue;
    diffs += *diff;
    Fail({"the artefacts are not what it generates; run rulegen --generate", spec.file.string()});
  }
  return Answer(diffs, diffs.empty() ? kExitOk : kExitDrift);
}

}  // namespace outgrown::commands
