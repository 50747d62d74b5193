#include "decision/history/reason.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "common/digest.h"
#include "common/text.h"
#include "common/time_text.h"
#include "decision/record/recorded.h"
#include "decision/report/quantity.h"

namespace outgrown::history {
namespace {

using engine::Cause;
using engine::State;

RecordedSpec SpecOf(std::string_view digest, const Table& table) {
  RecordedSpec spec;
  spec.digest = digest;
  for (const ThresholdRow& threshold : table.thresholds) {
    const SignalRow& signal = table.signals[threshold.signal];
    // Copies: the record, into which the table's texts point, goes with its line.
    spec.limits.push_back({.id = std::string(threshold.id),
                           .title = std::string(signal.title),
                           .unit = signal.unit,
                           .direction = threshold.direction,
                           .limit = threshold.limit,
                           .hold_ms = threshold.hold_ms});
  }
  return spec;
}

// The first threshold that a verdict's line is about.
std::optional<std::size_t> LeadOf(std::string_view line, const Table& table) {
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const ThresholdRow& threshold = table.thresholds[index];
    const bool breached =
        line == fmt::format("{} - {}", table.verdicts[threshold.verdict].text, threshold.because);
    const bool unknown = line.starts_with(
        fmt::format("{} - {}: ", engine::VerdictText(table, {}), table.signals[threshold.signal].title));
    // By the printed line, since records of schema 1 name no threshold. Only the history's explanation
    // depends on it.
    if (breached || unknown) return index;
  }
  return std::nullopt;
}

// An unknown state is an error: a later release may have more of them, and none may be taken for another one.
Result<State> StateField(const Json& finding) {
  const Result<std::string_view> id = decision::TextField(finding, "state");
  if (!id) return id.error();
  for (const State state : {State::kNotBreached, State::kPending, State::kBreached, State::kUnknown}) {
    if (*id == engine::StateId(state)) return state;
  }
  return Error{"its findings have an unknown state", ""};
}

// The states and the newest values.
Result<void> ReadFindings(const Json& record, const Table& table, Grounds& grounds) {
  const Result<const Json::Array*> findings = decision::ArrayField(record, "findings");
  const Result<const Json::Array*> signals = decision::ArrayField(record, "signals");
  if (!findings) return findings.error();
  if (!signals) return signals.error();
  if ((*findings)->size() != table.thresholds.size() || (*signals)->size() != table.signals.size()) {
    return Error{"its findings and signals are not those of its table", ""};
  }
  for (std::size_t index = 0; index < table.thresholds.size(); ++index) {
    const Json& finding = (**findings)[index];
    Grounds::Measured& measured = grounds.limits.emplace_back();
    const Result<State> state = StateField(finding);
    if (!state) return state.error();
    measured.state = *state;
    if (const Json* cause = finding.Find("cause"); cause != nullptr && cause->string() != nullptr) {
      measured.cause = engine::CauseFromId(*cause->string());
    }
    const Result<decision::SignalSamples> samples =
        decision::SamplesField((**signals)[table.thresholds[index].signal]);
    if (!samples) return samples.error();
    if (samples->cause == Cause::kNone && !samples->samples.empty())
      measured.value = samples->samples.back().value;
  }
  return {};
}

// The period's own summary replaces the values of its end or of the breach's beginning, which is what the
// record's inputs are.
Result<void> ReadPeriodFindings(const Json& record, Grounds& grounds) {
  const Result<const Json*> period = decision::ObjectField(record, "period");
  if (!period) return period.error();
  const Result<const Json::Array*> thresholds = decision::ArrayField(**period, "thresholds");
  if (!thresholds) return thresholds.error();
  if ((*thresholds)->size() != grounds.limits.size())
    return Error{"its period is not about the thresholds of its table", ""};
  grounds.over_period = true;
  for (std::size_t index = 0; index < grounds.limits.size(); ++index) {
    const Json& threshold = (**thresholds)[index];
    Grounds::Measured& measured = grounds.limits[index];
    const Result<std::int64_t> breached = decision::IntegerField(threshold, "breached_evaluations");
    if (!breached) return breached.error();
    if (*breached > 0) measured.state = State::kBreached;
    // The values at the end say nothing about the period; without an extreme there is none.
    measured.value.reset();
    if (const Json* extreme = threshold.Find("extreme"); extreme != nullptr) {
      const Result<Sample> sample = decision::ReadSample(*extreme);
      if (!sample) return sample.error();
      measured.value = sample->value;
    }
  }
  return {};
}

const RecordedLimit* FindLimit(const RecordedSpec& spec, std::string_view id) {
  const auto found = std::ranges::find(spec.limits, id, &RecordedLimit::id);
  return found == spec.limits.end() ? nullptr : &*found;
}

// "Write errors 2 %, limit 5 % (before: 1 %), for less than 5 min"; "" where there is no value. `before`:
// null or the same threshold in the spec before.
std::string LimitText(const Grounds& grounds, std::size_t index, const RecordedLimit* before) {
  const RecordedLimit& limit = grounds.spec->limits[index];
  const Grounds::Measured& measured = grounds.limits[index];
  const std::string title = PlainText(limit.title);
  if (!grounds.over_period && measured.state == State::kUnknown) {
    return measured.cause == Cause::kNone
               ? ""
               : fmt::format("{} unknown: {}", title, engine::CauseText(measured.cause));
  }
  if (!measured.value) return "";
  const std::string_view reach = !grounds.over_period                   ? ""
                                 : limit.direction == Direction::kAbove ? "up to "
                                                                        : "down to ";
  const decision::ValueAndLimit texts = decision::ValueAndLimitText(*measured.value, limit.limit, limit.unit);
  std::string text = fmt::format("{} {}{}, limit {}", title, reach, texts.value, texts.limit);
  if (before != nullptr && before->limit != limit.limit) {
    text += fmt::format(" (before: {})",
                        decision::ValueAndLimitText(before->limit, limit.limit, before->unit).value);
  }
  const bool beyond =
      limit.direction == Direction::kAbove ? *measured.value > limit.limit : *measured.value < limit.limit;
  if (beyond && measured.state != State::kBreached && measured.state != State::kUnknown)
    text += ", for less than " + LengthText(std::max<std::int64_t>(0, limit.hold_ms));
  return text;
}

void Append(std::string& text, std::string_view part) {
  if (part.empty()) return;
  if (!text.empty()) text += "; ";
  text += part;
}

}  // namespace

