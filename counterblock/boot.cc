#include "counterblock/boot.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <string_view>
#include <system_error>

#include "counterblock/descriptor.h"

namespace outgrown::block {
namespace {

constexpr std::size_t kHalfDigits = 16;

// "96b3cd41-7842-4460-a4cb-6451f4b48175\n"; 0 for anything else.
std::uint64_t FoldUuid(std::string_view text) {
  char digits[2 * kHalfDigits] = {};
  std::size_t count = 0;
  for (const char c : text) {
    if (c == '-' || c == '\n') continue;
    if (count == sizeof digits) return 0;
    digits[count++] = c;
  }
  std::uint64_t halves[2] = {};
  for (int i = 0; i < 2; ++i) {
    const char* const end = digits + (i + 1) * kHalfDigits;
    const auto [stopped, error] = std::from_chars(digits + i * kHalfDigits, end, halves[i], 16);
    if (error != std::errc() || stopped != end) return 0;
  }
  return halves[0] ^ halves[1];
}

}  // namespace

std::uint64_t BootId() noexcept {
  static constinit std::atomic<std::uint64_t> known = 0;
  std::uint64_t boot = known.load(std::memory_order_relaxed);
  if (boot != 0) return boot;
  const Descriptor fd(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t size = fd.get() < 0 ? 0 : ::read(fd.get(), text, sizeof text);
  if (size > 0) boot = FoldUuid(std::string_view(text, static_cast<std::size_t>(size)));
  known.store(boot, std::memory_order_relaxed);
  return boot;
}

}  // namespace outgrown::block
