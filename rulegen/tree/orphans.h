// Files that an earlier run wrote and that are no longer generated.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/result.h"
#include "rulegen/artefacts/artefacts.h"
#include "rulegen/tree/layout.h"
#include "rulegen/tree/manifest.h"
#include "thresholds/model.h"

namespace outgrown::generate {

// The bytes of a file that may be missing. A link that leads nowhere is missing.
Result<std::optional<std::string>> ReadIfThere(const std::filesystem::path& path);

enum class Fate {
  kRemove,
  kKeep,   // rulegen's, and not for rulegen to remove: drift until somebody does
  kLetGo,  // somebody else's by now: the manifest forgets it
};

struct Orphan {
  std::filesystem::path path;  // on disk
  std::string bytes;
  Fate fate = Fate::kRemove;
  std::string why;                    // why it is not removed
  std::vector<ManifestEntry> listed;  // the manifest's lines about it
};

// What the manifest names, is still there and is no artefact. The manifest is a file that anybody may have edited, so
// that alone removes nothing: the file's bytes must be those that the manifest says, and carry the mark of a spec of this
// name. Bytes that are right without any mark were never rulegen's: an error, and so are the spec and the people's
// Alertmanager configuration. A file with the mark of another spec that stands beside this one is that one's to judge.
Result<std::vector<Orphan>> FindOrphans(const spec::Spec& spec, const std::vector<ManifestEntry>& entries,
                                        const std::vector<Artefact>& artefacts, const Layout& layout);

// Files that carry this spec's mark beside its artefacts, and that are neither one nor in the manifest: copies, or what is
// left of a lost manifest. A server that loads all of a folder loads them too. Only what has an artefact's extension is
// looked at, and no links. All are to keep; rulegen does not know that it wrote them.
std::vector<Orphan> FindUnlisted(const spec::Spec& spec, const std::vector<ManifestEntry>& entries,
                                 const std::vector<Artefact>& artefacts, const Layout& layout);

struct StrayManifest {
  std::filesystem::path path;
  std::string spec_file;  // its name, without a folder
};

// The manifests in a folder whose spec is not among the files of `specs`, also a folder: it was removed or renamed, and
// nothing generates what the manifest lists.
std::vector<StrayManifest> StrayManifests(const std::filesystem::path& folder,
                                          const std::filesystem::path& specs);

}  // namespace outgrown::generate
