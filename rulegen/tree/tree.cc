#include "rulegen/tree/tree.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "common/file.h"
#include "rulegen/tree/unified_diff.h"
#include "thresholds/names.h"

namespace outgrown::tree {
namespace {

namespace fs = std::filesystem;

// The extensions of artefacts, which are also what servers and builds load.
constexpr std::array<std::string_view, 4> kExtensions = {".yml", ".json", ".md", ".inc"};

std::size_t LeadingUps(const fs::path& path) {
  std::size_t ups = 0;
  for (const fs::path& part : path.lexically_normal()) {
    if (part != "..") break;
    ++ups;
  }
  return ups;
}

// The bytes of a file that may be missing. A link that leads nowhere is missing.
// A loop of links is a link that leads nowhere as well; the writer replaces it.
Result<std::optional<std::string>> ReadIfThere(const fs::path& path) {
  std::error_code failed;
  const fs::file_status status = fs::status(path, failed);
  if (status.type() == fs::file_type::not_found || failed == std::errc::too_many_symbolic_link_levels)
    return std::optional<std::string>();
  if (status.type() == fs::file_type::none) return Error{"cannot stat: " + failed.message(), path.string()};
  Result<std::string> bytes = ReadFile(path);
  if (!bytes.ok()) return bytes.error();
  return std::optional<std::string>(std::move(*bytes));
}

bool HasArtefactsExtension(const fs::path& path) {
  return std::ranges::find(kExtensions, path.extension()) != kExtensions.end();
}

// The folders that [output] names, and those of the artefacts.
std::set<fs::path> FoldersOf(const Made& made, const Layout& layout) {
  std::set<fs::path> folders;
  const spec::Output& output = made.spec->output;
  for (const std::optional<std::string>& folder : {output.rules, output.dashboards, output.docs}) {
    if (folder) folders.insert(layout.On(*folder / fs::path()).parent_path());
  }
  for (const artefacts::Artefact& artefact : made.artefacts)
    folders.insert(layout.On(artefact.path).parent_path());
  return folders;
}

// Removes temporary files that killed runs left, of this spec or of an earlier name of it. One that can't be
// read stays: it does no harm. common/file.cc decides whether the process that made one still runs; here only
// its name is recognised.
void RemoveHalfWritten(const fs::path& folder, bool deeper) {
  constexpr std::size_t kRandomAndEnd = std::string_view(".0123456789abcdef.tmp").size();
  const Result<std::vector<fs::directory_entry>> entries = EntriesOf(folder);
  if (!entries.ok()) return;
  std::error_code none;
  std::set<std::string> names;
  for (const fs::directory_entry& entry : *entries) {
    const std::string file = entry.path().filename().string();
    if (deeper && entry.is_directory(none) && !entry.is_symlink(none))
      RemoveHalfWritten(folder / file, false);
    if (!file.ends_with(".tmp") || file.size() <= 1 + kRandomAndEnd) continue;
    const std::string name = file.substr(1, file.size() - 1 - kRandomAndEnd);
    if (HasArtefactsExtension(name)) names.insert(name);
  }
  if (!names.empty()) RemoveAbandoned(folder.empty() ? "." : folder, names);
}

}  // namespace

// weakly_canonical takes paths whose last parts do not exist yet; where it fails the path itself is the best
// key there is.
fs::path Canonical(const fs::path& path) {
  std::error_code none;
  fs::path whole = fs::weakly_canonical(path, none);
  return whole.empty() ? path : whole;
}

namespace {

Result<bool> IsPlainFile(const fs::path& path) {
  std::error_code failed;
  const fs::file_type type = fs::symlink_status(path, failed).type();
  if (type == fs::file_type::none) return Error{"cannot stat: " + failed.message(), path.string()};
  return type == fs::file_type::regular;
}

// Whose mark a file carries, of the specs of this run.
class Search {
 public:
  Search(const std::vector<Made>& made, const std::optional<fs::path>& out, bool every_spec)
      : made_(made), every_spec_(every_spec) {
    for (const Made& one : made) {
      const Layout layout(*one.spec, out);
      for (const artefacts::Artefact& artefact : one.artefacts) {
        generated_.insert(layout.On(artefact.path));
        // Both forms: the folder may be reached through a link, and the file may be a link itself.
        generated_.insert(Canonical(layout.On(artefact.path)));
      }
      folders_.merge(FoldersOf(one, layout));
      own_folders_.insert(layout.On("x").parent_path());
    }
  }

