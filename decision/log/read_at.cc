#include "decision/log/read_at.h"

#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <system_error>

namespace outgrown::decision_log {

Result<void> ReadAt(int fd, std::int64_t from_bytes, std::span<char> into,
                    const std::filesystem::path& path) {
  while (!into.empty()) {
    const ssize_t count = ::pread(fd, into.data(), into.size(), from_bytes);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{"cannot read: " + std::generic_category().message(errno), path.string()};
    if (count == 0) return Error{"became shorter while it was read", path.string()};
    into = into.subspan(static_cast<std::size_t>(count));
    from_bytes += count;
  }
  return {};
}

}  // namespace outgrown::decision_log
