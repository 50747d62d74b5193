// Whole files: read one, and replace one atomically.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/result.h"

namespace outgrown {

// "cannot open: Permission denied", of an errno.
Error SystemError(std::string_view doing, const std::filesystem::path& path, int error_number);

// The bytes of a regular file of at most `size_bytes_max`. An error names the path and the system's reason;
// a folder, a FIFO or a device is an error and is not waited for.
Result<std::string> ReadFile(const std::filesystem::path& path, std::size_t size_bytes_max = 64U << 20U);

// Makes the names in a folder durable ("" is the working directory), which fsync(2) of a file does not (man 2 fsync).
// Succeeds where the file system can't sync a folder (EINVAL).
Result<void> SyncFolder(const std::filesystem::path& folder);

enum class WriteOutcome { kUnchanged, kWritten };

// Puts `bytes` at `path`: a temporary file in the same folder, write, fsync, rename, fsync of the folder. If the
// file already holds these bytes it is not touched. Missing parent folders are made. A failure leaves the old
// file as it was and no temporary file behind (a SIGKILL may leave one; see RemoveAbandoned). A file that is
// replaced keeps its mode, and its owner and group as far as the caller may give them; a new one gets those of the
// file `like_if_new`, or if that is no file, `mode_if_new` less the umask.
Result<WriteOutcome> WriteFileIfChanged(const std::filesystem::path& path, std::string_view bytes,
                                        mode_t mode_if_new = 0644,
                                        const std::filesystem::path& like_if_new = {});

// The same without the fsync of the folder, for one who writes several files and then calls SyncFolder once: until then a power
// cut may bring the old file back.
Result<WriteOutcome> ReplaceFileIfChanged(const std::filesystem::path& path, std::string_view bytes,
                                          mode_t mode_if_new = 0644,
                                          const std::filesystem::path& like_if_new = {});

// Removes the temporary files that killed calls of WriteFileIfChanged left in `folder` for files of these names. One
// that a living process still writes is locked by it and stays, whichever PID namespace that process is in. What cannot
// be read or removed stays too: a leftover does no harm.
void RemoveAbandoned(const std::filesystem::path& folder, const std::set<std::string>& names);

// The entries of a folder, "" is the working directory; none if it is not there or no folder.
Result<std::vector<std::filesystem::directory_entry>> EntriesOf(const std::filesystem::path& folder);

// Whether both paths are of one file: also through links, and for a file that is not there yet.
bool IsSameFile(const std::filesystem::path& a, const std::filesystem::path& b);

}  // namespace outgrown
