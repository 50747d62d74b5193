#include "decision/log/backward_lines.h"

#include <string.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "decision/log/read_at.h"

namespace outgrown::decision_log {
namespace {

// Small enough for a processor's second-level cache.
constexpr std::int64_t kBlockBytes = 256 << 10;

}  // namespace

Result<void> ReadLinesBackwards(int fd, std::int64_t from_bytes, std::int64_t end_bytes,
                                const std::filesystem::path& path,
                                const std::function<bool(std::string_view line_head)>& take) {
  // [ a block | the beginning of what follows it in the file: the head of a line that goes on there ]
  std::vector<char> buffer(static_cast<std::size_t>(kBlockBytes) + kLineHeadBytes);
  std::size_t following = 0;
  std::int64_t line_end = end_bytes - 1;  // the newline at the end of the line that is sought
  for (std::int64_t block_end = end_bytes; block_end > from_bytes;) {
    const std::int64_t block_start = std::max(from_bytes, block_end - kBlockBytes);
    const auto size = static_cast<std::size_t>(block_end - block_start);
    std::memmove(buffer.data() + size, buffer.data(), following);
    if (Result<void> read = ReadAt(fd, block_start, std::span(buffer.data(), size), path); !read) return read;
    const auto line_from = [&](std::size_t start) {
      const auto whole = static_cast<std::size_t>(line_end - block_start) - start;
      return std::string_view(buffer.data() + start,
                              std::min({whole, kLineHeadBytes, size + following - start}));
    };
    // The newline at line_end itself ends no line before it.
    auto left = static_cast<std::size_t>(std::min(line_end, block_end) - block_start);
    while (const void* const found = ::memrchr(buffer.data(), '\n', left)) {
      left = static_cast<std::size_t>(static_cast<const char*>(found) - buffer.data());
      if (!take(line_from(left + 1))) return {};
      line_end = block_start + static_cast<std::int64_t>(left);
    }
    if (block_start == 0 && !take(line_from(0))) return {};
    following = std::min(kLineHeadBytes, size + following);
    block_end = block_start;
  }
  return {};
}

}  // namespace outgrown::decision_log
