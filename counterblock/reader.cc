#include "counterblock/reader.h"

#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <system_error>
#include <vector>

#include "counterblock/block_file.h"
#include "counterblock/boot.h"
#include "counterblock/decode.h"
#include "counterblock/slot_lock.h"

namespace outgrown::block {
namespace {

std::uint64_t ClockNs(clockid_t clock) {
  struct timespec now = {};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

// Fills `bytes` from `offset` on; an end of file before that is an error.
Result<void> ReadExactly(int fd, std::uint64_t offset, std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return Error{"cannot read: " + std::generic_category().message(errno), ""};
    if (count == 0) {
      return Error{"truncated: ends at byte " + std::to_string(offset) + ", " + std::to_string(bytes.size()) +
                       " more expected",
                   ""};
    }
    bytes = bytes.subspan(static_cast<std::size_t>(count));
    offset += static_cast<std::uint64_t>(count);
  }
  return {};
}

Result<Snapshot> ReadOpened(int fd) {
  // A short file is told from a file that is none of ours by its first bytes, so those come first.
  std::vector<std::byte> image(kHeaderBytes);
  if (Result<void> read = ReadExactly(fd, 0, image); !read) return read.error();
  Result<CheckedHeader> header = CheckHeader(image);
  if (!header) return header.error();
  struct stat status = {};
  if (::fstat(fd, &status) != 0) return Error{"cannot stat: " + std::generic_category().message(errno), ""};
  if (static_cast<std::uint64_t>(status.st_size) != header->file_bytes) {
    return Error{"the file has " + std::to_string(status.st_size) + " bytes, its header says " +
                     std::to_string(header->file_bytes),
                 ""};
  }
  image.resize(ImageBytes(*header));
  const std::span<std::byte> rest(image);
  const std::size_t slots_bytes = std::size_t{header->slots_used} * kSlotBytes;
  Result<void> read = ReadExactly(fd, SlotOffset(0), rest.subspan(kHeaderBytes, slots_bytes));
  if (read.ok())
    read = ReadExactly(fd, SlotOffset(header->slot_count), rest.subspan(kHeaderBytes + slots_bytes));
  if (!read) return read.error();
  const Now now = {ClockNs(CLOCK_MONOTONIC), ClockNs(CLOCK_REALTIME), BootId()};
  return Decode(
      image, [fd](std::uint32_t index) { return IsSlotLocked(fd, index); }, now);
}

}  // namespace

Result<Snapshot> ReadBlock(const std::string& directory, const BlockName& name) {
  const std::string file_name = FileNameOf(name);
  const std::string path = directory + "/" + file_name;
  if (name.major != kMajor) {
    return Error{"counter block version " + std::to_string(name.major) + " is not known, expected " +
                     std::to_string(kMajor),
                 path};
  }
  Result<std::optional<Descriptor>> fd = OpenBlockFile(directory, file_name, Access::kRead);
  if (!fd) return fd.error();
  if (!fd->has_value()) return Error{"there is no counter block (has the application written yet?)", path};
  Result<Snapshot> snapshot = ReadOpened((*fd)->get());
  if (!snapshot) return Error{snapshot.error().what, path};
  return snapshot;
}

}  // namespace outgrown::block
