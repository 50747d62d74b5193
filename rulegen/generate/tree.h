// The artefacts of a spec as files on disk: written, or compared with what is there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "rulegen/generate/artefacts.h"
#include "rulegen/spec/model.h"

namespace outgrown::generate {

// Where a spec's output goes: beside the spec, or the same layout under another folder (--out). The layout starts at the
// nearest folder that holds the spec's folder and all that [output] names, so that it does not depend on the working
// directory: rules/checkpoint.toml with docs = "../docs/gen" gives DIR/rules/... and DIR/docs/gen/....
class Layout {
 public:
  // `out`: the folder that everything goes under; nothing: the spec's own place.
  Layout(const spec::Spec& spec, const std::optional<std::filesystem::path>& out);

  // On disk. `path` is from the spec's folder.
  std::filesystem::path On(const std::filesystem::path& path) const;

 private:
  std::filesystem::path folder_;  // stands for the spec's folder
  std::optional<std::filesystem::path> absolute_under_;
};

enum class Change { kWritten, kRemoved, kKept };

struct FileChange {
  Change change;
  std::filesystem::path path;
  std::string note;  // why a file that is no longer generated was kept
};

// Writes every artefact that differs, and removes what an earlier run wrote and this one does not (the manifest names it,
// its bytes are still those that were written). The manifest is written first, with the old entries beside the new ones,
// and last, with the new ones alone. A failure or SIGKILL leaves whole files, old or new, and the next run, of this spec or
// an older one, completes the work. Only changes are listed.
Result<std::vector<FileChange>> WriteTree(const spec::Spec& spec, const std::vector<Artefact>& artefacts,
                                          const Layout& layout);

// A file that WriteTree would change.
struct FileDifference {
  std::filesystem::path path;
  std::optional<std::string> there;      // nothing: it is missing
  std::optional<std::string> generated;  // nothing: it is no longer generated
};

Result<std::vector<FileDifference>> CompareTree(const spec::Spec& spec,
                                                const std::vector<Artefact>& artefacts, const Layout& layout);

// The same as a unified diff from what is there to what is generated; "" if nothing.
Result<std::string> DiffTree(const spec::Spec& spec, const std::vector<Artefact>& artefacts,
                             const Layout& layout);

}  // namespace outgrown::generate
