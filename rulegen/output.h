// How every mode ends: with its answer on the standard output, or with an error on the standard error.
#pragma once

#include <string_view>

#include "common/exit_status.h"
#include "common/result.h"

namespace outgrown::commands {

// Prints "rulegen: WHERE: WHAT" on the standard error. Returns `status`.
int Fail(const Error& error, int status = kExitFailure);

// Prints the whole answer. Returns `status`; if it can't be written, an error is printed and kExitFailure returned.
int Answer(std::string_view text, int status);

}  // namespace outgrown::commands
