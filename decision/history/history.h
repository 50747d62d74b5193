// The decision log as a history: for each store, when its verdict changed, and why.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "common/result.h"

namespace outgrown::history {

// Reads the files, oldest first. Lines that are no valid record are left out; the text says how many.
Result<std::string> HistoryText(const std::vector<std::filesystem::path>& files);

}  // namespace outgrown::history
