// The block's file: opened with suspicion, created so that nobody ever sees half of it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/result.h"
#include "counterblock/descriptor.h"

namespace outgrown::block {

enum class Access { kRead, kReadWrite };

// Opens DIRECTORY/FILE_NAME; nothing if it does not exist. Refused, with the reason: a symbolic link,
// anything but a regular file, more than one link (somebody may have linked a file of ours, or ours,
// elsewhere), access for the world, a group other than the directory's (unless the file is the calling
// user's own). Owners may differ: two services share a block through their group. Never waits (a FIFO), never opens a device, never follows a link in the last component.
Result<std::optional<Descriptor>> OpenBlockFile(const std::string& directory, const std::string& file_name,
                                                Access access);

// Creates DIRECTORY/FILE_NAME with an empty block: mode 0660, the directory's group (where that can't be given: mode 0600), every byte of it
// allocated. False if somebody else published one first, true if it is ours. A failure leaves no file behind
// (a SIGKILL may leave a ".FILE_NAME.….tmp", which nobody reads). Never raises SIGXFSZ or SIGBUS: a full file
// system and RLIMIT_FSIZE are errors. Preconditions as MakeHeader's.
Result<bool> CreateBlockFile(const std::string& directory, const std::string& file_name,
                             std::uint32_t slot_count, std::string_view database);

// Makes sure that every byte of a block that may be in use has memory behind it (a copy may have holes): a
// store to a hole of a full tmpfs would die of SIGBUS. Error::where is empty.
Result<void> FillHoles(int fd, std::uint64_t file_bytes);

}  // namespace outgrown::block
