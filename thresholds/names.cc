#include "thresholds/names.h"

#include <array>

namespace outgrown::spec {
namespace {

constexpr std::string_view kCoverage = "coverage_ratio";
constexpr std::string_view kReason = "coverage_reason";

}  // namespace

std::string RecordedSeries(const Store& store, std::string_view signal_id) {
  return store.name + ":" + std::string(signal_id);
}

std::string SplitSeries(const Store& store, std::string_view signal_id) {
  return RecordedSeries(store, signal_id) + ":split";
}

std::string CoverageSeries(const Store& store) { return RecordedSeries(store, kCoverage); }

std::string ReasonSeries(const Store& store) { return RecordedSeries(store, kReason); }

std::span<const std::string_view> OwnSeriesIds() {
  static constexpr std::array<std::string_view, 2> kIds = {kCoverage, kReason};
  return kIds;
}

std::string AlertName(const Store& store, std::string_view threshold_id) {
  std::string name;
  bool upper = true;
  for (const char c : store.name) {
    if (c == '_') {
      upper = true;
      continue;
    }
    name += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    upper = false;
  }
  name += threshold_id;
  return name;
}

std::string ExampleValue(std::string_view label) { return std::string(label) + "-a"; }

std::string RunbookAnchor(std::string_view alert_name) {
  std::string anchor(alert_name);
  for (char& c : anchor) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return anchor;
}

}  // namespace outgrown::spec
