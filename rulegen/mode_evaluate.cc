// --evaluate: measure (or take given values), decide, log, and only then print.
#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "common/result.h"
#include "common/time_text.h"
#include "decision/evaluation.h"
#include "decision/exit_status.h"
#include "decision/given.h"
#include "decision/history/last_ends.h"
#include "decision/log/decision_log.h"
#include "decision/record/record.h"
#include "decision/report/report_json.h"
#include "decision/report/report_text.h"
#include "rulegen/connection.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"

namespace outgrown::rulegen {
namespace {

namespace fs = std::filesystem;
using decision::Evaluation;
using decision::Origin;
using decision::StoreDecision;
using history::kPeriodEvaluationsMax;

// All queries of a run together may take this many times --timeout: a handful of queries, or the many of a period.
constexpr int kPatience = 2;
constexpr int kPeriodPatience = 20;
// The most to wait for trends, whatever --timeout allows; the decision is logged by then and must be printed soon.
constexpr std::int64_t kTrendTimeoutMs = 5'000;

// Anything that can be read, so that a shell's <(...) works too.
// stdio and not ReadFile, which takes regular files only.
Result<std::string> ReadMeasurements(const std::filesystem::path& path) {
  const bool standard_input = path == "-";
  const std::string name = standard_input ? "standard input" : path.string();
  const auto close = [&](std::FILE* file) { return standard_input ? 0 : std::fclose(file); };
  const std::unique_ptr<std::FILE, decltype(close)> file(
      standard_input ? stdin : std::fopen(path.c_str(), "re"), close);
  if (file == nullptr) return Error{"cannot open: " + std::generic_category().message(errno), name};
  std::string text;
  std::array<char, 65536> buffer;
  while (const std::size_t count = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    text.append(buffer.data(), count);
  }
  if (std::ferror(file.get()) != 0) {
    return Error{"cannot read: " + std::generic_category().message(errno), name};
  }
  return text;
}

// An error for a period with too many evaluations.
Result<void> CheckPeriod(const EvaluateOptions& options, const std::vector<const Table*>& tables) {
  for (const Table* table : tables) {
    if (options.since_ms.value_or(0) / table->interval_ms <= kPeriodEvaluationsMax) continue;
    return Error{fmt::format("is longer than {} evaluations of {}; --backtest takes a --step",
                             kPeriodEvaluationsMax, table->store),
                 "--since"};
  }
  return {};
}

decision_log::NewestDecisions ReadNewest(const EvaluateOptions& options) {
  const Result<fs::path> path = LogPathOf(options);
  return path.ok() ? decision_log::LoadNewest(*path) : decision_log::NewestDecisions();
}

// The stores at T and, where it was asked for, over their periods.
Evaluation EvaluateTable(const EvaluateOptions& options, const Table& table, std::int64_t time_ms,
                         const prometheus_api::RuleFindings& rules,
                         prometheus_api::PrometheusClient& client) {
  if (options.since_last) {
    const decision_log::NewestDecisions newest = ReadNewest(options);
    Evaluation evaluation = decision::EvaluateMeasured(table, client, time_ms,
                                                       history::LookbackMs(newest, table, time_ms), rules);
    decision::LookBack(evaluation, client, history::PeriodBegins(newest, evaluation));
    return evaluation;
  }
  Evaluation evaluation =
      decision::EvaluateMeasured(table, client, time_ms, options.since_ms.value_or(0), rules);
  if (options.since_ms) decision::LookBack(evaluation, client, time_ms - *options.since_ms);
  return evaluation;
}

Result<std::vector<Evaluation>> Evaluate(const Options& all, const std::vector<const Table*>& tables) {
  const EvaluateOptions& options = all.evaluate;
  std::vector<Evaluation> evaluations;
  if (options.wait_ms) {
    if (const Result<void> waited = WaitForServer(options.connection, *options.wait_ms); !waited)
      return waited.error();
  }
  if (options.measurements) {
    const std::int64_t time_ms = EndMs(options);
    const std::filesystem::path& path = *options.measurements;
    const Result<std::string> text = ReadMeasurements(path);
    if (!text) return text.error();
    const auto given = decision::ReadGiven(tables, *text, path == "-" ? "standard input" : path.string());
    if (!given) return given.error();
    for (std::size_t index = 0; index < tables.size(); ++index) {
      if ((*given)[index].empty()) continue;  // given for another spec
      evaluations.push_back(decision::EvaluateGiven(*tables[index], (*given)[index], time_ms));
    }
    return evaluations;
  }
  const Result<std::vector<prometheus_api::RuleFindings>> rules = FindRules(all, tables);
  if (!rules) return rules.error();
  Result<prometheus_api::PrometheusClient> client =
      Connect(options.connection, options.since_ms || options.since_last ? kPeriodPatience : kPatience);
  if (!client) return client.error();
  // One instant for all specs of the run, taken after the wait, so that their verdicts belong together.
  const std::int64_t time_ms = EndMs(options) - BehindMs(*rules);
  for (std::size_t index = 0; index < tables.size(); ++index) {
    evaluations.push_back(EvaluateTable(options, *tables[index], time_ms, (*rules)[index], *client));
    // The log says so: a decision about a chosen instant does not move the end that --since last begins at.
    evaluations.back().at = options.at_ms.has_value();
  }
  return evaluations;
}

// What the record of the store says (decision/record/record.cc), for the newest-decision file.
std::optional<decision_log::Decided> DecidedOf(const Evaluation& evaluation, const StoreDecision& store) {
  if (evaluation.origin != Origin::kPrometheus) return std::nullopt;
  decision_log::Labels labels = store.labels;
  std::ranges::sort(labels);
  return decision_log::Decided{
      .decision = {.spec = std::string(evaluation.table->store),
                   .labels = std::move(labels),
                   .digest = std::string(evaluation.table->digest),
                   .verdict = std::string(engine::VerdictId(*evaluation.table, store.decision)),
                   .time_ms = evaluation.time_ms},
      .looked_back = evaluation.at,
      .period = store.period.has_value()};
}

// Logs every decision and every attempt that found no store, and notes each record's number. Returns the
// log's warnings.
Result<std::vector<std::string>> Log(const EvaluateOptions& options, std::vector<Evaluation>& evaluations) {
  // Given values are logged only with --log, with the origin "given": they are no evidence of what the store did.
  if (options.measurements && !options.log) return std::vector<std::string>();
  const Result<fs::path> path = LogPathOf(options);
  if (!path) return path.error();
  struct Place {
    const decision::Recorder* recorder;
    const Evaluation* evaluation;
    StoreDecision* store;  // null: the attempt to find one
  };
  std::deque<decision::Recorder> recorders;  // whose elements stay where they are
  std::vector<Place> places;
  for (Evaluation& evaluation : evaluations) {
    const decision::Recorder& recorder = recorders.emplace_back(evaluation, OUTGROWN_VERSION);
    for (StoreDecision& store : evaluation.stores) places.push_back({&recorder, &evaluation, &store});
    if (evaluation.stores.empty() && evaluation.origin == Origin::kPrometheus)
      places.push_back({&recorder, &evaluation, nullptr});
  }
  const auto record_of = [&places](std::size_t index) {
    const Place& one = places[index];
    if (one.store == nullptr) return decision_log::Record{one.recorder->Attempt(), {}};
    return decision_log::Record{one.recorder->Decision(*one.store), DecidedOf(*one.evaluation, *one.store)};
  };
  // All in one call: on an error none of the run's decisions counts as logged.
  Result<decision_log::Appended> appended =
      decision_log::AppendRecords(*path, places.size(), record_of, NowMs());
  if (!appended) {
    Error error = appended.error();
    // A system user may have no home folder.
    if (!options.log) error.what += "; --log, $STATE_DIRECTORY or $XDG_STATE_HOME names another place";
    return error;
  }
  for (std::size_t index = 0; index < places.size(); ++index) {
    if (places[index].store != nullptr) places[index].store->logged_as = appended->links[index].sequence;
  }
  return std::move(appended->warnings);
}

void PrintWarnings(const std::vector<std::string>& of_log, const std::vector<Evaluation>& evaluations) {
  Warnings warnings;
  warnings.Add(of_log, true);
  for (const Evaluation& evaluation : evaluations)
    warnings.Add(evaluation.fleet.warnings, evaluation.fleet.answered);
  warnings.Print();
}

// Beside the decisions that have been made: nothing here changes them.
void AddTrends(const EvaluateOptions& options, std::vector<Evaluation>& evaluations) {
  if (options.measurements) return;
  ConnectionOptions connection = options.connection;
  connection.timeout_ms = std::min(connection.timeout_ms, kTrendTimeoutMs);
  Result<prometheus_api::PrometheusClient> client = Connect(connection, 1);
  if (!client) return;  // the same options worked for the decision; a trend is not worth an error
  for (Evaluation& evaluation : evaluations) decision::AddTrends(evaluation, *client);
}

}  // namespace

int RunEvaluate(const Options& options) {
  const Subjects loaded = LoadSubjects(options, Purpose::kTables);
  if (loaded.status != kExitOk) return loaded.status;
  std::vector<const Table*> tables;
  for (const Subject& subject : loaded.subjects) tables.push_back(&subject.table());
  if (const Result<void> period = CheckPeriod(options.evaluate, tables); !period)
    return Fail(period.error(), kExitUsage);
  // Never destroyed: the process ends behind this, and a fleet has a million pieces of memory to give back.
  auto& evaluations = *new Result<std::vector<Evaluation>>(Evaluate(options, tables));
  if (!evaluations) return Fail(evaluations.error());
  const Result<std::vector<std::string>> logged = Log(options.evaluate, *evaluations);
  if (!logged) {
    return Fail({"the decision could not be logged, so it is not printed: " + logged.error().Text(), ""},
                kExitNotLogged);
  }
  // Only after logging, so that a slow server can't delay the record.
  AddTrends(options.evaluate, *evaluations);
  PrintWarnings(*logged, *evaluations);
  const int status = decision::EvaluateExitStatus(*evaluations, options.evaluate.exit_code);
  const std::string report = options.evaluate.format == Format::kJson
                                 ? decision::JsonReport(*evaluations, status, OUTGROWN_VERSION)
                                 : decision::TextReport(*evaluations, StyleOfOutput());
  return Answer(report, status);
}

}  // namespace outgrown::rulegen
