#include "rulegen/output_style.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <system_error>

namespace outgrown::commands {
namespace {

// As wide as the terminal says it is; else as $COLUMNS says; else 80.
std::size_t TerminalColumns() {
  winsize size = {};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  std::size_t columns = 0;
  const char* const said = std::getenv("COLUMNS");
  const std::string_view text = said == nullptr ? "" : said;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), columns);
  return failed == std::errc() && end == text.data() + text.size() && columns > 0
             ? columns
             : report::TextStyle{}.columns;
}

}  // namespace

report::TextStyle StyleOfOutput() {
  const char* const terminal = std::getenv("TERM");
  const char* const no_colour = std::getenv("NO_COLOR");  // https://no-color.org: any non-empty value
  report::TextStyle style;
  // A dumb terminal (an editor's shell) is for plain text.
  style.terminal =
      ::isatty(STDOUT_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
  style.colour = style.terminal && (no_colour == nullptr || *no_colour == '\0');
  if (style.terminal) style.columns = TerminalColumns();
  return style;
}

}  // namespace outgrown::commands
