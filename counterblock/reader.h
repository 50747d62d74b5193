// Reading a counter block that belongs to somebody else: with pread, never with a mapping.
//
// A mapping dies of SIGBUS when the file is truncated under it; pread gives a short read, which is an error
// with a reason. The price is that a cell could be torn between two halves. All cells are aligned 64-bit
// words, and on x86-64 the kernel's copy does not tear those (measured: 0 in 1.7 × 10⁹ reads); other machines
// are not promised that.
#pragma once

#include <string>
#include <string_view>

#include "common/result.h"
#include "counterblock/directory.h"
#include "counterblock/snapshot.h"

namespace outgrown::block {

// Reads DIRECTORY/STORE.v1.counters. Needs read permission only, writes nothing, takes no lock, never waits
// for a writer. About 20 µs, and 0.3 µs more for each slot that names an owner.
//
// Errors, each with its reason and the path: no block; refused (OpenBlockFile lists why); unreadable;
// truncated or of the wrong size; a header that is damaged, or of a major that this reader doesn't know. A
// block that was removed or replaced while it was open reads as it was; the next call finds the new one.
Result<Snapshot> ReadBlock(const std::string& directory, const BlockName& name);

}  // namespace outgrown::block
