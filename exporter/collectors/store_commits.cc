// The store's own count of its commits (sqlite/commit_counter.h), beside which the counted writes show their
// coverage.
#include "exporter/collectors/collectors.h"
#include "exporter/sqlite/commit_counter.h"
#include "exporter/sqlite/probe_file.h"

namespace outgrown::exporter {

namespace {

constexpr std::string_view kProblemMetric = "checkpoint_store_commits_problem_info";

}  // namespace

void ShowStoreCommitsStuck(const std::string& store, Samples& samples) {
  samples.Set(kProblemMetric, {store, sqlite::ProblemId(sqlite::Problem::kStuck)}, 1);
}

Result<void> CollectStoreCommits(StoreScrape& store, Samples& samples) {
  const auto report = [&](sqlite::Problem problem) {
    return ReportProblem(store, kProblemMetric, problem, samples);
  };
  if (store.database.empty()) return report(sqlite::Problem::kNoPath);
  const sqlite::Measured<std::string> path = sqlite::ResolvePath(store.database);
  if (!path.ok()) return report(path.problem());
  const sqlite::Measured<sqlite::CommitCounter> counter = sqlite::ReadCommitCounter(*path);
  if (!counter.ok()) return report(counter.problem());
  const bool is_wal = counter->source == sqlite::CommitCounter::Source::kWalIndex;
  samples.Set("checkpoint_store_commits_total", {store.target.name, is_wal ? "wal_index" : "header"},
              counter->commits);
  return {};
}

}  // namespace outgrown::exporter
