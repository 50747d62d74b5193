// --check: the committed artefacts against what the specs generate; drift is a diff and an exit status.
#include <string>
#include <vector>

#include "common/exit_status.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"
#include "rulegen/tree/tree.h"

namespace outgrown::rulegen {

int RunCheck(const Options& options) {
  const Specs specs = LoadSpecs(options, Purpose::kArtefacts);
  if (specs.status != kExitOk) return specs.status;
  const MadeArtefacts all = MakeAllFiles(specs, options.out);
  if (all.status != kExitOk) return all.status;
  std::string diffs;
  for (const tree::Made& made : all.made) {
    const auto differences = tree::CompareTree(made, tree::Layout(*made.spec, options.out));
    if (!differences.ok()) return Fail(differences.error());
    if (differences->empty()) continue;
    diffs += tree::DiffOf(*differences);
    Fail({"the artefacts differ from what it generates; run rulegen --generate", made.spec->file.string()});
  }
  // Named without a diff: a file with the mark may be a copy whose content is of no interest here.
  const auto left_overs = tree::LeftOvers(all.made, options.out, options.specs.empty());
  if (!left_overs.ok()) return Fail(left_overs.error());
  for (const tree::LeftOver& file : *left_overs) {
    Fail({"left over: " + file.why + "; run rulegen --generate" + (file.is_settled ? "" : " --prune") +
              ", or remove the mark if you maintain it yourself",
          file.path.string()});
  }
  return Answer(diffs, diffs.empty() && left_overs->empty() ? kExitOk : kExitDrift);
}

}  // namespace outgrown::rulegen