  // The first error, if there is any: an unreadable file could be a left-over one, so "nothing is left over"
  // would be wrong.
  Result<std::vector<LeftOver>> Run() {
    // First inside the specs' folders, which tells what is theirs outside of them.
    for (const bool inside : {true, false}) {
      for (const fs::path& folder : folders_) {
        if (IsInside(folder / "x") == inside) LookInto(folder, true);
      }
    }
    for (const fs::path& folder : own_folders_) {
      for (const fs::directory_entry& entry : Entries(folder)) {
        if (entry.path().extension() == ".manifest") LookAtManifest(folder / entry.path().filename());
      }
    }
    if (failed_) return *failed_;
    std::vector<LeftOver> found;
    for (auto& [path, left_over] : found_) found.push_back(std::move(left_over));
    return found;
  }

 private:
  // What a file says of where it comes from: its mark, and its name's beginning.
  struct Origin {
    std::string spec_file;
    std::string store;
    auto operator<=>(const Origin&) const = default;
  };

  template <typename T>
  T ValueOr(Result<T> result, T otherwise) {
    if (result.ok()) return std::move(*result);
    if (!failed_) failed_ = result.error();
    return otherwise;
  }

  std::vector<fs::directory_entry> Entries(const fs::path& folder) { return ValueOr(EntriesOf(folder), {}); }

  // One level deep, for folders such as victoriametrics/ below the folder of the rules. Links to folders are
  // not followed: they may lead to folders that are none of ours.
  void LookInto(const fs::path& folder, bool deeper) {
    std::error_code none;
    for (const fs::directory_entry& entry : Entries(folder)) {
      const fs::path path = folder / entry.path().filename();
      if (deeper && entry.is_directory(none) && !entry.is_symlink(none)) LookInto(path, false);
      if (HasArtefactsExtension(path)) LookAt(path);
    }
  }

  // Whether the file is left over. `is_listed`: a manifest of one of the specs has it.
  bool LookAt(const fs::path& path, bool is_listed = false) {
    if (IsGenerated(path) || !ValueOr(IsPlainFile(path), false) || IsUsers(path)) return false;
    std::string why = WhyLeftOver(ValueOr(ReadFile(path), std::string()), path, is_listed);
    if (why.empty()) return false;
    // By canonical path: two folders of [output] may be the same one.
    found_.try_emplace(Canonical(path), LeftOver{path, std::move(why)});
    return true;
  }

  bool IsGenerated(const fs::path& path) const {
    return generated_.contains(path) || generated_.contains(Canonical(path));
  }

  // Whether the path is in the folder of one of these specs, or below it.
  bool IsInside(const fs::path& path) const {
    return std::ranges::any_of(own_folders_, [&](const fs::path& folder) {
      const fs::path from_own = path.lexically_relative(folder);
      return !from_own.empty() && *from_own.begin() != "..";
    });
  }

  std::string WhyLeftOver(std::string_view bytes, const fs::path& path, bool is_listed) {
    const std::string spec_file(spec::ReadMark(bytes).spec_file);
    if (spec_file.empty()) return "";
    const std::string name = path.filename().string();
    const Origin origin = {spec_file, name.substr(0, name.find('.'))};
    // The mark has no folder, so outside these specs' folders it may be that of somebody else's spec.
    const bool is_inside = IsInside(path);
    const bool is_ours = is_inside || is_listed || left_over_inside_.contains(origin);
    const auto is_of = [&](const Made& made) {
      return spec::CarriesMarkOf(*made.spec, bytes) && (is_ours || origin.store == made.spec->store.name);
    };
    std::error_code none;
    const auto is_beside = [&](const Made& made) {
      return fs::exists(made.spec->file.parent_path() / spec_file, none);
    };
    std::string why;
    // A spec of this run is certain about what it generates.
    if (std::ranges::any_of(made_, is_of)) {
      why = spec_file + " no longer generates it";
    } else if (every_spec_ && is_ours && std::ranges::none_of(made_, is_beside)) {
      // With --spec only some specs are loaded, so a file of another spec may well be generated by it.
      why = "its spec " + spec_file + " is not there";
    }
    if (is_inside && !why.empty()) left_over_inside_.insert(origin);
    return why;
  }

