// Sizes of the database file and of its write-ahead log, by stat alone.
#include "exporter/collectors/collectors.h"
#include "exporter/sqlite/probe_file.h"

namespace outgrown::exporter {
namespace {

constexpr std::string_view kProblemMetric = "checkpoint_file_problem_info";

// The exporter can't do its work, as opposed to: there is nothing to read yet, or a writer is at work.
bool IsFailure(sqlite::Problem problem) {
  switch (problem) {
    case sqlite::Problem::kNoPermission:
    case sqlite::Problem::kNotRegular:
    case sqlite::Problem::kUnreadable:
    case sqlite::Problem::kStuck:
    case sqlite::Problem::kTruncated:
    case sqlite::Problem::kNotSqlite:
    case sqlite::Problem::kUnknownFormat:
    case sqlite::Problem::kWalIndexVersion:
      return true;
    default:
      return false;
  }
}

}  // namespace

Result<void> ReportProblem(const StoreScrape& store, std::string_view metric, sqlite::Problem problem,
                           Samples& samples) {
  samples.Set(metric, {store.target.name, sqlite::ProblemId(problem)}, 1);
  if (!IsFailure(problem)) return {};
  return Error{std::string(sqlite::ProblemText(problem)), store.database};
}

void ShowSqliteFileStuck(const std::string& store, Samples& samples) {
  samples.Set(kProblemMetric, {store, sqlite::ProblemId(sqlite::Problem::kStuck)}, 1);
}

Result<void> CollectSqliteFile(StoreScrape& store, Samples& samples) {
  const auto report = [&](sqlite::Problem problem) {
    return ReportProblem(store, kProblemMetric, problem, samples);
  };
  if (store.database.empty()) return report(sqlite::Problem::kNoPath);
  const sqlite::Measured<std::string> path = sqlite::ResolvePath(store.database);
  if (!path.ok()) return report(path.problem());
  const sqlite::Measured<std::uint64_t> size = sqlite::FileSize(*path);
  if (!size.ok()) return report(size.problem());
  samples.Set("checkpoint_file_size_bytes", {store.target.name}, static_cast<double>(*size));

  const sqlite::Measured<std::uint64_t> wal_size = sqlite::FileSize(*path + "-wal");
  if (!wal_size.ok() && wal_size.problem() != sqlite::Problem::kMissing) return report(wal_size.problem());
  samples.Set("checkpoint_wal_size_bytes", {store.target.name},
              wal_size.ok() ? static_cast<double>(*wal_size) : 0);
  return {};
}

}  // namespace outgrown::exporter
