// Annotation text with holes: what an alert's template says, and what it reads once an alert fires.
//
// The parts are typed so that the text can be written as a Go template (GoTemplate) and predicted for a test
// (Render) from one source.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "thresholds/model.h"
#include "thresholds/table.h"

namespace outgrown::artefacts {

struct Pair {
  std::string name;
  std::string value;
  bool operator==(const Pair&) const = default;
};

// Parts of an annotation.
struct Literal {
  std::string text;
};
struct LabelValue {
  std::string label;
};
struct HumanValue {
  Unit unit;
};
using Template = std::vector<std::variant<Literal, LabelValue, HumanValue>>;

struct Annotation {
  std::string name;
  Template text;
};

// A double as Prometheus' template functions print it in that unit, and as HumanValue's action does:
// humanizePercentage, humanize and "/s", humanizeDuration, humanize1024 and "B", humanize.
// Source: prometheus/template/template.go.
std::string Humanize(double value, Unit unit);

// "Write errors > 1% for 5m": a threshold's condition as texts show it. `signal` is the threshold's.
std::string ConditionText(const spec::Signal& signal, const spec::Threshold& threshold);

// The text that the template gives for an alert with these labels and that value.
std::string Render(const Template& parts, const std::vector<Pair>& labels, double value);

// An annotation's text as the Go template that Prometheus and vmalert expand.
std::string GoTemplate(const Template& parts);

}  // namespace outgrown::artefacts
