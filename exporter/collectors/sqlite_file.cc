// Sizes and times of the database file and of its write-ahead log, by stat alone.
#include <algorithm>

#include "exporter/collectors/collectors.h"
#include "exporter/sqlite/probe_file.h"

namespace outgrown::exporter {
namespace {

constexpr std::string_view kFileProblemMetric = "checkpoint_file_problem_info";

// The exporter can't read the file, as opposed to: there is nothing to read yet, or a writer is active.
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

const sqlite::StoreFiles& FilesOf(StoreScrape& store) {
  sqlite::DatabaseFolder none;
  if (!store.files)
    store.files = sqlite::LookAt(store.database, store.folder != nullptr ? *store.folder : none);
  return *store.files;
}

void ShowSqliteFileStuck(const std::string& store, Samples& samples) {
  samples.Set(kFileProblemMetric, {store, sqlite::ProblemId(sqlite::Problem::kStuck)}, 1);
}

Result<void> CollectSqliteFile(StoreScrape& store, Samples& samples) {
  const auto report = [&](sqlite::Problem problem) {
    return ReportProblem(store, kFileProblemMetric, problem, samples);
  };
  const sqlite::StoreFiles& files = FilesOf(store);
  if (!files.path.ok()) return report(files.path.problem());
  const sqlite::Measured<sqlite::FileStatus>& file = files.database;
  if (!file.ok()) return report(file.problem());
  samples.Set("checkpoint_file_size_bytes", {store.target.name}, static_cast<double>(file->size_bytes));

  const sqlite::Measured<sqlite::FileStatus>& wal = files.wal;
  // No log is what a store in a rollback mode, or without connections, has: size 0.
  if (!wal.ok() && wal.problem() != sqlite::Problem::kMissing) return report(wal.problem());
  samples.Set("checkpoint_wal_size_bytes", {store.target.name},
              wal.ok() ? static_cast<double>(wal->size_bytes) : 0);
  // Each commit writes one of the two. An empty log is one that somebody has opened and written nothing to. A write
  // that failed leaves both as they were: only the application's own count shows it.
  const double in_files_s = std::max(file->modified_s, wal.ok() && wal->size_bytes > 0 ? wal->modified_s : 0);
  samples.Set("checkpoint_file_modified_timestamp_seconds", {store.target.name},
              std::max(in_files_s, static_cast<double>(store.blocks.last_write_unix_ns) / 1e9));
  return {};
}

}  // namespace outgrown::exporter
