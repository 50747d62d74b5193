// --backtest: which series to read, the walk through the period, the answer. Nothing is logged.
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "decision/history/answer_json.h"
#include "decision/history/answer_text.h"
#include "decision/history/backtest.h"
#include "rulegen/connection.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"
#include "rulegen/spec_files.h"
#include "rulegen/verify/loaded_rules.h"

namespace outgrown::rulegen {
namespace {

using history::Backtest;
using prometheus_api::PrometheusClient;

// A bound against a mistyped --since or --step, with which the run would not end.
constexpr std::int64_t kInstantsMax = 10'000'000;
// All queries together may take this many times --timeout, which a long period needs; the progress is shown meanwhile.
constexpr int kBacktestPatience = 10'000;
// After this many times --timeout without a single answer the server is given up.
constexpr int kSilence = 3;

// The specs to test, and the other one to compare with.
struct Compared : Subjects {
  std::optional<Subject> against;
};

Compared Load(const Options& options) {
  Compared loaded{LoadSubjects(options, Purpose::kTables), {}};
  if (loaded.status != kExitOk || !options.backtest.against) return loaded;
  Options other;
  other.specs = {*options.backtest.against};
  Subjects others = LoadSubjects(other, Purpose::kTables);
  loaded.status = others.status;
  if (loaded.status != kExitOk) return loaded;
  loaded.against = std::move(others.subjects.front());
  const spec::Spec& spec = *loaded.against->spec;
  // A spec of another store has nothing to compare with, and neither has the compiled table, which has no expressions.
  std::erase_if(loaded.subjects, [&](const Subject& subject) {
    return !subject.spec || subject.spec->store.name != spec.store.name;
  });
  if (loaded.subjects.empty()) {
    Say("rulegen: {} describes the store {}; name a spec of it with --spec to compare with\n",
        spec.file.string(), spec.store.name);
    loaded.status = kExitUsage;
    return loaded;
  }
  if (loaded.subjects.front().spec->store.identity != spec.store.identity) {
    Say("rulegen: {} names its stores by other labels, so none of them can be compared\n",
        spec.file.string());
    loaded.status = kExitUsage;
  }
  return loaded;
}

// What the server says it records; empty if it has no rules (they may run elsewhere, as in vmalert).
// Not an error if the server cannot say; decision/history/backtest.h says what is read then.
std::map<std::string, std::set<std::string>> LoadedRecordings(prometheus_api::RuleServer& server) {
  std::map<std::string, std::set<std::string>> recordings;
  const Result<verify::LoadedRules> rules = verify::LoadRules(server);
  if (!rules) return recordings;
  for (const verify::LoadedGroup& group : rules->groups) {
    for (const verify::LoadedRule& loaded : group.rules) {
      if (loaded.rule.kind == verify::RuleKind::kRecording)
        recordings[loaded.rule.name].insert(loaded.rule.expr);
    }
  }
  return recordings;
}

// On the heap (Open), since `source_` and `expressions_` refer to other members and must not move.
class Tester {
 public:
  Tester(PrometheusClient client, prometheus_api::RuleServer rules, std::int64_t patience_ms)
      : client_(std::move(client)),
        source_(client_, patience_ms),
        rules_(std::move(rules)),
        loaded_(LoadedRecordings(rules_)),
        expressions_([this](const std::string& expr) { return rules_.Format(expr); }) {}

  Result<Backtest> Run(const Subject& subject, const Subject* reference, const history::Grid& grid) {
    Backtest one;
    one.table = &subject.table();
    one.grid = grid;
    if (subject.spec) {
      one.spec = subject.spec->file.string();
      const history::Recordings recordings = {
          .loaded = loaded_,
          .has_samples =
              [&](const std::string& series) { return history::HasSamples(source_, grid, series); },
          .same = [this](const std::string& left,
                         const std::string& right) { return expressions_.Same(left, right); }};
      one.choices = history::ChooseSeries(*subject.spec, reference ? &*reference->spec : nullptr, recordings);
    } else {
      one.choices = decision::AllRecorded(*one.table);
    }
    const Result<void> done =
        history::Run(one, source_, ProgressOnTerminal("backtest of " + std::string(one.table->store)));
    if (!done) return done.error();
    return one;
  }

