// --audit: a decision log read back and re-checked.
#include <filesystem>
#include <vector>

#include "common/exit_status.h"
#include "decision/history/audit.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"

namespace outgrown::commands {

int RunAudit(const Options& options) {
  const Result<std::vector<std::filesystem::path>> files = LogFilesOf(options);
  const Result<audit::AuditReport> report =
      files.ok() ? audit::Audit(*files) : Result<audit::AuditReport>(files.error());
  if (!report.ok()) return Fail(report.error());
  return Answer(audit::AuditText(*report), report->problems.empty() ? kExitOk : kExitFailure);
}

}  // namespace outgrown::commands
