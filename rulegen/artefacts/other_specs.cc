#include "rulegen/artefacts/other_specs.h"

#include <cstddef>
#include <filesystem>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "common/file.h"
#include "thresholds/names.h"
#include "thresholds/parse.h"

namespace outgrown::generate {

namespace {

constexpr std::string_view kStoreName = "store.name";

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

}  // namespace

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

std::string Described(const NamePlace& place) {
  const bool is_store = place.name == place.spec->store.name;
  return (is_store ? "the store " : "the alert ") + place.name;
}

std::string Where(const NamePlace& place) {
  return fmt::format("{}:{}:{}", place.spec->file.string(), place.position.line, place.position.column);
}

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

namespace {

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
    const std::filesystem::path file = (spec_.file.parent_path() / name).lexically_normal();
    if (IsSameFile(file, spec_.file)) return Wrong(index, ", this spec itself", "another spec's file");
    for (const spec::Spec& other : specs_) {
      if (IsSameFile(file, other.file)) return Wrong(index, ", which is listed before it", "each spec once");
    }
    spec::LoadedSpec loaded = spec::LoadSpec(file);
    if (!loaded.spec) {
      unreadable_ = unreadable_ || loaded.unreadable;
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

}  // namespace

AlsoSpecs LoadAlso(const spec::Spec& spec) {
  if (!spec.alertmanager || spec.alertmanager->also.empty()) return {};
  return Loader(spec).Load();
}

}  // namespace outgrown::generate