  // alertmanager.base may itself have been generated once and edited since, mark and all.
  bool IsUsers(const fs::path& path) const {
    std::error_code none;
    return std::ranges::any_of(made_, [&](const Made& made) {
      const spec::Spec& spec = *made.spec;
      if (fs::equivalent(path, spec.file, none)) return true;
      return spec.alertmanager && !spec.alertmanager->base.empty() &&
             fs::equivalent(path, spec.file.parent_path() / spec.alertmanager->base, none);
    });
  }

  // The manifest may have been edited, so it only says where to look: a file counts only if it carries the mark itself.
  // Format of its lines after the mark: SHA-256, two blanks, path.
  void LookAtManifest(const fs::path& path) {
    if (!ValueOr(IsPlainFile(path), false)) return;
    const std::string text = ValueOr(ReadFile(path), std::string());
    if (!text.starts_with("# ") || WhyLeftOver(text, path, false).empty()) return;
    constexpr std::size_t kPathAt = 64 + 2;
    bool is_settled = true;
    for (std::size_t at = text.find('\n'); at != std::string::npos; at = text.find('\n', at + 1)) {
      const std::string line = text.substr(at + 1, text.find('\n', at + 1) - at - 1);
      if (line.size() <= kPathAt) continue;
      const fs::path named = fs::path(line.substr(kPathAt));
      // A manifest's paths are relative to it; an absolute one is none that rulegen wrote.
      if (named.is_absolute()) continue;
      if (LookAt((path.parent_path() / named).lexically_normal(), true)) is_settled = false;
    }
    found_.try_emplace(Canonical(path), LeftOver{path, "rulegen keeps no manifest any more", is_settled});
  }

  const std::vector<Made>& made_;
  const bool every_spec_;
  std::set<fs::path> generated_;
  std::set<fs::path> folders_;
  std::set<fs::path> own_folders_;
  std::set<Origin> left_over_inside_;
  std::map<fs::path, LeftOver> found_;
  std::optional<Error> failed_;
};

}  // namespace

Layout::Layout(const spec::Spec& spec, const std::optional<fs::path>& out) {
  if (!out) {
    folder_ = spec.file.parent_path();
    return;
  }
  // At least the spec's own folder, so that its name is kept under --out.
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
  return (folder_ / path.relative_path()).lexically_normal();
}

Result<std::vector<fs::path>> WriteTree(const Made& made, const Layout& layout) {
  for (const fs::path& folder : FoldersOf(made, layout)) RemoveHalfWritten(folder, true);
  std::vector<fs::path> written;
  std::set<fs::path> folders;  // each synced once, when its files are in place, also when a later file fails
  Result<void> done;
  for (const artefacts::Artefact& artefact : made.artefacts) {
    const fs::path path = layout.On(artefact.path);
    // A file that is the same is not touched, so its time stays and nothing that watches it reloads.
    const Result<WriteOutcome> outcome = ReplaceFileIfChanged(path, artefact.bytes, artefact.mode_if_new);
    if (!outcome.ok()) {
      done = outcome.error();
      break;
    }
    if (*outcome == WriteOutcome::kUnchanged) continue;
    written.push_back(path);
    folders.insert(path.parent_path());
  }
  for (const fs::path& folder : folders) {
    const Result<void> synced = SyncFolder(folder);
    if (done && !synced) done = synced.error();
  }
  if (!done) return done.error();
  return written;
}

Result<std::vector<FileDifference>> CompareTree(const Made& made, const Layout& layout) {
  std::vector<FileDifference> differences;
  for (const artefacts::Artefact& artefact : made.artefacts) {
    const fs::path path = layout.On(artefact.path);
    Result<std::optional<std::string>> there = ReadIfThere(path);
    if (!there.ok()) return there.error();
    if (*there != artefact.bytes) differences.push_back({path, std::move(*there), artefact.bytes});
  }
  return differences;
}

std::string DiffOf(const std::vector<FileDifference>& differences) {
  std::string diff;
  for (const FileDifference& file : differences)
    diff += UnifiedDiff(file.path.string(), file.there, file.generated);
  return diff;
}

Result<std::vector<LeftOver>> LeftOvers(const std::vector<Made>& made, const std::optional<fs::path>& out,
                                        bool every_spec) {
  return Search(made, out, every_spec).Run();
}

}  // namespace outgrown::tree
