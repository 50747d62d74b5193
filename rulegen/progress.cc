#include "rulegen/progress.h"

#include <unistd.h>

#include <cstdio>
#include <utility>

#include <fmt/format.h>

namespace outgrown::commands {

std::function<void(std::int64_t done, std::int64_t all)> ProgressOnTerminal(std::string what) {
  if (::isatty(STDERR_FILENO) != 1) return [](std::int64_t, std::int64_t) {};
  return [what = std::move(what)](std::int64_t done, std::int64_t all) {
    if (done < all) {
      fmt::print(stderr, "\r{}: {} %", what, done * 100 / all);
    } else {
      fmt::print(stderr, "\r{}\r", std::string(what.size() + 8, ' '));
    }
    std::fflush(stderr);
  };
}

}  // namespace outgrown::commands
