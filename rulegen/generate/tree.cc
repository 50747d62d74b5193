#include "rulegen/generate/tree.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
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

bool Exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// The bytes of a file that may be missing.
Result<std::optional<std::string>> ReadIfThere(const fs::path& path) {
  if (!Exists(path)) return std::optional<std::string>();
  Result<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.error();
  return std::optional<std::string>(std::move(*bytes));
}

// The manifest's entries that no artefact of now has, and that are still there.
Result<std::vector<ManifestEntry>> Orphans(const spec::Spec& spec, const std::vector<Artefact>& artefacts,
                                           const Layout& layout) {
  const fs::path path = layout.On(ManifestName(spec));
  const Result<std::optional<std::string>> text = ReadIfThere(path);
  if (!text.ok()) return text.error();
  if (!*text) return std::vector<ManifestEntry>();
  std::optional<std::vector<ManifestEntry>> entries = ParseManifest(**text);
  if (!entries) {
    return Error{
        "is no manifest of rulegen's; restore it, or remove it after removing the old artefacts by hand",
        path.string()};
  }
  std::set<fs::path> current;
  for (const Artefact& artefact : artefacts) current.insert(artefact.path.lexically_normal());
  std::erase_if(*entries, [&](const ManifestEntry& entry) {
    return current.contains(entry.path.lexically_normal()) || !Exists(layout.On(entry.path));
  });
  return std::move(*entries);
}

// Removes the file if it still is what was written; says why not otherwise.
FileChange RemoveOrphan(const ManifestEntry& orphan, const fs::path& path) {
  const Result<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return {Change::kKept, path, bytes.error().what};
  if (Sha256Hex(*bytes) != orphan.sha256) return {Change::kKept, path, "changed since rulegen wrote it"};
  std::error_code failed;
  fs::remove(path, failed);
  if (failed) return {Change::kKept, path, failed.message()};
  return {Change::kRemoved, path, ""};
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
  const Result<std::vector<ManifestEntry>> orphans = Orphans(spec, artefacts, layout);
  if (!orphans.ok()) return orphans.error();
  std::vector<FileChange> changes;
  const auto write = [&](const fs::path& path, const std::string& bytes) -> Result<void> {
    const Result<WriteOutcome> outcome = WriteFileIfChanged(path, bytes);
    if (!outcome.ok()) return outcome.error();
    if (*outcome == WriteOutcome::kWritten) changes.push_back({Change::kWritten, path, ""});
    return {};
  };
  for (const Artefact& artefact : artefacts) {
    const Result<void> written = write(layout.On(artefact.path), artefact.bytes);
    if (!written.ok()) return written.error();
  }
  for (const ManifestEntry& orphan : *orphans)
    changes.push_back(RemoveOrphan(orphan, layout.On(orphan.path)));
  const Result<void> written = write(layout.On(ManifestName(spec)), ManifestText(spec, artefacts));
  if (!written.ok()) return written.error();
  return changes;
}

Result<std::vector<FileDifference>> CompareTree(const spec::Spec& spec,
                                                const std::vector<Artefact>& artefacts,
                                                const Layout& layout) {
  const Result<std::vector<ManifestEntry>> orphans = Orphans(spec, artefacts, layout);
  if (!orphans.ok()) return orphans.error();
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
  for (const ManifestEntry& orphan : *orphans) {
    const Result<void> compared = compare(layout.On(orphan.path), std::nullopt);
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
