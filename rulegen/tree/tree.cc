#include "rulegen/tree/tree.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "common/file.h"
#include "rulegen/tree/manifest.h"
#include "rulegen/tree/orphans.h"
#include "rulegen/tree/unified_diff.h"

namespace outgrown::generate {
namespace {

namespace fs = std::filesystem;

// The manifest as it is on disk.
struct OldManifest {
  std::string text;  // empty: there is none
  std::vector<ManifestEntry> entries;
};

Result<OldManifest> ReadManifest(const spec::Spec& spec, const Layout& layout) {
  const fs::path path = layout.On(ManifestName(spec));
  Result<std::optional<std::string>> text = ReadIfThere(path);
  if (!text.ok()) return text.error();
  if (!*text) return OldManifest();
  Result<std::vector<ManifestEntry>> entries = ParseManifest(**text);
  if (!entries.ok()) {
    return Error{entries.error().what + "; restore it, or remove it after removing the old artefacts by hand",
                 path.string()};
  }
  return OldManifest{std::move(**text), std::move(*entries)};
}

// What the manifest names and what it should have named.
Result<std::vector<Orphan>> AllOrphans(const spec::Spec& spec, const OldManifest& old,
                                       const std::vector<Artefact>& artefacts, const Layout& layout) {
  Result<std::vector<Orphan>> orphans = FindOrphans(spec, old.entries, artefacts, layout);
  if (!orphans.ok()) return orphans;
  for (Orphan& orphan : FindUnlisted(spec, old.entries, artefacts, layout))
    orphans->push_back(std::move(orphan));
  return orphans;
}

// The manifest once the work is done.
std::string LastManifest(const spec::Spec& spec, const std::vector<Artefact>& artefacts,
                         const std::vector<Orphan>& orphans) {
  std::vector<ManifestEntry> kept;
  for (const Orphan& orphan : orphans) {
    if (orphan.fate == Fate::kKeep) kept.insert(kept.end(), orphan.listed.begin(), orphan.listed.end());
  }
  return ManifestText(spec, artefacts, kept);
}

Result<FileChange> RemoveOrphan(const Orphan& orphan) {
  if (orphan.fate != Fate::kRemove) return FileChange{Change::kKept, orphan.path, orphan.why};
  std::error_code failed;
  fs::remove(orphan.path, failed);
  if (failed) return Error{"cannot remove: " + failed.message(), orphan.path.string()};
  return FileChange{Change::kRemoved, orphan.path, ""};
}

// The manifest while files are being changed: what will be, and what was unless that is the same.
std::string IntendedManifest(const spec::Spec& spec, const std::vector<Artefact>& artefacts,
                             const OldManifest& old) {
  std::set<std::pair<std::string, std::string>> known;
  for (const Artefact& artefact : artefacts) {
    known.emplace(artefact.path.generic_string(), Sha256Hex(artefact.bytes));
  }
  std::vector<ManifestEntry> also;
  for (const ManifestEntry& entry : old.entries) {
    if (known.emplace(entry.path.generic_string(), entry.sha256).second) also.push_back(entry);
  }
  return ManifestText(spec, artefacts, also);
}

// What runs that were killed left half-written, under the names that this run or an earlier one writes.
void RemoveLeftovers(const spec::Spec& spec, const std::vector<Artefact>& artefacts, const OldManifest& old,
                     const Layout& layout) {
  std::map<fs::path, std::set<std::string>> names;
  const auto add = [&](const fs::path& path) {
    const fs::path there = layout.On(path);
    names[there.has_parent_path() ? there.parent_path() : "."].insert(there.filename().string());
  };
  add(ManifestName(spec));
  for (const Artefact& artefact : artefacts) add(artefact.path);
  for (const ManifestEntry& entry : old.entries) add(entry.path);
  for (const auto& [folder, of_folder] : names) RemoveAbandoned(folder, of_folder);
}

}  // namespace

Result<std::vector<FileChange>> WriteTree(const spec::Spec& spec, const std::vector<Artefact>& artefacts,
                                          const Layout& layout) {
  const Result<OldManifest> old = ReadManifest(spec, layout);
  if (!old.ok()) return old.error();
  const auto before = AllOrphans(spec, *old, artefacts, layout);
  if (!before.ok()) return before.error();
  RemoveLeftovers(spec, artefacts, *old, layout);
  std::vector<FileChange> changes;
  const fs::path manifest = layout.On(ManifestName(spec));
  if (old->text != LastManifest(spec, artefacts, *before)) {
    const Result<WriteOutcome> intended =
        WriteFileIfChanged(manifest, IntendedManifest(spec, artefacts, *old));
    if (!intended.ok()) return intended.error();
  }
  for (const Artefact& artefact : artefacts) {
    const fs::path path = layout.On(artefact.path);
    const Result<WriteOutcome> outcome = WriteFileIfChanged(path, artefact.bytes, artefact.mode_if_new);
    if (!outcome.ok()) return outcome.error();
    if (*outcome == WriteOutcome::kWritten) changes.push_back({Change::kWritten, path, ""});
  }
  // Again: a file may have changed since.
  const auto orphans = AllOrphans(spec, *old, artefacts, layout);
  if (!orphans.ok()) return orphans.error();
  for (const Orphan& orphan : *orphans) {
    Result<FileChange> change = RemoveOrphan(orphan);
    if (!change.ok()) return change.error();
    changes.push_back(std::move(*change));
  }
  const std::string manifest_text = LastManifest(spec, artefacts, *orphans);
  const Result<WriteOutcome> done = WriteFileIfChanged(manifest, manifest_text);
  if (!done.ok()) return done.error();
  if (old->text != manifest_text) changes.push_back({Change::kWritten, manifest, ""});
  return changes;
}

Result<std::vector<FileDifference>> CompareTree(const spec::Spec& spec,
                                                const std::vector<Artefact>& artefacts,
                                                const Layout& layout) {
  const Result<OldManifest> old = ReadManifest(spec, layout);
  if (!old.ok()) return old.error();
  std::vector<FileDifference> differences;
  const auto compare = [&](const fs::path& path, std::optional<std::string> bytes) -> Result<void> {
    Result<std::optional<std::string>> there = ReadIfThere(path);
    if (!there.ok()) return there.error();
    if (*there != bytes) differences.push_back({path, std::move(*there), std::move(bytes), ""});
    return {};
  };
  for (const Artefact& artefact : artefacts) {
    const Result<void> compared = compare(layout.On(artefact.path), artefact.bytes);
    if (!compared.ok()) return compared.error();
  }
  auto orphans = AllOrphans(spec, *old, artefacts, layout);
  if (!orphans.ok()) return orphans.error();
  const std::string manifest_text = LastManifest(spec, artefacts, *orphans);
  for (Orphan& orphan : *orphans) {
    if (orphan.fate != Fate::kLetGo)
      differences.push_back({orphan.path, std::move(orphan.bytes), std::nullopt, std::move(orphan.why)});
  }
  const Result<void> compared = compare(layout.On(ManifestName(spec)), manifest_text);
  if (!compared.ok()) return compared.error();
  return differences;
}

std::string DiffOf(const std::vector<FileDifference>& differences) {
  std::string diff;
  for (const FileDifference& file : differences) {
    if (file.kept_because.empty()) diff += UnifiedDiff(file.path.string(), file.there, file.generated);
  }
  return diff;
}

}  // namespace outgrown::generate
