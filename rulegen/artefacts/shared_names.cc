#include "rulegen/artefacts/shared_names.h"

#include <utility>

#include <fmt/format.h>

#include "rulegen/artefacts/measurement.h"
#include "thresholds/names.h"

namespace outgrown::generate {
namespace {

constexpr std::string_view kStoreName = "store.name";

NamePlace StorePlace(const spec::Spec& spec) {
  return {spec.store.name, kStoreName, spec::PositionOf(spec.store.positions, "name"), &spec};
}

// Those on thresholds, and those about the measurement, which only the store's name makes.
std::vector<NamePlace> AlertPlaces(const spec::Spec& spec) {
  std::vector<NamePlace> places;
  for (const spec::Threshold& threshold : spec.thresholds) {
    places.push_back({spec::AlertName(spec.store, threshold.id), "threshold.id",
                      spec::PositionOf(threshold.positions, "id"), &spec});
  }
  for (const plan::MeasurementAlert& alert : plan::PlanMeasurement(spec)) {
    NamePlace place = StorePlace(spec);
    place.name = spec::AlertName(spec.store, alert.id);
    places.push_back(std::move(place));
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

}  // namespace outgrown::generate
