#include "rulegen/output.h"

#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include <fmt/format.h>

namespace outgrown::commands {

int Fail(const Error& error, int status) {
  fmt::print(stderr, "rulegen: {}\n", error.Text());
  return status;
}

int Answer(std::string_view text, int status) {
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    const std::string reason = std::generic_category().message(errno);
    return Fail({"cannot write the answer: " + reason, "standard output"});
  }
  return status;
}

}  // namespace outgrown::commands
