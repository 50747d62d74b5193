// Why a store's verdict is another one than before, from what the two records say.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "common/json.h"
#include "common/result.h"
#include "decision/engine/cause.h"
#include "decision/engine/window.h"
#include "thresholds/table.h"

namespace outgrown::history {

// What a record says of the spec that it was decided by.
struct RecordedLimit {
  std::string id;     // the threshold's
  std::string title;  // the signal's
  Unit unit = Unit::kCount;
  Direction direction = Direction::kAbove;
  double limit = 0;
  std::int64_t hold_ms = 0;

  friend bool operator<(const RecordedLimit& a, const RecordedLimit& b) {
    return std::tie(a.id, a.title, a.unit, a.direction, a.limit, a.hold_ms) <
           std::tie(b.id, b.title, b.unit, b.direction, b.limit, b.hold_ms);
  }
};

struct RecordedSpec {
  std::string digest;
  std::vector<RecordedLimit> limits;  // in the spec's order

  friend bool operator<(const RecordedSpec& a, const RecordedSpec& b) {
    return std::tie(a.digest, a.limits) < std::tie(b.digest, b.limits);
  }
};

// Each spec once, however many records were decided by it.
using RecordedSpecs = std::set<RecordedSpec>;

// What one record's verdict rests on.
struct Grounds {
  struct Measured {
    std::optional<double> value;  // the newest; over a period the one that came furthest
    engine::State state = engine::State::kUnknown;
    engine::Cause cause = engine::Cause::kNone;
  };

  const RecordedSpec* spec = nullptr;             // null: of a run that found no store
  std::vector<Measured> limits;                   // by index of RecordedSpec::limits
  std::optional<std::size_t> lead;                // the limit that the record's line is about
  engine::Cause presence = engine::Cause::kNone;  // why the store itself was silent or not known to report
  bool over_period = false;
};

// `record`: of kind "decision". The result points into `specs`. An error says what the record lacks.
Result<Grounds> ReadGrounds(const Json& record, RecordedSpecs& specs);

// "spec changed from 3f9c2a1b to 81c20d4e; Write errors 2 %, limit 5 % (before: 1 %)": what made the verdict
// of `now` another one than that of `before`, or made it at all if there is none before. "" where the
// verdict's line says it all.
std::string Reason(const Grounds* before, const Grounds& now);

}  // namespace outgrown::history
