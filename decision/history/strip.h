// A timeline drawn as one row of blocks, for terminals: the taller, the worse.
#pragma once

#include <cstddef>
#include <string>

#include "decision/history/timeline.h"

namespace outgrown::history {

// Each column shows the worst decision of its share of the period: the most severe verdict a whole block, a
// milder one a lower block, sufficient the lowest, undetermined "?", no such store a space.
std::string Strip(const Table& table, const Grid& grid, const StoreTimeline& timeline, std::size_t columns,
                  bool colour);

// What the blocks mean: "█ MIGRATE NOW  ▅ MIGRATE SOON  ▁ SQLite sufficient  ? UNDETERMINED".
std::string Legend(const Table& table, bool colour);

}  // namespace outgrown::history
