#include "rulegen/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "common/text.h"

namespace outgrown::rulegen {
namespace {

// A fleet's warnings repeat themselves; beyond this many only their number is printed.
constexpr std::size_t kWarningsMax = 20;

// As wide as the terminal says it is; else as $COLUMNS says; else 80.
// $COLUMNS is a shell's variable and is seldom exported, hence second.
std::size_t TerminalColumns() {
  winsize size = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  std::size_t columns = 0;
  const char* const said = std::getenv("COLUMNS");
  const std::string_view text = said == nullptr ? "" : said;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), columns);
  return failed == std::errc() && end == text.data() + text.size() && columns > 0 ? columns
                                                                                  : TextStyle{}.columns;
}

}  // namespace

void Say(std::string_view text) {
  // Not fmt::print, which throws where standard error is full or closed.
  std::fwrite(text.data(), 1, text.size(), stderr);
}

int Fail(const Error& error, int status) {
  Say("rulegen: {}\n", error.Text());
  return status;
}

int Answer(std::string_view text, int status) {
  // stdio need not set errno when it fails; an older value would give a wrong reason. The flush is part of
  // the writing: a full disk is noticed only then.
  errno = 0;
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    const std::string reason = std::generic_category().message(errno);
    return Fail({"cannot write the answer: " + reason, "standard output"});
  }
  return status;
}

TextStyle StyleOfOutput() {
  const char* const terminal = std::getenv("TERM");
  const char* const no_colour = std::getenv("NO_COLOR");  // https://no-color.org: any non-empty value
  TextStyle style;
  // TERM=dumb (an editor's shell) gets plain text.
  style.terminal =
      ::isatty(STDOUT_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
  style.colour = style.terminal && (no_colour == nullptr || *no_colour == '\0');
  if (style.terminal) style.columns = TerminalColumns();
  return style;
}

std::function<void(std::int64_t done, std::int64_t all)> ProgressOnTerminal(std::string what) {
  if (::isatty(STDERR_FILENO) != 1) return [](std::int64_t, std::int64_t) {};
  return [what = std::move(what)](std::int64_t done, std::int64_t all) {
    if (done < all) {
      Say("\r{}: {} %", what, done * 100 / all);
    } else {
      Say("\r{}\r", std::string(what.size() + 8, ' '));
    }
    std::fflush(stderr);
  };
}

void Warnings::Add(const std::vector<std::string>& texts, bool answered) {
  // If no query was answered, the reason is the same for all, so one is enough.
  const std::size_t count = answered ? texts.size() : std::min<std::size_t>(1, texts.size());
  texts_.insert(texts_.end(), texts.begin(), texts.begin() + static_cast<std::ptrdiff_t>(count));
}

void Warnings::Print() const {
  const std::size_t shown = std::min(texts_.size(), kWarningsMax);
  for (std::size_t index = 0; index < shown; ++index) Say("rulegen: warning: {}\n", PlainText(texts_[index]));
  if (texts_.size() > shown) Say("rulegen: and {} more warnings\n", texts_.size() - shown);
}

}  // namespace outgrown::rulegen
