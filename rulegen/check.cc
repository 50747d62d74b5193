// --check: the committed artefacts against what the specs generate; drift is a diff and an exit status.
#include <string>
#include <vector>

#include "common/exit_status.h"
#include "rulegen/commands.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"
#include "rulegen/tree/layout.h"
#include "rulegen/tree/orphans.h"
#include "rulegen/tree/tree.h"

namespace outgrown::commands {

namespace {

// Whether specs that once stood beside these are gone and have left what was generated from them. One line for each.
bool TellOfStrayManifests(const spec::Spec& spec, const generate::Layout& layout) {
  const auto stray = generate::StrayManifests(layout.On(generate::ManifestName(spec)).parent_path(),
                                              spec.file.parent_path());
  for (const generate::StrayManifest& manifest : stray) {
    Fail(
        {"its spec " + manifest.spec_file +
             " is not there, so the files that it lists are no longer generated; restore the spec, or remove "
             "the manifest and those files of its list that no other spec generates",
         manifest.path.string()});
  }
  return !stray.empty();
}

// One line for each file that --generate does not remove.
void TellOfKept(const std::vector<generate::FileDifference>& differences) {
  for (const generate::FileDifference& file : differences) {
    if (file.kept_because.empty()) continue;
    Fail({"no longer generated, and not for --generate to remove: " + file.kept_because +
              "; remove it, or make it your own without the mark and the manifest's line",
          file.path.string()});
  }
}

}  // namespace

int RunCheck(const Options& options) {
  const Specs specs = LoadSpecs(options);
  if (specs.status != kExitOk) return specs.status;
  const MadeArtefacts all = MakeAllArtefacts(specs.specs, options);
  if (all.status != kExitOk) return all.status;
  std::string diffs;
  bool drift = false;
  for (const auto& [spec, artefacts] : all.made) {
    const auto differences = generate::CompareTree(*spec, artefacts, generate::Layout(*spec, options.out));
    if (!differences.ok()) return Fail(differences.error());
    drift = drift || !differences->empty();
    TellOfKept(*differences);
    const std::string diff = generate::DiffOf(*differences);
    if (diff.empty()) continue;
    diffs += diff;
    Fail({"the artefacts are not what it generates; run rulegen --generate", spec->file.string()});
  }
  // Specs that --spec names may be some of many.
  const spec::Spec& first = specs.specs.front();
  const bool strays =
      options.specs.empty() && TellOfStrayManifests(first, generate::Layout(first, options.out));
  return Answer(diffs, !drift && !strays ? kExitOk : kExitDrift);
}

}  // namespace outgrown::commands
