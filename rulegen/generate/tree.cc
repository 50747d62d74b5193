#include "rulegen/generate/tree.h"

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
#include "rulegen/generate/manifest.h"
#include "rulegen/generate/unified_diff.h"

namespace outgrown::generate {
namespace {

namespace fs = std::filesystem;

std::size_t LeadingUps(const fs::path& path) {
  std::size_t ups = 0;
  for (const fs::path& part : path.lexically_normal()) {
    if (part != "..") break;
    ++ups;
  }
  return ups;
}

Result<bool> Exists(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::symlink_status(path, failed);
  if (status.type() == fs::file_type::not_found) return false;
  if (status.type() == fs::file_type::none) return Error{"cannot stat: " + failed.message(), path.string()};
  return true;
}

// The bytes of a file that may be missing.
Result<std::optional<std::string>> ReadIfThere(const fs::path& path) {
  const Result<bool> there = Exists(path);
  if (!there.ok()) return there.error();
  if (!*there) return std::optional<std::string>();
  Result<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.error();
  return std::optional<std::string>(std::move(*bytes));
}

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
  std::optional<std::vector<ManifestEntry>> entries = ParseManifest(**text);
  if (!entries) {
    return Error{
        "is no manifest of rulegen's; restore it, or remove it after removing the old artefacts by hand",
        path.string()};
  }
  return OldManifest{std::move(**text), std::move(*entries)};
}

// A file that no artefact of now has, and that is still there.
struct Orphan {
  fs::path path;                 // on disk
  std::set<std::string> sha256;  // what rulegen wrote there: two if a run was cut short
};

Result<std::vector<Orphan>> Orphans(const OldManifest& old, const std::vector<Artefact>& artefacts,
                                    const Layout& layout) {
  std::set<fs::path> current;
  for (const Artefact& artefact : artefacts) current.insert(artefact.path.lexically_normal());
  std::map<fs::path, std::set<std::string>> written;
  for (const ManifestEntry& entry : old.entries) {
    const fs::path path = entry.path.lexically_normal();
    if (current.contains(path)) continue;
    const Result<bool> there = Exists(layout.On(path));
    if (!there.ok()) return there.error();
    if (*there) written[path].insert(entry.sha256);
  }
  std::vector<Orphan> orphans;
  orphans.reserve(written.size());
  for (auto& [path, sha256] : written) orphans.push_back({layout.On(path), std::move(sha256)});
  return orphans;
}

// Removes the file if it still is what was written.
Result<FileChange> RemoveOrphan(const Orphan& orphan) {
  const Result<std::string> bytes = ReadFile(orphan.path);
  if (!bytes.ok()) return bytes.error();
  if (!orphan.sha256.contains(Sha256Hex(*bytes))) {
    return FileChange{Change::kKept, orphan.path, "changed since rulegen wrote it"};
  }
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

Layout::Layout(const spec::Spec& spec, const std::optional<fs::path>& out) {
  if (!out) {
    folder_ = spec.file.parent_path();
    return;
  }
  absolute_under_ = *out;
  std::size_t ups = 1;
  for (const std::optional<std::string>& folder :
       {spec.output.rules, spec.output.dashboards, spec.output.docs}) {
    if (folder) ups = std::max(ups, LeadingUps(*folder));
  }
  // The spec's folder from the folder that holds everything: its last `ups` names.
  fs::path from = fs::absolute(spec.file).lexically_normal().parent_path();
  fs::path names;
  for (std::size_t i = 0; i < ups && from.has_relative_path(); ++i) {
    names = from.filename() / names;
    from = from.parent_path();
  }
  folder_ = *out / names;
}

fs::path Layout::On(const fs::path& path) const {
  if (path.is_absolute()) return absolute_under_ ? *absolute_under_ / path.relative_path() : path;
  return (folder_ / path).lexically_normal();
}

Result<std::vector<FileChange>> WriteTree(const spec::Spec& spec, const std::vector<Artefact>& artefacts,
                                          const Layout& layout) {
  const Result<OldManifest> old = ReadManifest(spec, layout);
  if (!old.ok()) return old.error();
  RemoveLeftovers(spec, artefacts, *old, layout);
  std::vector<FileChange> changes;
  const fs::path manifest = layout.On(ManifestName(spec));
  const std::string manifest_text = ManifestText(spec, artefacts);
  if (old->text != manifest_text) {
    const Result<WriteOutcome> intended =
        WriteFileIfChanged(manifest, IntendedManifest(spec, artefacts, *old));
    if (!intended.ok()) return intended.error();
  }
  for (const Artefact& artefact : artefacts) {
    const fs::path path = layout.On(artefact.path);
    const Result<WriteOutcome> outcome = WriteFileIfChanged(path, artefact.bytes);
    if (!outcome.ok()) return outcome.error();
    if (*outcome == WriteOutcome::kWritten) changes.push_back({Change::kWritten, path, ""});
  }
  const Result<std::vector<Orphan>> orphans = Orphans(*old, artefacts, layout);
  if (!orphans.ok()) return orphans.error();
  for (const Orphan& orphan : *orphans) {
    Result<FileChange> change = RemoveOrphan(orphan);
    if (!change.ok()) return change.error();
    changes.push_back(std::move(*change));
  }
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
    if (*there != bytes) differences.push_back({path, std::move(*there), std::move(bytes)});
    return {};
  };
  for (const Artefact& artefact : artefacts) {
    const Result<void> compared = compare(layout.On(artefact.path), artefact.bytes);
    if (!compared.ok()) return compared.error();
  }
  const Result<std::vector<Orphan>> orphans = Orphans(*old, artefacts, layout);
  if (!orphans.ok()) return orphans.error();
  for (const Orphan& orphan : *orphans) {
    const Result<void> compared = compare(orphan.path, std::nullopt);
    if (!compared.ok()) return compared.error();
  }
  const Result<void> compared = compare(layout.On(ManifestName(spec)), ManifestText(spec, artefacts));
  if (!compared.ok()) return compared.error();
  return differences;
}

Result<std::string> DiffTree(const spec::Spec& spec, const std::vector<Artefact>& artefacts,
                             const Layout& layout) {
  const Result<std::vector<FileDifference>> differences = CompareTree(spec, artefacts, layout);
  if (!differences.ok()) return differences.error();
  std::string diff;
  for (const FileDifference& file : *differences) {
    diff += UnifiedDiff(file.path.string(), file.there, file.generated);
  }
  return diff;
}

}  // namespace outgrown::generate
