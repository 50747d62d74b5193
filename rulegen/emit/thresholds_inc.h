// The threshold table as rows of C++ that rulegen/table/compiled.cc includes.
#pragma once

#include <string>

#include "rulegen/spec/model.h"

namespace outgrown::emit {

// Aligned rows of data and nothing else. Rows name the signals and verdicts they refer to; the including code
// turns names into indices at compile time. Precondition: a validated spec.
std::string ThresholdsInc(const spec::Spec& spec);

}  // namespace outgrown::emit
