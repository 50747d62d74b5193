#include "counterblock/descriptor_room.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include "counterblock/descriptor.h"

namespace outgrown::block {
namespace {

// At least 1; nothing if $OUTGROWN_STORES_MAX is not set, or no such number.
std::optional<std::uint64_t> AskedStoresMax() {
  const char* const asked = ::secure_getenv("OUTGROWN_STORES_MAX");
  if (asked == nullptr) return std::nullopt;
  const std::string_view text(asked);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == 0) return std::nullopt;
  return number;
}

std::uint64_t DescriptorsMax() {
  struct rlimit files = {};
  return ::getrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_cur : RLIM_INFINITY;
}

}  // namespace

std::uint64_t StoresMax() {
  return AskedStoresMax().value_or(std::clamp<std::uint64_t>(DescriptorsMax() / 8, 1, kOpenBlocksMax));
}

Result<void> CheckDescriptorRoom(std::uint64_t open_blocks, const std::string& path) {
  const std::uint64_t blocks_max = StoresMax();
  if (open_blocks >= blocks_max) {
    return Error{"this process counts into " + std::to_string(open_blocks) +
                     " stores already, and may into " + std::to_string(blocks_max) +
                     " (OUTGROWN_STORES_MAX can say more)",
                 path};
  }
  const std::uint64_t limit = DescriptorsMax();
  // The kernel gives the lowest free number, so at least as many are in use.
  const Descriptor lowest_free(::open("/", O_PATH | O_CLOEXEC));
  if (lowest_free.get() >= 0 && static_cast<std::uint64_t>(lowest_free.get()) < limit / 2) return {};
  return Error{"half of the descriptors that this process may open are in use (RLIMIT_NOFILE is " +
                   std::to_string(limit) + "), and the rest is the application's",
               path};
}

}  // namespace outgrown::block
