// The artefacts of a spec as files on disk: where they lie, written, or compared with what is there; and
// files that carry rulegen's mark and that nothing generates any more.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "rulegen/artefacts/artefacts.h"
#include "thresholds/model.h"

namespace outgrown::tree {

// Where a spec's output goes: beside the spec, or the same layout under another folder (--out). The layout
// starts at the nearest folder that holds the spec's folder and all that [output] names, so that it does not
// depend on the working directory: rules/checkpoint.toml with docs = "../docs/gen" gives DIR/rules/... and
// DIR/docs/gen/....
class Layout {
 public:
  // `out`: the folder that everything goes under; nothing: the spec's own place.
  Layout(const spec::Spec& spec, const std::optional<std::filesystem::path>& out);

  // On disk. `path` is from the spec's folder, as [output] names it; an absolute one is taken as if it were.
  std::filesystem::path On(const std::filesystem::path& path) const;

 private:
  std::filesystem::path folder_;  // in the place of the spec's folder
};

// A spec with everything that is generated from it.
struct Made {
  const spec::Spec* spec;
  std::vector<artefacts::Artefact> artefacts;
};

// Writes every artefact that differs, and gives back their paths. A failure or SIGKILL leaves whole files,
// old or new, and the next run completes the work.
Result<std::vector<std::filesystem::path>> WriteTree(const Made& made, const Layout& layout);

// A file that WriteTree would change.
struct FileDifference {
  std::filesystem::path path;
  std::optional<std::string> there;  // nothing: it is missing
  std::string generated;
};

Result<std::vector<FileDifference>> CompareTree(const Made& made, const Layout& layout);

// The same as a unified diff from what is there to what is generated; "" if nothing.
std::string DiffOf(const std::vector<FileDifference>& differences);

// One path for each file, whichever links lead to it.
std::filesystem::path Canonical(const std::filesystem::path& path);

// A file that rulegen wrote earlier and no spec generates now. A server that loads the whole folder still loads it.
struct LeftOver {
  std::filesystem::path path;
  std::string why;
  bool is_settled = false;  // a manifest of an older rulegen that names nothing else that is left over
};

// What is left over in the folders that [output] names and in those directly below them, sorted: files with
// an artefact's extension and the mark of one of these specs that are none of their artefacts; if
// `every_spec`, so that there are no others, also those whose spec is not beside these. Outside the specs'
// folders, where other teams' files may lie, only those whose names begin with one of these stores, or as that
// of a file with the same mark that is left over inside. Links are not looked at; the specs and what
// alertmanager.base names are never left over, whatever they begin with. Development versions before 0.1.0 wrote
// a SPEC.manifest of everything generated: the marked files that one lists count too, wherever they are, and it
// is itself left over.
Result<std::vector<LeftOver>> LeftOvers(const std::vector<Made>& made,
                                        const std::optional<std::filesystem::path>& out, bool every_spec);

}  // namespace outgrown::tree
