#include "exporter/collectors/store_problem.h"

namespace outgrown::exporter {
namespace {

// The exporter can't do its work, as opposed to: there is nothing to read yet, or a writer is at work.
bool IsFailure(sqlite::Problem problem) {
  switch (problem) {
    case sqlite::Problem::kNoPermission:
    case sqlite::Problem::kNotRegular:
    case sqlite::Problem::kUnreadable:
    case sqlite::Problem::kStuck:
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

}  // namespace outgrown::exporter
