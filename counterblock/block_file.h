// The block's file: its place and name, the checks before it is trusted, and its creation in one visible step.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/result.h"
#include "counterblock/layout.h"

namespace outgrown::block {

// --- Where counter blocks live and what their files are called: DIRECTORY/NAME.vMAJOR.counters.
//
// The directory is the first of $OUTGROWN_DIR, /run/outgrown/APPLICATION (made by tmpfiles.d, mode 2770, the
// application's user and group), $XDG_RUNTIME_DIR/outgrown. The major is in the name, so that an application
// that was upgraded and an old one still running each have their own file, and the exporter sums both.

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

// --- A file descriptor that closes itself.

class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// A folder of counter blocks, pinned: files and checks are of the same one, also if its path is renamed meanwhile.
class Folder {
 public:
  // Needs search permission only, as the path itself would.
  static Result<Folder> Open(const std::string& path);

  const std::string& path() const { return path_; }
  int descriptor() const { return fd_.get(); }
  gid_t group() const { return group_; }  // when it was opened

 private:
  Folder(std::string path, Descriptor fd, gid_t group)
      : path_(std::move(path)), fd_(std::move(fd)), group_(group) {}

  std::string path_;
  Descriptor fd_;
  gid_t group_;
};

enum class Access { kRead, kReadWrite };

struct OpenedFile {
  Descriptor fd;
  std::uint64_t size_bytes = 0;
};

// Opens FILE_NAME in the folder; nothing if it does not exist. Refused, with the reason: a symbolic link,
// anything but a regular file, more than one link (somebody may have linked a file of ours, or ours,
// elsewhere), access for the world, a group other than the directory's (unless the file is the calling
// user's own). Owners may differ: two services share a block through their group. Never waits (a FIFO), never
// opens a device, never follows a link in the last component.
Result<std::optional<OpenedFile>> OpenBlockFile(const Folder& folder, const std::string& file_name,
                                                Access access);
Result<std::optional<OpenedFile>> OpenBlockFile(const std::string& directory, const std::string& file_name,
                                                Access access);

// Creates DIRECTORY/FILE_NAME with an empty block: mode 0660, the directory's group (where that can't be
// given: mode 0600), every byte of it allocated. False if somebody else published one first, true if it is
// ours. A failure leaves no file behind (a SIGKILL may leave a ".FILE_NAME.….tmp", which is never read).
// Never raises SIGXFSZ or SIGBUS: a full file system and RLIMIT_FSIZE are errors. Preconditions as
// MakeHeader's.
Result<bool> CreateBlockFile(const std::string& directory, const std::string& file_name,
                             std::uint32_t slot_count, std::string_view database);

// Makes sure that every byte of a block that may be in use has memory behind it (a copy may have holes): a
// store to a hole of a full tmpfs would die of SIGBUS. Error::where is empty.
Result<void> FillHoles(int fd, std::uint64_t file_bytes);

}  // namespace outgrown::block
