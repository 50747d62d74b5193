// Where counter blocks live and what their files are called: DIRECTORY/NAME.vMAJOR.counters.
//
// The directory is the first of $OUTGROWN_DIR, /run/outgrown/APPLICATION (made by tmpfiles.d, mode 2770, the
// application's user and group), $XDG_RUNTIME_DIR/outgrown. The major is in the name, so that an application
// that was upgraded and an old one still running each have their own file, and the exporter sums both.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"
#include "counterblock/layout.h"

namespace outgrown::block {

// The directory for an application's blocks. `given` wins if it is not empty; /run/outgrown/APPLICATION
// counts only if `application` is not empty and the folder exists. $XDG_RUNTIME_DIR/outgrown is made (mode
// 0700) if it is missing and its parent is there. The error names all three places. Ignores the environment
// in a set-uid program.
Result<std::string> ResolveDirectory(std::string_view given, std::string_view application);

struct BlockName {
  std::string store;
  unsigned major = kMajor;
  friend bool operator==(const BlockName&, const BlockName&) = default;
};

// A store's name: 1 to 64 of A-Z a-z 0-9 _ - and, except at the start, a dot. It becomes part of a file's name.
bool IsStoreName(std::string_view name);

// "checkpoints" -> "checkpoints.v1.counters". Precondition: IsStoreName(name.store).
std::string FileNameOf(const BlockName& name);

// The reverse; nothing if `file_name` is not of that form (a creator's temporary file, for example).
std::optional<BlockName> ParseFileName(std::string_view file_name);

// Every block in a directory, of every major, ordered by store and major.
Result<std::vector<BlockName>> ListBlocks(const std::string& directory);

}  // namespace outgrown::block
