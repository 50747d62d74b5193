#include "rulegen/spec_inputs.h"

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_map>
#include <utility>

#include <fmt/format.h>

#include "common/file.h"
#include "thresholds/names.h"
#include "thresholds/parse.h"

namespace outgrown::rulegen {

namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStoreName = "store.name";

// Where a spec gives a name.
struct NamePlace {
  std::string name;
  std::string_view key;  // "store.name", "threshold.id"
  spec::Position position;
  const spec::Spec* spec = nullptr;
};

struct SharedName {
  NamePlace here;   // of the spec that came later
  NamePlace there;  // of the earlier one
};

class NamesInUse {
 public:
  // Takes in the names of a spec, which must outlive this, and returns those that an earlier one has too: its store's,
  // and then no other of the same earlier spec, or its alerts'.
  std::vector<SharedName> Add(const spec::Spec& spec);

 private:
  std::unordered_map<std::string, NamePlace> stores_;
  std::unordered_map<std::string, NamePlace> alerts_;
};

NamePlace StorePlace(const spec::Spec& spec) {
  return {spec.store.name, kStoreName, spec::PositionOf(spec.store.positions, "name"), &spec};
}

std::vector<NamePlace> AlertPlaces(const spec::Spec& spec) {
  std::vector<NamePlace> places;
  for (const spec::Threshold& threshold : spec.thresholds) {
    places.push_back({spec::AlertName(spec.store, threshold.id), "threshold.id",
                      spec::PositionOf(threshold.positions, "id"), &spec});
  }
  for (const spec::Watch& watch : spec.watches) {
    if (!watch.is_alert()) continue;
    places.push_back(
        {spec::AlertName(spec.store, watch.id), "watch.id", spec::PositionOf(watch.positions, "id"), &spec});
  }
  return places;
}

// If the store's name is taken, its alerts' names are too: they are not reported once more.
std::vector<SharedName> NamesInUse::Add(const spec::Spec& spec) {
  std::vector<SharedName> shared;
  NamePlace store = StorePlace(spec);
  const auto [same, is_new] = stores_.emplace(store.name, store);
  if (!is_new) shared.push_back({std::move(store), same->second});
  for (NamePlace& alert : AlertPlaces(spec)) {
    const auto [other, is_new_alert] = alerts_.emplace(alert.name, alert);
    if (!is_new_alert && other->second.spec->store.name != spec.store.name)
      shared.push_back({std::move(alert), other->second});
  }
  return shared;
}

// "the alert ABcX", "the store checkpoint"
std::string Described(const NamePlace& place) {
  const bool is_store = place.name == place.spec->store.name;
  return (is_store ? "the store " : "the alert ") + place.name;
}

// "rules/checkpoint.toml:7:14"
std::string Where(const NamePlace& place) {
  return fmt::format("{}:{}:{}", place.spec->file.string(), place.position.line, place.position.column);
}

// Loads the specs that alertmanager.also lists. Every one that is wrong is reported at its element of the
// list, in the file of the spec that lists it.
class Loader {
 public:
  explicit Loader(const spec::Spec& spec) : spec_(spec), report_(spec.file) {
    names_.Add(spec);
    specs_.reserve(spec.alertmanager->also.size());  // names_ points into it
  }

  AlsoSpecs Load() {
    for (std::size_t i = 0; i < spec_.alertmanager->also.size(); ++i) One(i);
    AlsoSpecs loaded{{}, report_.TakeInFileOrder(), unreadable_};
    if (loaded.diagnostics.empty()) loaded.specs = std::move(specs_);
    return loaded;
  }

