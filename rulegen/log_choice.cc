#include "rulegen/log_choice.h"

#include "decision/log/decision_log.h"
#include "decision/log/log_reader.h"

namespace outgrown::commands {

Result<std::vector<std::filesystem::path>> ChooseLog(const Options& options) {
  if (options.logs.size() > 1) return options.logs;
  if (options.logs.size() == 1) return decision_log::LogFiles(options.logs.front());
  const Result<std::filesystem::path> path = decision_log::DefaultLogPath();
  if (!path) return path.error();
  return decision_log::LogFiles(*path);
}

}  // namespace outgrown::commands
