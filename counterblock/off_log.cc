#include "counterblock/off_log.h"

#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

namespace outgrown::block {

std::string OffLine(const std::string& why) {
  std::string line = "outgrown: writes are not counted: " + why;
  std::ranges::replace_if(
      line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, '?');
  return line;
}

void LogOff(const std::string& line) noexcept {
  const char* const asked = ::secure_getenv("OUTGROWN_LOG");
  if (asked == nullptr || std::string_view(asked) != "stderr") return;
  const int old_errno = errno;
  char newline = '\n';
  const struct iovec parts[] = {{const_cast<char*>(line.data()), line.size()}, {&newline, 1}};
  const ssize_t ignored = ::writev(STDERR_FILENO, parts, 2);
  static_cast<void>(ignored);
  errno = old_errno;
}

}  // namespace outgrown::block
