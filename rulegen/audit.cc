// --audit and --history: a decision log read back, re-checked, or shown as a history.
#include "decision/history/audit.h"

#include <filesystem>
#include <string>
#include <vector>

#include "common/exit_status.h"
#include "decision/history/history.h"
#include "decision/log/decision_log.h"
#include "rulegen/commands.h"
#include "rulegen/output.h"

namespace outgrown::commands {
namespace {

// The files in the order of their records: several as they were named; one, or the default log, with its rotated
// segments before it.
Result<std::vector<std::filesystem::path>> ChooseLog(const Options& options) {
  if (options.logs.size() > 1) return options.logs;
  if (options.logs.size() == 1) return decision_log::LogFiles(options.logs.front());
  const Result<std::filesystem::path> path = LogPathOf(options.evaluate);
  if (!path) return path.error();
  return decision_log::LogFiles(*path);
}

}  // namespace

int RunAudit(const Options& options) {
  const Result<std::vector<std::filesystem::path>> files = ChooseLog(options);
  const Result<audit::AuditReport> report =
      files.ok() ? audit::Audit(*files) : Result<audit::AuditReport>(files.error());
  if (!report.ok()) return Fail(report.error());
  return Answer(audit::AuditText(*report), report->problems.empty() ? kExitOk : kExitFailure);
}

int RunHistory(const Options& options) {
  const Result<std::vector<std::filesystem::path>> files = ChooseLog(options);
  const Result<std::string> text =
      files.ok() ? audit::HistoryText(*files) : Result<std::string>(files.error());
  return text.ok() ? Answer(*text, kExitOk) : Fail(text.error());
}

}  // namespace outgrown::commands
