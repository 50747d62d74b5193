#include "rulegen/generate/orphans.h"

#include <algorithm>
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
#include "rulegen/emit/mark.h"

namespace outgrown::generate {
namespace {

namespace fs = std::filesystem;

Result<bool> Exists(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (status.type() == fs::file_type::not_found || failed == std::errc::too_many_symbolic_link_levels)
    return false;
  if (status.type() == fs::file_type::none) return Error{"cannot stat: " + failed.message(), path.string()};
  return true;
}

bool IsPeoples(const spec::Spec& spec, const fs::path& path) {
  std::error_code none;
  if (fs::equivalent(path, spec.file, none)) return true;
  return spec.alertmanager && !spec.alertmanager->base.empty() &&
         fs::equivalent(path, spec.file.parent_path() / spec.alertmanager->base, none);
}

// `sha256`: what the manifest says was written there, two if a run was cut short.
Result<Orphan> Judge(const spec::Spec& spec, const fs::path& path, std::string bytes,
                     const std::set<std::string>& sha256) {
  if (!sha256.contains(Sha256Hex(bytes)))
    return Orphan{path, std::move(bytes), "changed since rulegen wrote it"};
  if (IsPeoples(spec, path) || !emit::CarriesMark(bytes)) {
    return Error{"the manifest names it, but rulegen did not write it; restore the manifest", path.string()};
  }
  const bool own = emit::CarriesMarkOf(spec, bytes);
  return Orphan{path, std::move(bytes), own ? "" : "it carries the mark of another spec"};
}

}  // namespace

Result<std::optional<std::string>> ReadIfThere(const fs::path& path) {
  const Result<bool> there = Exists(path);
  if (!there.ok()) return there.error();
  if (!*there) return std::optional<std::string>();
  Result<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.error();
  return std::optional<std::string>(std::move(*bytes));
}

Result<std::vector<Orphan>> FindOrphans(const spec::Spec& spec, const std::vector<ManifestEntry>& entries,
                                        const std::vector<Artefact>& artefacts, const Layout& layout) {
  std::set<fs::path> current;
  for (const Artefact& artefact : artefacts) current.insert(artefact.path.lexically_normal());
  std::map<fs::path, std::set<std::string>> written;
  for (const ManifestEntry& entry : entries) {
    const fs::path path = entry.path.lexically_normal();
    if (!current.contains(path)) written[path].insert(entry.sha256);
  }
  std::vector<Orphan> orphans;
  for (const auto& [path, sha256] : written) {
    const fs::path on_disk = layout.On(path);
    Result<std::optional<std::string>> bytes = ReadIfThere(on_disk);
    if (!bytes.ok()) return bytes.error();
    if (!*bytes) continue;
    Result<Orphan> orphan = Judge(spec, on_disk, std::move(**bytes), sha256);
    if (!orphan.ok()) return orphan.error();
    orphans.push_back(std::move(*orphan));
  }
  return orphans;
}

std::vector<StrayManifest> StrayManifests(const fs::path& folder, const fs::path& specs) {
  std::vector<StrayManifest> stray;
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder.empty() ? "." : folder, none)) {
    if (entry.path().extension() != kManifestExtension) continue;
    const Result<std::string> text = ReadFile(entry.path());
    if (!text.ok() || !ParseManifest(*text).ok()) continue;
    const std::string spec_file(emit::SpecFileOf(*text));
    if (!spec_file.empty() && !fs::exists(specs / spec_file, none))
      stray.push_back({folder / entry.path().filename(), spec_file});
  }
  std::ranges::sort(stray, {}, &StrayManifest::path);
  return stray;
}

}  // namespace outgrown::generate
