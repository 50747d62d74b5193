// The threshold table that was compiled in from rules/checkpoint.toml.
#pragma once

#include "rulegen/table/table.h"

namespace outgrown {

// Constant data: valid from before main until the end, from any thread.
const Table& CompiledTable();

}  // namespace outgrown
