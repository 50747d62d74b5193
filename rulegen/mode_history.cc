// --history: when each store's verdict changed, read back from a decision log.
#include <filesystem>
#include <string>
#include <vector>

#include "common/exit_status.h"
#include "decision/history/history.h"
#include "rulegen/modes.h"
#include "rulegen/output.h"

namespace outgrown::rulegen {

int RunHistory(const Options& options) {
  const Result<std::vector<std::filesystem::path>> files = LogFilesOf(options);
  const Result<std::string> text =
      files.ok() ? history::HistoryText(*files) : Result<std::string>(files.error());
  return text.ok() ? Answer(*text, kExitOk) : Fail(text.error());
}

}  // namespace outgrown::rulegen
