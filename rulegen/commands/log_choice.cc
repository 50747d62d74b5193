#include "rulegen/commands/log_choice.h"

#include "rulegen/evaluate/decision_log.h"
#include "rulegen/evaluate/log_reader.h"

namespace outgrown::commands {

Result<std::vector<std::filesystem::path>> ChooseLog(const Options& options) {
  if (options.logs.size() > 1) return options.logs;
  if (options.logs.size() == 1) return evaluate::LogFiles(options.logs.front());
  const Result<std::filesystem::path> path = evaluate::DefaultLogPath();
  if (!path) return path.error();
  return evaluate::LogFiles(*path);
}

}  // namespace outgrown::commands