 private:
  void One(std::size_t index) {
    const std::string& name = spec_.alertmanager->also[index];
    const fs::path file = (spec_.file.parent_path() / name).lexically_normal();
    // By file and not by text: "../rules/a.toml" and a link are the same spec.
    if (IsSameFile(file, spec_.file)) return Wrong(index, ", this spec itself", "another spec's file");
    for (const spec::Spec& other : specs_) {
      if (IsSameFile(file, other.file)) return Wrong(index, ", which is listed before it", "each spec once");
    }
    spec::LoadedSpec loaded = spec::LoadSpec(file);
    if (!loaded.spec) {
      unreadable_ = unreadable_ || loaded.unreadable;
      // Only its first error: the spec's own run lists them all.
      return Wrong(index,
                   loaded.unreadable ? ", " + loaded.diagnostics.front().found
                                     : fmt::format(", a spec with errors, {} in all, the first: {}",
                                                   loaded.diagnostics.size(),
                                                   spec::FormatDiagnostic(loaded.diagnostics.front())),
                   "a spec without errors");
    }
    specs_.push_back(std::move(*loaded.spec));
    for (const SharedName& shared : names_.Add(specs_.back())) {
      Wrong(index,
            fmt::format(", whose {} ({}) is also that of {}", Described(shared.here).substr(4),
                        Where(shared.here), Where(shared.there)),
            "a spec with other names");
    }
  }

  void Wrong(std::size_t index, const std::string& what, std::string expected) {
    report_.Add(spec::PositionOf(spec_.alertmanager->positions, fmt::format("also[{}]", index)),
                "alertmanager.also", spec::Quoted(spec_.alertmanager->also[index]) + what,
                std::move(expected));
  }

  const spec::Spec& spec_;
  NamesInUse names_;
  std::vector<spec::Spec> specs_;
  spec::Report report_;
  bool unreadable_ = false;
};

std::string UnreadableBase(const spec::Spec& spec, const std::string& why) {
  return spec::FormatDiagnostic({spec.file, spec::PositionOf(spec.alertmanager->positions, "base"),
                                 "alertmanager.base",
                                 spec::Quoted(spec.alertmanager->base) + " (" + why + ")",
                                 "your Alertmanager configuration, from the spec's folder"});
}

// The folder of one file from the folder of another, by names alone. Both start at the spec's folder; its own name
// counts only where the other one lies beside or above it.
fs::path FolderFrom(const fs::path& file, const fs::path& from) {
  const auto folder = [](const fs::path& path) {
    std::error_code none;
    return fs::absolute(path, none).lexically_normal().parent_path();
  };
  return folder(file).lexically_relative(folder(from));
}

}  // namespace

std::vector<spec::Diagnostic> SharedNames(const std::vector<spec::Spec>& specs) {
  std::vector<spec::Diagnostic> diagnostics;
  NamesInUse names;
  for (const spec::Spec& spec : specs) {
    for (const SharedName& shared : names.Add(spec)) {
      diagnostics.push_back({spec.file, shared.here.position, std::string(shared.here.key),
                             Described(shared.here) + ", which " + Where(shared.there) + " has too",
                             "a name that no other spec of this run has"});
    }
  }
  return diagnostics;
}

AlsoSpecs LoadAlso(const spec::Spec& spec) {
  if (!spec.alertmanager || spec.alertmanager->also.empty()) return {};
  return Loader(spec).Load();
}

Result<std::optional<artefacts::Base>> LoadBase(const spec::Spec& spec) {
  const std::optional<fs::path> merged = artefacts::AlertmanagerFile(spec);
  if (!merged || spec.alertmanager->base.empty()) return std::optional<artefacts::Base>();
  const fs::path folder = spec.file.parent_path();
  const fs::path file = folder / spec.alertmanager->base;
  if (IsSameFile(file, folder / *merged)) {
    return Error{"alertmanager.base names the file that is generated from it; name your own configuration",
                 file.string()};
  }
  Result<std::string> text = ReadFile(file);
  if (!text) return Error{UnreadableBase(spec, text.error().what), ""};
  std::error_code none;
  return std::optional(
      artefacts::Base{.text = std::move(*text),
                      .name = file.string(),
                      .folder = FolderFrom(file, folder / *merged),
                      .mode = static_cast<unsigned>(fs::status(file, none).permissions()) & 0666U});
}

}  // namespace outgrown::rulegen
