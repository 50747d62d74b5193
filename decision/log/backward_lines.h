// The lines of a decision log from its end backwards, in little memory however long the log or a line of it is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>

#include "common/result.h"

namespace outgrown::decision_log {

// How much of a line is given: what names a record's store and verdict stands in its first hundreds of bytes.
inline constexpr std::size_t kLineHeadBytes = std::size_t{16} << 10U;

// Calls `take` with the beginning of each whole line of the file's bytes [from_bytes, end_bytes), the last one first;
// `end_bytes` is just after a newline. A line that begins at or before `from_bytes` is not whole, unless that is 0.
// Stops where `take` gives false. The view lives as long as the call.
Result<void> ReadLinesBackwards(int fd, std::int64_t from_bytes, std::int64_t end_bytes,
                                const std::filesystem::path& path,
                                const std::function<bool(std::string_view line_head)>& take);

}  // namespace outgrown::decision_log
