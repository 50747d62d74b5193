// The threshold table that was compiled in from rules/checkpoint.toml.
#pragma once

#include <cstddef>

#include "thresholds/table.h"

namespace outgrown {

// More signals or thresholds than this don't compile in, so that what is decided in process needs no allocation.
inline constexpr std::size_t kCompiledRowsMax = 256;

// Constant data: valid from before main until the end, from any thread.
const Table& CompiledTable();

}  // namespace outgrown
