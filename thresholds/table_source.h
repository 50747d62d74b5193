// The threshold table of a spec as the C++ that is compiled in.
#pragma once

#include <string>
#include <string_view>

#include "thresholds/model.h"

namespace outgrown::spec {

// Aligned rows of data and nothing else. Rows name the signals and verdicts they refer to; the including code
// turns names into indices at compile time. Precondition: a validated spec.
std::string ThresholdsInc(const spec::Spec& spec);

// A C++ string literal with its quotes: "a\"b". Trigraphs and digits after an escape are safe.
std::string CppString(std::string_view text);

// A C++ double literal that is bit-equal: 0.01, 100.0, 5368709120.0. Precondition: finite.
std::string CppDouble(double value);

}  // namespace outgrown::spec
