// Output of every mode: the answer on standard output; errors, warnings and progress on standard error.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "common/exit_status.h"
#include "common/result.h"
#include "common/text.h"

namespace outgrown::rulegen {

// Prints on standard error. A text that can't be written is dropped: the answer and the exit status matter more.
void Say(std::string_view text);
template <typename... Arguments>
void Say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  Say(std::string_view(fmt::format(format, std::forward<Arguments>(arguments)...)));
}

// Prints "rulegen: WHERE: WHAT" on the standard error. Returns `status`.
int Fail(const Error& error, int status = kExitFailure);

// Prints the whole answer. Returns `status`; if it can't be written, an error is printed and kExitFailure returned.
int Answer(std::string_view text, int status);

// Plain unless standard output is a terminal that can do more; colour unless NO_COLOR says otherwise.
TextStyle StyleOfOutput();

// A line of progress on standard error that replaces itself, and vanishes at the end; nothing without a terminal.
std::function<void(std::int64_t done, std::int64_t all)> ProgressOnTerminal(std::string what);

// The warnings that a run's answers came with.
class Warnings {
 public:
  // Those about one spec; `answered`: at least one query was.
  void Add(const std::vector<std::string>& texts, bool answered);
  void Print() const;

 private:
  std::vector<std::string> texts_;
};

}  // namespace outgrown::rulegen
