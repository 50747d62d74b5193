// What standard output is, and so how an answer for people is written to it.
#pragma once

#include "decision/report_text.h"

namespace outgrown::commands {

// Plain unless standard output is a terminal that can do more; colour unless NO_COLOR says otherwise.
report::TextStyle StyleOfOutput();

}  // namespace outgrown::commands
