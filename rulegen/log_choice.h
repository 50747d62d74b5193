// Which decision log a mode reads.
#pragma once

#include <filesystem>
#include <vector>

#include "common/result.h"
#include "rulegen/options.h"

namespace outgrown::commands {

// The files in the order of their records: several as they were named; one, or the default log, with its rotated
// segments before it.
Result<std::vector<std::filesystem::path>> ChooseLog(const Options& options);

}  // namespace outgrown::commands
