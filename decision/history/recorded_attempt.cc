#include "decision/history/recorded_attempt.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "common/duration.h"
#include "common/text.h"
#include "decision/evaluation.h"
#include "decision/history/record_fields.h"
#include "decision/wording.h"

namespace outgrown::audit {
namespace {

// What stands in `count by (IDENTITY) (last_over_time(SERIES[RANGE]))`, the first query that a run asks.
struct Presence {
  std::vector<std::string_view> identity;
  std::string_view series;
  std::int64_t lookback_ms;
};

// "job, instance" -> {"job", "instance"}
std::vector<std::string_view> Split(std::string_view labels) {
  constexpr std::string_view kSeparator = ", ";
  std::vector<std::string_view> split;
  while (true) {
    const std::size_t end = labels.find(kSeparator);
    split.push_back(labels.substr(0, end));
    if (end == std::string_view::npos) return split;
    labels.remove_prefix(end + kSeparator.size());
  }
}

std::optional<Presence> PresenceOf(std::string_view promql) {
  constexpr std::string_view kBy = "count by (";
  constexpr std::string_view kCall = "last_over_time(";
  const std::size_t by_end = promql.find(')');
  const std::size_t call = promql.find(kCall);
  const std::size_t range_end = promql.rfind(']');
  const std::size_t range = promql.rfind('[');
  if (!promql.starts_with(kBy) || call == std::string_view::npos || by_end > call ||
      range == std::string_view::npos || range_end == std::string_view::npos || range < call + kCall.size() ||
      range_end < range) {
    return std::nullopt;
  }
  const std::optional<Milliseconds> lookback = ParseDuration(promql.substr(range + 1, range_end - range - 1));
  if (!lookback) return std::nullopt;
  return Presence{Split(promql.substr(kBy.size(), by_end - kBy.size())),
                  promql.substr(call + kCall.size(), range - call - kCall.size()), lookback->count()};
}

Result<void> ReadQueries(const Json& record, evaluate::FleetSamples& fleet) {
  const Result<const Json::Array*> queries = ArrayField(record, "queries");
  if (!queries) return queries.error();
  for (const Json& query : **queries) {
    const Result<std::string_view> promql = TextField(query, "query");
    if (!promql) return promql.error();
    evaluate::QueryDone& done = fleet.presence_queries.emplace_back();
    done.promql = *promql;
    if (query.Find("problem") == nullptr) continue;
    const Result<std::string_view> problem = TextField(query, "problem");
    if (!problem) return problem.error();
    done.trust = prometheus_api::Trust::kFailed;
    done.problem = *problem;
  }
  return {};
}

}  // namespace

Result<void> VerifyAttempt(const Json& record) {
  if (const Result<std::int64_t> time_ms = TimeField(record); !time_ms) return time_ms.error();
  const Result<evaluate::Origin> origin = OriginField(record);
  if (!origin) return origin.error();
  const Result<std::string_view> verdict = TextField(record, "verdict");
  if (!verdict) return verdict.error();
  if (*verdict != "undetermined") {
    return Error{fmt::format("it found no store, and its verdict is \"{}\"", PlainText(*verdict, 60)), ""};
  }
  const Result<std::string_view> line = TextField(record, "line");
  if (!line) return line.error();
  evaluate::Evaluation evaluation;
  if (Result<void> read = ReadQueries(record, evaluation.fleet); !read) return read;
  const std::vector<evaluate::QueryDone>& queries = evaluation.fleet.presence_queries;
  const std::optional<Presence> presence =
      queries.empty() ? std::nullopt : PresenceOf(queries.front().promql);
  if (!presence) return Error{"its queries don't ask which stores there are", ""};
  Table table = {};
  table.present = presence->series;
  table.identity = presence->identity;
  evaluation.table = &table;
  evaluation.fleet.lookback_ms = presence->lookback_ms;
  if (record.Find("server") != nullptr) {
    const Result<std::string_view> server = TextField(record, "server");
    if (!server) return server.error();
    evaluation.server = *server;
  }
  evaluation.fleet.nameless = record.Find("nameless") != nullptr;
  evaluation.fleet.answered = true;
  const std::string told = evaluate::NoStoreLine(evaluation);
  // Where none of these was answered, another query of the run may have been.
  const bool none = std::ranges::all_of(queries, [](const evaluate::QueryDone& query) {
    return query.trust != prometheus_api::Trust::kBelieved;
  });
  evaluation.fleet.answered = false;
  if (*line == told || (none && *line == evaluate::NoStoreLine(evaluation))) return {};
  return Error{fmt::format("its line \"{}\" doesn't follow from its queries, which give \"{}\"",
                           PlainText(*line), PlainText(told)),
               ""};
}

}  // namespace outgrown::audit