Result<Grounds> ReadGrounds(const Json& record, RecordedSpecs& specs) {
  decision::RecordedTable recorded;
  if (Result<void> read = recorded.Read(record); !read) return read.error();
  const Table& table = recorded.table();
  const Result<std::string_view> digest = decision::TextField(record, "digest");
  const Result<std::string_view> line = decision::TextField(record, "line");
  if (!digest) return digest.error();
  if (!line) return line.error();
  Grounds grounds;
  // A set's elements stay where they are, and a log of years has few different specs.
  grounds.spec = &*specs.insert(SpecOf(*digest, table)).first;
  grounds.lead = LeadOf(*line, table);
  if (const Json* presence = record.Find("presence"); presence != nullptr && presence->string() != nullptr) {
    grounds.presence = engine::CauseFromId(*presence->string());
  }
  if (Result<void> read = ReadFindings(record, table, grounds); !read) return read.error();
  if (record.Find("period") != nullptr) {
    if (Result<void> read = ReadPeriodFindings(record, grounds); !read) return read.error();
  }
  return grounds;
}

std::string Reason(const Grounds* before, const Grounds& now) {
  if (now.spec == nullptr) return "";
  const bool from_decision = before != nullptr && before->spec != nullptr;
  // What the verdict before rested on: whether that went away is the reason why it is another one now.
  const RecordedLimit* const led =
      from_decision && before->lead ? &before->spec->limits[*before->lead] : nullptr;
  // By id: the two specs may list their limits in other orders.
  const RecordedLimit* const led_now = led == nullptr ? nullptr : FindLimit(*now.spec, led->id);
  std::string text;
  if (from_decision && before->spec->digest != now.spec->digest) {
    text = fmt::format("spec changed from {} to {}", PlainText(ShortDigest(before->spec->digest)),
                       PlainText(ShortDigest(now.spec->digest)));
    if (led != nullptr && led_now == nullptr) text += fmt::format(", without {}", PlainText(led->id));
  }
  const auto before_limit = [&](std::size_t index) {
    return from_decision ? FindLimit(*before->spec, now.spec->limits[index].id) : nullptr;
  };
  // The cause of an unknown limit is in the verdict line already.
  if (now.lead && now.limits[*now.lead].state == State::kBreached)
    Append(text, LimitText(now, *now.lead, before_limit(*now.lead)));
  if (led_now != nullptr) {
    const auto index = static_cast<std::size_t>(led_now - now.spec->limits.data());
    if (now.lead != index) Append(text, LimitText(now, index, before_limit(index)));
  }
  if (from_decision && now.presence == Cause::kNone) {
    if (before->presence == Cause::kSilent) Append(text, "the store reports again");
    if (before->presence == Cause::kPresenceUnknown) Append(text, "the store is known to report again");
  }
  return text;
}

}  // namespace outgrown::history
