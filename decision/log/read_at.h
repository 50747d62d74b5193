// Reading a file's bytes at a place, whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

#include "common/result.h"

namespace outgrown::decision_log {

// Fills `into` with the bytes from `from_bytes` on, by pread(2). An error also where the file ends before. `path` is for
// errors only.
Result<void> ReadAt(int fd, std::int64_t from_bytes, std::span<char> into, const std::filesystem::path& path);

}  // namespace outgrown::decision_log
