#include "rulegen/audit/audit.h"

#include <cstdio>
#include <filesystem>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "rulegen/commands/commands.h"
#include "rulegen/commands/log_choice.h"

namespace outgrown::commands {

int RunAudit(const Options& options) {
  const Result<std::vector<std::filesystem::path>> files = ChooseLog(options);
  const Result<audit::AuditReport> report =
      files.ok() ? audit::Audit(*files) : Result<audit::AuditReport>(files.error());
  if (!report.ok()) {
    fmt::print(stderr, "rulegen: {}\n", report.error().Text());
    return kExitFailure;
  }
  fmt::print("{}", audit::AuditText(*report));
  return report->problems.empty() ? kExitOk : kExitFailure;
}

}  // namespace outgrown::commands
