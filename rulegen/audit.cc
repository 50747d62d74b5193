// --audit: a decision log re-checked, its chain and every verdict.
#include "decision/history/audit.h"

#include <cstdio>
#include <filesystem>
#include <vector>

#include "common/exit_status.h"
#include "rulegen/commands.h"
#include "rulegen/log_choice.h"
#include "rulegen/output.h"

namespace outgrown::commands {

int RunAudit(const Options& options) {
  const Result<std::vector<std::filesystem::path>> files = ChooseLog(options);
  const Result<audit::AuditReport> report =
      files.ok() ? audit::Audit(*files) : Result<audit::AuditReport>(files.error());
  if (!report.ok()) return Fail(report.error());
  return Answer(audit::AuditText(*report), report->problems.empty() ? kExitOk : kExitFailure);
}

}  // namespace outgrown::commands
