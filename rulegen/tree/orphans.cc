#include "rulegen/tree/orphans.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "common/digest.h"
#include "common/file.h"
#include "thresholds/names.h"

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

// Those of a folder that can be listed; none of one that can't.
std::vector<fs::directory_entry> EntriesOf(const fs::path& folder) {
  std::vector<fs::directory_entry> entries;
  std::error_code failed;
  for (fs::directory_iterator entry(folder.empty() ? "." : folder, failed), end; !failed && entry != end;
       entry.increment(failed)) {
    entries.push_back(*entry);
  }
  return entries;
}

bool IsPeoples(const spec::Spec& spec, const fs::path& path) {
  std::error_code none;
  if (fs::equivalent(path, spec.file, none)) return true;
  return spec.alertmanager && !spec.alertmanager->base.empty() &&
         fs::equivalent(path, spec.file.parent_path() / spec.alertmanager->base, none);
}

// Whether the file carries the mark of another spec, and that one is there.
bool IsOfAnother(const spec::Spec& spec, std::string_view bytes) {
  const std::string_view other = emit::SpecFileOf(bytes);
  if (other.empty() || emit::CarriesMarkOf(spec, bytes)) return false;
  std::error_code none;
  return fs::exists(spec.file.parent_path() / other, none);
}

// `listed`: what the manifest says was written there, two lines if a run was cut short.
Result<Orphan> Judge(const spec::Spec& spec, const fs::path& path, std::string bytes,
                     std::vector<ManifestEntry> listed) {
  Orphan orphan{path, std::move(bytes), Fate::kRemove, "", std::move(listed)};
  const auto fate = [&](Fate fate, std::string why) {
    orphan.fate = fate;
    orphan.why = std::move(why);
    return orphan;
  };
  const std::string sha256 = Sha256Hex(orphan.bytes);
  const bool as_written = std::ranges::count(orphan.listed, sha256, &ManifestEntry::sha256) > 0;
  if (as_written && (IsPeoples(spec, path) || !emit::CarriesMark(orphan.bytes))) {
    return Error{"the manifest names it, but rulegen did not write it; restore the manifest", path.string()};
  }
  if (IsPeoples(spec, path)) return fate(Fate::kLetGo, "it is the spec, or what alertmanager.base names");
  if (IsOfAnother(spec, orphan.bytes)) return fate(Fate::kLetGo, "it carries the mark of another spec");
  if (!as_written) return fate(Fate::kKeep, "changed since rulegen wrote it");
  if (!emit::CarriesMarkOf(spec, orphan.bytes))
    return fate(Fate::kKeep, "it carries the mark of another spec");
  return orphan;
}

std::set<fs::path> Paths(const std::vector<Artefact>& artefacts) {
  std::set<fs::path> paths;
  for (const Artefact& artefact : artefacts) paths.insert(artefact.path.lexically_normal());
  return paths;
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
  const std::set<fs::path> current = Paths(artefacts);
  std::map<fs::path, std::vector<ManifestEntry>> written;
  for (const ManifestEntry& entry : entries) {
    const fs::path path = entry.path.lexically_normal();
    if (!current.contains(path)) written[path].push_back(entry);
  }
  std::vector<Orphan> orphans;
  for (auto& [path, listed] : written) {
    const fs::path on_disk = layout.On(path);
    Result<std::optional<std::string>> bytes = ReadIfThere(on_disk);
    if (!bytes.ok()) return bytes.error();
    if (!*bytes) continue;
    Result<Orphan> orphan = Judge(spec, on_disk, std::move(**bytes), std::move(listed));
    if (!orphan.ok()) return orphan.error();
    orphans.push_back(std::move(*orphan));
  }
  return orphans;
}

std::vector<Orphan> FindUnlisted(const spec::Spec& spec, const std::vector<ManifestEntry>& entries,
                                 const std::vector<Artefact>& artefacts, const Layout& layout) {
  std::set<fs::path> known = {layout.On(ManifestName(spec))};
  std::set<fs::path> extensions;
  std::set<fs::path> folders;
  const auto add = [&](const fs::path& path) {
    const fs::path on_disk = layout.On(path);
    known.insert(on_disk);
    extensions.insert(on_disk.extension());
    folders.insert(on_disk.parent_path());
  };
  for (const Artefact& artefact : artefacts) add(artefact.path);
  for (const ManifestEntry& entry : entries) add(entry.path);
  std::vector<Orphan> unlisted;
  std::error_code none;
  for (const fs::path& folder : folders) {
    for (const fs::directory_entry& entry : EntriesOf(folder)) {
      const fs::path path = folder / entry.path().filename();
      if (!extensions.contains(path.extension()) || known.contains(path)) continue;
      if (entry.is_symlink(none) || !entry.is_regular_file(none)) continue;
      Result<std::string> bytes = ReadFile(path);
      if (!bytes.ok() || !emit::CarriesMarkOf(spec, *bytes)) continue;
      unlisted.push_back({path,
                          std::move(*bytes),
                          Fate::kKeep,
                          "it carries this spec's mark, and the manifest does not name it",
                          {}});
    }
  }
  std::ranges::sort(unlisted, {}, &Orphan::path);
  return unlisted;
}

std::vector<StrayManifest> StrayManifests(const fs::path& folder, const fs::path& specs) {
  std::vector<StrayManifest> stray;
  std::error_code none;
  for (const fs::directory_entry& entry : EntriesOf(folder)) {
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
