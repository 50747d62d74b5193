#include "counterblock/memory_room.h"

#include <sys/statvfs.h>

#include <algorithm>

#include "counterblock/descriptor_room.h"

namespace outgrown::block {

std::uint32_t SlotCountOfNext(const MadeBlocks& made) {
  return made.count < StoresMax() ? kSlotCountDefault : kSlotCountSmall;
}

Result<void> CheckMemoryRoom(const MadeBlocks& made, std::uint64_t file_bytes, const std::string& directory,
                             const std::string& path) {
  const std::uint64_t stores_max = StoresMax();
  if (made.count < stores_max) return {};
  if (file_bytes >
      stores_max * kMadeBytesPerStoreMax - std::min(made.bytes, stores_max * kMadeBytesPerStoreMax)) {
    return Error{"this process has made " + std::to_string(made.count) + " counter blocks of " +
                     std::to_string(made.bytes >> 20U) + " MiB already, and may make " +
                     std::to_string(stores_max * kMadeBytesPerStoreMax >> 20U) +
                     " MiB (OUTGROWN_STORES_MAX can say more)",
                 path};
  }
  struct statvfs status = {};
  // No blocks at all: a file system without a limit, or one that doesn't say.
  if (::statvfs(directory.c_str(), &status) != 0 || status.f_blocks == 0) return {};
  const std::uint64_t total_bytes = std::uint64_t{status.f_blocks} * status.f_frsize;
  const std::uint64_t free_bytes = std::uint64_t{status.f_bavail} * status.f_frsize;
  if (free_bytes >= file_bytes + std::min(total_bytes / 4, kFreeBytesMin)) return {};
  return Error{"this process has made " + std::to_string(made.count) +
                   " counter blocks already, and the file system is getting full",
               path};
}

}  // namespace outgrown::block
