// libFuzzer: any bytes whatever as a counter block. No crash, and nothing that a block could not say.
//
//   build-fuzz/test/fuzz/decode_block_fuzz -runs=100000000 -max_len=16384
//
// The first byte chooses. Either the rest is the block's bytes as they are; or it is a list of edits, three bytes each
// (offset, value), of a good block. Its second bit repairs the checksum, which hardly any edit survives otherwise.
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "common/check.h"
#include "counterblock/header.h"
#include "counterblock/reader.h"

namespace {

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)

constexpr std::uint32_t kSlotsUsed = 3;
constexpr std::uint64_t kNow = 1'000'000'000'000;
constexpr std::uint64_t kNowUnix = 1'700'000'000'000'000'000;
constexpr std::uint64_t kBoot = 0x0123456789abcdef;

std::vector<std::byte> GoodImage() {
  std::vector<std::byte> image(kHeaderBytes + (kSlotsUsed + 1) * kSlotBytes);
  Header header = MakeHeader(7, "/srv/agent/state.db", 1);
  header.slots_used = PackSlotsUsed(kSlotsUsed);
  std::memcpy(image.data(), &header, sizeof header);
  for (std::uint32_t i = 0; i <= kSlotsUsed; ++i) {
    Slot slot = {};
    slot.tag = SlotTag(i < kSlotsUsed ? i : header.slot_count);
    slot.owner = i;
    slot.writes[0] = 5;
    slot.buckets[20] = 5;
    slot.in_flight_start_ns = std::uint64_t{i} * 1000;
    std::memcpy(image.data() + SlotOffset(i), &slot, sizeof slot);
  }
  return image;
}

std::vector<std::byte> ImageOf(std::uint8_t choice, std::span<const std::uint8_t> input) {
  std::vector<std::byte> image;
  if ((choice & 1U) != 0) {
    const auto bytes = std::as_bytes(input);
    image.assign(bytes.begin(), bytes.end());
  } else {
    static const std::vector<std::byte> good = GoodImage();
    image = good;
    for (; input.size() >= 3; input = input.subspan(3)) {
      const std::size_t offset = (static_cast<std::size_t>(input[0]) << 8U | input[1]) % image.size();
      image[offset] = static_cast<std::byte>(input[2]);
    }
  }
  if ((choice & 2U) != 0 && image.size() >= sizeof(Header)) {
    Header header;
    std::memcpy(&header, image.data(), sizeof header);
    header.checksum = HeaderChecksum(header);
    std::memcpy(image.data(), &header, sizeof header);
  }
  return image;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::vector<std::byte> image = ImageOf(data[0], std::span(data + 1, size - 1));
  const auto is_living = [&](std::uint32_t index) { return (data[0] >> (2U + index % 6U) & 1U) != 0; };
  const outgrown::Result<Snapshot> snapshot = Decode(image, is_living, {kNow, kNowUnix, kBoot});
  if (!snapshot) {
    OUTGROWN_CHECK(!snapshot.error().what.empty());
    return 0;
  }
  OUTGROWN_CHECK(snapshot->slots >= 1 && snapshot->slots <= kSlotCountMax);
  OUTGROWN_CHECK(snapshot->slots_used <= snapshot->slots);
  OUTGROWN_CHECK(snapshot->writers <= snapshot->living.size());
  OUTGROWN_CHECK(snapshot->living.size() <= snapshot->slots_used);
  OUTGROWN_CHECK(snapshot->in_flight <= snapshot->writers);
  OUTGROWN_CHECK(snapshot->oldest_in_flight_ns < kNow);
  OUTGROWN_CHECK(snapshot->last_write_unix_ns <= kNowUnix);
  OUTGROWN_CHECK(snapshot->database.size() <= kDatabaseBytesMax);
  const CumulativeHistogram histogram = DurationHistogram(*snapshot);
  std::uint64_t all = 0;
  for (const std::uint64_t count : snapshot->buckets) all += count;
  OUTGROWN_CHECK(histogram.count == all);
  return 0;
}
