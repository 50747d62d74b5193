#include "counterblock/header.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <charconv>
#include <cstring>
#include <string_view>
#include <system_error>

namespace outgrown::block {

namespace {

constexpr std::size_t kHalfDigits = 16;

// "96b3cd41-7842-4460-a4cb-6451f4b48175\n"; 0 for anything else.
std::uint64_t FoldUuid(std::string_view text) {
  char digits[2 * kHalfDigits] = {};
  std::size_t count = 0;
  for (const char c : text) {
    if (c == '-' || c == '\n') continue;
    // Longer than a UUID.
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
  // constinit: no guard protects its initialisation, for which a signal handler could wait for ever. Two
  // threads may read the file at once and store the same number. Relaxed: no other memory depends on it.
  static constinit std::atomic<std::uint64_t> known = 0;
  std::uint64_t boot = known.load(std::memory_order_relaxed);
  if (boot != 0) return boot;
  const int fd = ::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
  char text[64];
  const ssize_t size = fd < 0 ? 0 : ::read(fd, text, sizeof text);
  if (fd >= 0) ::close(fd);
  if (size > 0) boot = FoldUuid(std::string_view(text, static_cast<std::size_t>(size)));
  // 0 is stored as well, so a file that can't be read is tried again each time (no /proc in a chroot, say).
  known.store(boot, std::memory_order_relaxed);
  return boot;
}

namespace {

// Offset basis and prime of 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/.
constexpr std::uint64_t kFnvOffset = 0xcbf29ce484222325;
constexpr std::uint64_t kFnvPrime = 0x100000001b3;

std::uint64_t Fnv(std::uint64_t hash, const void* bytes, std::size_t size) {
  const auto* byte = static_cast<const unsigned char*>(bytes);
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ byte[i]) * kFnvPrime;
  return hash;
}

Error Expected(std::string_view field, std::uint64_t found, std::uint64_t expected) {
  return Error{std::string(field) + " is " + std::to_string(found) + ", expected " + std::to_string(expected),
               ""};
}

// What must hold before any other field means anything.
Result<void> CheckIdentity(const Header& header) {
  if (std::memcmp(header.magic, kMagic, sizeof kMagic) != 0)
    return Error{"not a counter block (wrong magic)", ""};
  // Before the numbers: in the other order each of them would be wrong, and the reason would read as damage.
  if (header.byte_order != kByteOrder) return Error{"written on a machine of another byte order", ""};
  if (header.major != kMajor) {
    return Error{"counter block version " + std::to_string(header.major) + " is not known, expected " +
                     std::to_string(kMajor),
                 ""};
  }
  return {};
}

Result<void> CheckSizes(const Header& header) {
  if (header.header_bytes != kHeaderBytes) return Expected("header_bytes", header.header_bytes, kHeaderBytes);
  if (header.slot_bytes != kSlotBytes) return Expected("slot_bytes", header.slot_bytes, kSlotBytes);
  if (header.outcome_count != kOutcomeCount)
    return Expected("outcome_count", header.outcome_count, kOutcomeCount);
  if (header.bucket_count != kBucketCount) return Expected("bucket_count", header.bucket_count, kBucketCount);
  if (header.slot_count < 1 || header.slot_count > kSlotCountMax) {
    return Error{"slot_count is " + std::to_string(header.slot_count) + ", expected 1 to " +
                     std::to_string(kSlotCountMax),
                 ""};
  }
  // Sizes are checked before any of them is used as an offset; the checksum alone would let a forger's sizes
  // through.
  if (header.file_bytes != FileBytes(header.slot_count)) {
    return Expected("file_bytes", header.file_bytes, FileBytes(header.slot_count));
  }
  if (header.database_bytes > kDatabaseBytesMax) {
    return Error{"database_bytes is " + std::to_string(header.database_bytes) + ", expected at most " +
                     std::to_string(kDatabaseBytesMax),
                 ""};
  }
  return {};
}

}  // namespace

std::uint64_t HeaderChecksum(const Header& header) {
  // Up to the checksum: what comes behind it changes while the block is in use.
  const std::uint64_t fields = Fnv(kFnvOffset, &header, offsetof(Header, checksum));
  // min: safe for any header, also one whose length was not checked.
  return Fnv(fields, header.database, std::min(header.database_bytes, kDatabaseBytesMax));
}

Header MakeHeader(std::uint32_t slot_count, std::string_view database, std::uint64_t created_unix_ns) {
  // Reserved bytes are zero, which is what a later minor takes for "not said".
  Header header{};
  std::memcpy(header.magic, kMagic, sizeof kMagic);
  header.byte_order = kByteOrder;
  header.major = kMajor;
  header.minor = kMinor;
  header.header_bytes = kHeaderBytes;
  header.slot_bytes = kSlotBytes;
  header.slot_count = slot_count;
  header.outcome_count = kOutcomeCount;
  header.bucket_count = kBucketCount;
  header.database_bytes = static_cast<std::uint32_t>(database.size());
  header.file_bytes = FileBytes(slot_count);
  header.created_unix_ns = created_unix_ns;
  std::ranges::copy(database, header.database);
  header.slots_used = PackSlotsUsed(0);
  header.checksum = HeaderChecksum(header);
  return header;
}

Result<CheckedHeader> CheckHeader(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Header)) {
    return Error{"too short: " + std::to_string(bytes.size()) + " bytes, the header alone has " +
                     std::to_string(sizeof(Header)),
                 ""};
  }
  // A copy: in shared memory or a file's buffer the bytes may be unaligned, and must not change between check
  // and use.
  Header header;
  std::memcpy(&header, bytes.data(), sizeof header);
  if (Result<void> identity = CheckIdentity(header); !identity) return identity.error();
  if (Result<void> sizes = CheckSizes(header); !sizes) return sizes.error();
  if (header.checksum != HeaderChecksum(header)) return Error{"the header is damaged (wrong checksum)", ""};
  // A string that goes on behind its length would be read by a reader that stops at the first NUL instead.
  const std::span<const char> padding = std::span(header.database).subspan(header.database_bytes);
  static constexpr std::array<char, sizeof header.database> kZeros = {};
  if (std::memcmp(padding.data(), kZeros.data(), padding.size()) != 0) {
    return Error{"the header is damaged (bytes after the database's path)", ""};
  }
  const std::optional<std::uint32_t> used = UnpackSlotsUsed(header.slots_used);
  if (!used || *used > header.slot_count) return Error{"the high-water mark of the slots is damaged", ""};
  return CheckedHeader{header.minor,
                       header.slot_count,
                       *used,
                       header.file_bytes,
                       header.created_unix_ns,
                       header.last_trace_lost_ns,
                       header.times_boot,
                       std::to_array(header.refusals),
                       std::string(header.database, header.database_bytes)};
}

}  // namespace outgrown::block