 private:
  PrometheusClient client_;
  prometheus_api::PatientSource source_;
  prometheus_api::RuleServer rules_;
  std::map<std::string, std::set<std::string>> loaded_;
  verify::Expressions expressions_;
};

Result<std::unique_ptr<Tester>> Open(const Options& options) {
  Result<PrometheusClient> client = Connect(options.evaluate.connection, kBacktestPatience);
  if (!client) return client.error();
  Result<prometheus_api::HttpClient> http = OpenHttp(RuleConnection(options));
  if (!http) return http.error();
  const std::int64_t timeout_ms = options.evaluate.connection.timeout_ms;
  return std::make_unique<Tester>(
      std::move(*client), prometheus_api::RuleServer(std::move(*http), timeout_ms), kSilence * timeout_ms);
}

std::int64_t StepMs(const Options& options, const Subject& subject) {
  return options.backtest.step_ms.value_or(subject.table().interval_ms);
}

// An error for a period with too many instants.
Result<void> CheckPeriod(const Options& options, const Compared& loaded) {
  for (const Subject& subject : loaded.subjects) {
    if (LengthMs(options.evaluate) / StepMs(options, subject) < kInstantsMax) continue;
    return Error{fmt::format("is more than {} instants of {}; name a larger --step", kInstantsMax,
                             subject.table().store),
                 "--since"};
  }
  return {};
}

Result<std::vector<history::Answer>> RunAll(const Options& options, const Compared& loaded) {
  Result<std::unique_ptr<Tester>> tester = Open(options);
  if (!tester) return tester.error();
  std::vector<const Table*> tables;
  for (const Subject& subject : loaded.subjects) tables.push_back(&subject.table());
  const Result<std::vector<prometheus_api::RuleFindings>> rules = FindRules(options, tables);
  if (!rules) return rules.error();
  const std::int64_t to_ms = EndMs(options.evaluate) - BehindMs(*rules);
  const std::int64_t since_ms = LengthMs(options.evaluate);
  std::vector<history::Answer> answers;
  for (const Subject& subject : loaded.subjects) {
    const history::Grid grid = history::MakeGrid(to_ms, since_ms, StepMs(options, subject));
    history::Answer& answer = answers.emplace_back();
    Result<Backtest> one = (*tester)->Run(subject, nullptr, grid);
    if (!one) return one.error();
    answer.backtest = std::move(*one);
    if (!loaded.against) continue;
    // On the same grid, so that the two can be compared instant by instant.
    Result<Backtest> other = (*tester)->Run(*loaded.against, &subject, grid);
    if (!other) return other.error();
    answer.against = std::move(*other);
    answer.changes = history::Compare(answer.backtest, *answer.against);
  }
  return answers;
}

void PrintWarnings(const std::vector<history::Answer>& answers) {
  Warnings warnings;
  for (const history::Answer& answer : answers) {
    warnings.Add(answer.backtest.warnings, answer.backtest.answered);
    if (answer.against) warnings.Add(answer.against->warnings, answer.against->answered);
  }
  warnings.Print();
}

}  // namespace

int RunBacktest(const Options& options) {
  const Compared loaded = Load(options);
  if (loaded.status != kExitOk) return loaded.status;
  if (const Result<void> period = CheckPeriod(options, loaded); !period)
    return Fail(period.error(), kExitUsage);
  const Result<std::vector<history::Answer>> answers = RunAll(options, loaded);
  if (!answers) return Fail(answers.error());
  PrintWarnings(*answers);
  const bool answered =
      std::ranges::any_of(*answers, [](const history::Answer& answer) { return answer.backtest.answered; });
  const int status = answered ? kExitOk : kExitNoAnswer;
  const std::string text = options.evaluate.format == Format::kJson
                               ? history::JsonAnswer(*answers, status, OUTGROWN_VERSION)
                               : history::TextAnswer(*answers, StyleOfOutput());
  return Answer(text, status);
}

}  // namespace outgrown::rulegen
