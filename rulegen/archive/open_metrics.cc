#include "rulegen/archive/open_metrics.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "common/exposition.h"
#include "common/number.h"

namespace outgrown::archive {

std::string FamilyHead(std::string_view name) { return fmt::format("# TYPE {} unknown\n", name); }

std::string SeriesText(std::string_view name, const prometheus_api::Labels& labels) {
  std::string text(name);
  for (const auto& label : labels) AppendLabel(text, &label == &labels.front(), label.first, label.second);
  if (!labels.empty()) text += '}';
  return text;
}

std::string SampleLine(std::string_view series, const Sample& sample) {
  return fmt::format("{} {} {}\n", series, ExactNumber(sample.value), SecondsText(sample.time_ms));
}

std::string SecondsText(std::int64_t time_ms) {
  double seconds =
      static_cast<double>(time_ms) / 1000;  // of small times some would be cut off: 1.001 * 1000 < 1001
  while (static_cast<std::int64_t>(seconds * 1000) < time_ms) {
    seconds = std::nextafter(seconds, std::numeric_limits<double>::infinity());
  }
  return ExactNumber(seconds);
}

}  // namespace outgrown::archive
