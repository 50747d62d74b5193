// --audit: a decision log read back and re-checked.
#include <filesystem>
#include <vector>

#include "common/exit_status.h"
#include "decision/history/audit.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"

namespace outgrown::rulegen {

int RunAudit(const Options& options) {
  const Result<std::vector<std::filesystem::path>> files = LogFilesOf(options);
  const Result<history::AuditReport> report =
      files.ok() ? history::Audit(*files) : Result<history::AuditReport>(files.error());
  if (!report.ok()) return Fail(report.error());
  return Answer(history::AuditText(*report), report->problems.empty() ? kExitOk : kExitFailure);
}

}  // namespace outgrown::rulegen
