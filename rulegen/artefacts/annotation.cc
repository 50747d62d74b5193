#include "rulegen/artefacts/annotation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/check.h"
#include "common/time_text.h"
#include "rulegen/artefacts/escape.h"

namespace outgrown::artefacts {

namespace {

// What Prometheus' template functions humanize, humanize1024, humanizeDuration and humanizePercentage print,
// rewritten from template/template.go. Needed in two places: the generated tests expect whole annotations,
// and the limit in a text must look as the value beside it does.
constexpr std::array<std::string_view, 8> kSmall = {"m", "u", "n", "p", "f", "a", "z", "y"};
constexpr std::array<std::string_view, 8> kLarge = {"k", "M", "G", "T", "P", "E", "Z", "Y"};
constexpr std::array<std::string_view, 8> kBinary = {"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};

// Go's "%.4g"; it writes infinity with its sign.
std::string FourDigits(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{:.4g}", value);
}

// Divides by `step` for as long as there is a prefix and the value is at least `step`.
std::string Scaled(double value, double step, const std::array<std::string_view, 8>& prefixes) {
  std::string_view prefix;
  for (const std::string_view larger : prefixes) {
    if (std::abs(value) < step) break;
    prefix = larger;
    value /= step;
  }
  return FourDigits(value) + std::string(prefix);
}

std::string Magnified(double value) {
  std::string_view prefix;
  for (const std::string_view smaller : kSmall) {
    if (std::abs(value) >= 1) break;
    prefix = smaller;
    value *= 1000;
  }
  return FourDigits(value) + std::string(prefix);
}

std::string HumanizeNumber(double value) {
  if (value == 0 || !std::isfinite(value)) return FourDigits(value);
  return std::abs(value) >= 1 ? Scaled(value, 1000, kLarge) : Magnified(value);
}

std::string Humanize1024(double value) {
  // humanize1024 has no prefixes for values below 1.
  if (std::abs(value) <= 1 || !std::isfinite(value)) return FourDigits(value);
  return Scaled(value, 1024, kBinary);
}

std::string HumanizeSeconds(double value) {
  if (!std::isfinite(value)) return FourDigits(value);
  if (value == 0) return "0s";
  if (std::abs(value) < 1) return Magnified(value) + "s";
  // From a minute on the fraction is cut off, not rounded: 119.9 s reads "1m 59s".
  const std::string sign = value < 0 ? "-" : "";
  const double whole = std::abs(value);
  // A spec has no limit near it (validate_thresholds.cc). Go's conversion gives another number there on each machine.
  OUTGROWN_CHECK(whole < 9e18);
  const auto duration = static_cast<std::int64_t>(whole);
  const std::int64_t seconds = duration % 60;
  const std::int64_t minutes = duration / 60 % 60;
  const std::int64_t hours = duration / 3600 % 24;
  const std::int64_t days = duration / 86400;
  if (days != 0) return fmt::format("{}{}d {}h {}m {}s", sign, days, hours, minutes, seconds);
  if (hours != 0) return fmt::format("{}{}h {}m {}s", sign, hours, minutes, seconds);
  if (minutes != 0) return fmt::format("{}{}m {}s", sign, minutes, seconds);
  return sign + FourDigits(whole) + "s";
}

}  // namespace

std::string Humanize(double value, Unit unit) {
  switch (unit) {
    case Unit::kRatio:
      return FourDigits(value * 100) + "%";
    case Unit::kPerSecond:
      return HumanizeNumber(value) + "/s";
    case Unit::kSeconds:
      return HumanizeSeconds(value);
    case Unit::kBytes:
      return Humanize1024(value) + "B";
    case Unit::kCount:
      return HumanizeNumber(value);
  }
  return FourDigits(value);
}

std::string ConditionText(const spec::Signal& signal, const spec::Threshold& threshold) {
  std::string text = signal.title + (threshold.direction == Direction::kAbove ? " > " : " < ") +
                     Humanize(threshold.limit, signal.unit);
  if (threshold.hold > Milliseconds(0)) text += " for " + FormatDuration(threshold.hold);
  return text;
}

std::string Render(const Template& parts, const std::vector<Pair>& labels, double value) {
  std::string text;
  for (const auto& part : parts) {
    if (const auto* literal = std::get_if<Literal>(&part)) text += literal->text;
    if (const auto* human = std::get_if<HumanValue>(&part)) text += Humanize(value, human->unit);
    if (const auto* label = std::get_if<LabelValue>(&part)) {
      const auto found = std::ranges::find(labels, label->label, &Pair::name);
      if (found != labels.end()) text += found->value;
    }
  }
  return text;
}

namespace {

// The template function that prints a value in its unit, with the unit's own sign; Humanize predicts both.
std::string HumanAction(Unit unit) {
  switch (unit) {
    case Unit::kRatio:
      return "{{ $value | humanizePercentage }}";
    case Unit::kPerSecond:
      return "{{ $value | humanize }}/s";
    case Unit::kSeconds:
      return "{{ $value | humanizeDuration }}";
    case Unit::kBytes:
      return "{{ $value | humanize1024 }}B";
    case Unit::kCount:
      return "{{ $value | humanize }}";
  }
  return "{{ $value }}";
}

}  // namespace

// Literals are collected until an action follows, since "{" and "{" of two neighbours would make "{{" when
// they are escaped each for itself.
std::string GoTemplate(const Template& parts) {
  std::string literal;
  std::string text;
  for (const auto& part : parts) {
    if (const auto* more = std::get_if<Literal>(&part)) {
      literal += more->text;
      continue;
    }
    text += GoTemplateText(literal);
    literal.clear();
    if (const auto* label = std::get_if<LabelValue>(&part)) text += "{{ $labels." + label->label + " }}";
    if (const auto* value = std::get_if<HumanValue>(&part)) text += HumanAction(value->unit);
  }
  return text + GoTemplateText(literal);
}

}  // namespace outgrown::artefacts
