#include "rulegen/audit/history.h"

#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "rulegen/commands/commands.h"
#include "rulegen/commands/log_choice.h"

namespace outgrown::commands {

int RunHistory(const Options& options) {
  const Result<std::vector<std::filesystem::path>> files = ChooseLog(options);
  const Result<std::string> text =
      files.ok() ? audit::HistoryText(*files) : Result<std::string>(files.error());
  if (!text.ok()) {
    fmt::print(stderr, "rulegen: {}\n", text.error().Text());
    return kExitFailure;
  }
  fmt::print("{}", *text);
  return kExitOk;
}

}  // namespace outgrown::commands
