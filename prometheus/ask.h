// Asking a server, and judging whether its answer can be used: the one place for the decision, a period and
// the archive.
//
// An answer can be used if it came, can be read, is whole, and holds what was asked for: the named series,
// within the time that was asked about. A problem is noted with the query's text, so that an operator can
// repeat the query.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "prometheus/prometheus_client.h"

namespace outgrown::prometheus_api {

// What the server or its answers said beside the values, over all the questions of a run.
struct Notes {
  std::vector<std::string> warnings;  // for standard error, each once
  bool answered = false;              // at least one question was

  void Warn(std::string warning);
};

enum class Trust {
  kUsable,
  kPartial,  // the server said that its answer may lack data
  kFailed,   // no answer, or one that can't be read or doesn't fit the question
};

// A question of the run, as the decision log records it.
struct Asked {
  std::string promql;
  Trust trust = Trust::kUsable;
  std::string problem;  // in the server's words or ours; "" if the answer can be used
};

struct Reply {
  Asked asked;
  std::vector<Series> series;  // what there is of a partial answer too; empty if it failed

  bool usable() const { return asked.trust == Trust::kUsable; }
};

// The value of an expression at `time_ms`.
Reply AskVector(QuerySource& source, const std::string& promql, std::int64_t time_ms, Notes& notes);

// The question that AskSamples asks.
Question SamplesQuestion(std::string_view selector, std::int64_t time_ms, std::int64_t range_ms);

// The raw samples of a series ("up", `up{job="app"}`) over the `range_ms` before `time_ms`.
Reply AskSamples(QuerySource& source, std::string_view selector, std::int64_t time_ms, std::int64_t range_ms,
                 Notes& notes);

// The value of an expression at `from_ms` and every `step_ms` after it, up to `to_ms`; in as many questions
// as the server's limit of points needs. A series that several of these answers hold is there several times, in
// the order of time.
Reply AskRange(QuerySource& source, const std::string& promql, std::int64_t from_ms, std::int64_t to_ms,
               std::int64_t step_ms, Notes& notes);

}  // namespace outgrown::prometheus_api
