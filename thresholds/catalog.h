// Every series the exporter exposes: name, type, help, labels. The exporter takes names and help texts from here,
// rulegen checks a spec's expressions against it and writes the metric reference from it, so the three agree.
#pragma once

#include <span>
#include <string_view>

namespace outgrown::metrics {

enum class Type { kCounter, kGauge, kHistogram };

struct Metric {
  std::string_view name;
  Type type;
  std::string_view help;  // one line, no newline or backslash (prometheus-cpp escapes neither)
  std::span<const std::string_view> labels;  // beside job and instance, which Prometheus adds
};

// All of them, in the order of the reference.
std::span<const Metric> Catalog();

// The entry of that name; null if there is none. A histogram is found by its base name.
const Metric* Find(std::string_view name);

// The text of a type as the exposition format and the reference spell it: "counter".
std::string_view TypeName(Type type);

}  // namespace outgrown::metrics
