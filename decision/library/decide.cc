#include "decision/library/decide.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "common/check.h"
#include "decision/engine/cause.h"
#include "decision/engine/decide.h"
#include "thresholds/table.h"

namespace outgrown {
namespace {

// The values in the order of Table::signals; NaN where no usable value was given.
class GivenValues {
 public:
  GivenValues() { values_.fill(std::numeric_limits<double>::quiet_NaN()); }

  // False if the measurement is ignored.
  bool Take(const Measurement& measurement) {
    const auto signals = CompiledTable().signals;
    for (std::size_t index = 0; index < signals.size(); ++index) {
      if (signals[index].id != measurement.signal) continue;
      // A second value for one signal makes it unknown, since either could be the right one. `!(x < 0)` lets
      // NaN through, which means "unknown" as well.
      const bool taken = !given_[index] && !(measurement.value < 0);
      given_[index] = true;
      values_[index] = taken ? measurement.value : std::numeric_limits<double>::quiet_NaN();
      return taken;
    }
    return false;
  }

  std::span<const double> values() const { return std::span(values_).first(CompiledTable().signals.size()); }

 private:
  // Fixed arrays on the stack: deciding allocates nothing, so it may run where an allocation must not fail.
  std::array<double, kCompiledRowsMax> values_;
  std::array<bool, kCompiledRowsMax> given_ = {};
};

// Appends to a buffer of fixed size, and counts what did not fit.
class LineBuffer {
 public:
  LineBuffer(char* buffer, std::size_t size_bytes) : buffer_(buffer), room_(size_bytes) {}

  LineBuffer& operator<<(std::string_view text) {
    for (const char c : text) {
      // As snprintf: the rest is counted and not written, so that a caller can ask for the size first.
      if (length_ + 1 < room_) buffer_[length_] = c;
      ++length_;
    }
    return *this;
  }

  std::size_t Finish() {
    if (room_ > 0) buffer_[std::min(length_, room_ - 1)] = '\0';
    return length_;
  }

 private:
  char* buffer_;
  std::size_t room_;
  std::size_t length_ = 0;
};

}  // namespace

Verdict Decide(std::span<const Measurement> measurements) noexcept {
  const Table& table = CompiledTable();
  Verdict verdict;
  GivenValues given;
  for (const Measurement& measurement : measurements) {
    if (!given.Take(measurement)) ++verdict.measurements_refused;
  }
  std::array<engine::Finding, kCompiledRowsMax> findings;
  const engine::Decision decision =
      engine::DecideGiven(table, given.values(), std::span(findings).first(table.thresholds.size()));
  verdict.id = engine::VerdictId(table, decision);
  verdict.text = engine::VerdictText(table, decision);
  verdict.worse_unknown = decision.worse_unknown;
  switch (decision.outcome) {
    case engine::Outcome::kSufficient:
      verdict.kind = VerdictKind::kSufficient;
      break;
    case engine::Outcome::kBreached:
      verdict.kind = VerdictKind::kMigrate;
      verdict.justification = engine::Because(table, decision);
      break;
    case engine::Outcome::kUndetermined:
      verdict.kind = VerdictKind::kUndetermined;
      verdict.justification = engine::CauseText(decision.cause);
      // `lead` is set here: given values leave nothing undetermined but signals.
      verdict.signal_title = table.signals[table.thresholds[decision.lead].signal].title;
      break;
  }
  return verdict;
}

std::size_t FormatVerdict(const Verdict& verdict, char* buffer, std::size_t size_bytes) noexcept {
  LineBuffer line(buffer, size_bytes);
  line << verdict.text;
  if (!verdict.justification.empty()) line << " - ";
  if (!verdict.signal_title.empty()) line << verdict.signal_title << ": ";
  line << verdict.justification;
  return line.Finish();
}

std::size_t SignalCount() noexcept { return CompiledTable().signals.size(); }

SignalInfo Signal(std::size_t index) noexcept {
  OUTGROWN_CHECK(index < SignalCount());
  const SignalRow& row = CompiledTable().signals[index];
  return {row.id, row.title, UnitName(row.unit)};
}

std::string_view SpecDigest() noexcept { return CompiledTable().digest; }

}  // namespace outgrown
