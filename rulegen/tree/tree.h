// The artefacts of a spec as files on disk: written, or compared with what is there.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "rulegen/artefacts/artefacts.h"
#include "rulegen/tree/layout.h"
#include "thresholds/model.h"

namespace outgrown::generate {

enum class Change { kWritten, kRemoved, kKept };

struct FileChange {
  Change change;
  std::filesystem::path path;
  std::string note;  // why a file that is no longer generated was kept
};

// Writes every artefact that differs, and removes what an earlier run wrote and this one does not (orphans.h). A
// manifest that names what rulegen cannot have written is an error, and then nothing is written or removed. The
// manifest is written first, with the old entries beside the new ones, and last, with the new ones and those of the
// files that are kept. A failure or SIGKILL leaves whole files, old or new, and the next run, of this spec or an older
// one, completes the work. Only changes are listed, and every time what is kept.
Result<std::vector<FileChange>> WriteTree(const spec::Spec& spec, const std::vector<Artefact>& artefacts,
                                          const Layout& layout);

// A file that WriteTree would change, or that it keeps and nothing generates.
struct FileDifference {
  std::filesystem::path path;
  std::optional<std::string> there;      // nothing: it is missing
  std::optional<std::string> generated;  // nothing: it is no longer generated
  std::string kept_because;              // if not empty, WriteTree does not remove it
};

Result<std::vector<FileDifference>> CompareTree(const spec::Spec& spec,
                                                const std::vector<Artefact>& artefacts, const Layout& layout);

// The same as a unified diff from what is there to what is generated; "" if nothing. Without the files that are kept:
// what an edited manifest names may be anybody's.
std::string DiffOf(const std::vector<FileDifference>& differences);

}  // namespace outgrown::generate
