#include "counterblock/reader.h"

#include <cstring>
#include <limits>
#include <vector>

#include <doctest/doctest.h>

#include "counterblock/header.h"

using namespace outgrown::block;  // NOLINT(google-build-using-namespace)

namespace {

constexpr std::uint64_t kNow = 5'000'000'000'000;
constexpr std::uint64_t kNowUnix = 1'700'000'000'000'000'000;
constexpr std::uint64_t kBoot = 0x1234;
constexpr Now kMoment = {kNow, kNowUnix, kBoot};

struct Image {
  Header header = MakeHeader(8, "/srv/state.db", 1);
  std::vector<Slot> slots;
  Slot overflow = {};

  std::vector<std::byte> Bytes() {
    header.slots_used = PackSlotsUsed(static_cast<std::uint32_t>(slots.size()));
    std::vector<std::byte> bytes(kHeaderBytes + (slots.size() + 1) * kSlotBytes);
    std::memcpy(bytes.data(), &header, sizeof header);
    for (std::size_t i = 0; i < slots.size(); ++i) {
      slots[i].tag = SlotTag(static_cast<std::uint32_t>(i));
      std::memcpy(bytes.data() + SlotOffset(static_cast<std::uint32_t>(i)), &slots[i], sizeof(Slot));
    }
    overflow.tag = SlotTag(header.slot_count);
    std::memcpy(bytes.data() + SlotOffset(static_cast<std::uint32_t>(slots.size())), &overflow, sizeof(Slot));
    return bytes;
  }
};

bool Nobody(std::uint32_t) { return false; }
bool Everybody(std::uint32_t) { return true; }

}  // namespace

TEST_CASE("an empty block reads as nothing counted") {
  Image image;
  const Snapshot snapshot = Decode(image.Bytes(), Everybody, kMoment).value();
  CHECK(snapshot.last_write_unix_ns == 0);
  CHECK(snapshot.writers == 0);
  CHECK(snapshot.slots == 8);
  CHECK(snapshot.database == "/srv/state.db");
}

TEST_CASE("living and dead slots are summed, and the overflow slot with them") {
  Image image;
  image.slots.resize(2);
  image.slots[0].owner = 77;
  image.slots[0].writes[0] = 5;
  image.slots[0].buckets[3] = 5;
  image.slots[0].bytes = 100;
  image.slots[0].last_write_ns = kNow - 2'000'000'000;
  image.slots[1].writes[1] = 2;
  image.slots[1].buckets[4] = 2;
  image.slots[1].duration_sum_ns = 9;
  image.slots[1].last_write_ns = kNow - 1'000'000'000;
  image.overflow.writes[0] = 1;
  image.overflow.buckets[3] = 1;
  const Snapshot snapshot = Decode(image.Bytes(), Nobody, kMoment).value();
  CHECK(WritesOf(snapshot, Outcome::kOk) == 6);
  CHECK(WritesOf(snapshot, Outcome::kBusy) == 2);
  CHECK(snapshot.buckets[3] == 6);
  CHECK(snapshot.bytes == 100);
  CHECK(snapshot.duration_sum_ns == 9);
  CHECK(snapshot.overflow_records == 1);
  CHECK(snapshot.writers == 0);
  CHECK(snapshot.last_write_unix_ns == kNowUnix - 1'000'000'000);
}

TEST_CASE("a living owner's slot says how long ago it wrote") {
  Image image;
  image.slots.resize(3);
  for (Slot& slot : image.slots) slot.owner = 77;
  image.slots[1].last_write_ns = kNow - 2'000'000'000;
  image.slots[2].last_write_ns = kNow + 1;  // of another boot
  const std::vector<LivingSlot> living = Decode(image.Bytes(), Everybody, kMoment)->living;
  REQUIRE(living.size() == 3);
  CHECK(living[0].wrote_ago_ns == UINT64_MAX);
  CHECK(living[1].wrote_ago_ns == 2'000'000'000);
  CHECK(living[2].wrote_ago_ns == UINT64_MAX);
}

TEST_CASE("only a living owner is in flight or has lost a trace") {
  Image image;
  image.slots.resize(3);
  for (Slot& slot : image.slots) {
    slot.in_flight_start_ns = kNow - 3'000;
    slot.traces_lost = 1;
  }
  image.slots[0].owner = 1;
  image.slots[1].owner = 2;
  image.slots[1].in_flight_start_ns = kNow - 9'000;
  const auto first_two = [](std::uint32_t index) { return index < 2; };
  const Snapshot snapshot = Decode(image.Bytes(), first_two, kMoment).value();
  CHECK(snapshot.writers == 2);
  CHECK(snapshot.in_flight == 2);
  CHECK(snapshot.oldest_in_flight_ns == 9'000);
  CHECK(snapshot.traces_lost == 2);
  const Snapshot dead = Decode(image.Bytes(), Nobody, kMoment).value();
  CHECK(dead.in_flight == 0);
  CHECK(dead.oldest_in_flight_ns == 0);
  CHECK(dead.traces_lost == 0);
}

TEST_CASE("the last loss of a trace is reported whoever lives, and none is reported from one long ago") {
  Image image;
  CHECK(Decode(image.Bytes(), Nobody, kMoment)->trace_lost_ago_ns == UINT64_MAX);
  CHECK(Decode(image.Bytes(), Nobody, kMoment)->last_trace_lost_unix_ns == 0);
  image.header.last_trace_lost_ns = kNow - 2'000'000'000;
  const Snapshot ended = Decode(image.Bytes(), Nobody, kMoment).value();
  CHECK(ended.traces_lost == 0);
  CHECK(ended.trace_lost_ago_ns == 2'000'000'000);
  CHECK(ended.last_trace_lost_unix_ns == kNowUnix - 2'000'000'000);
  image.overflow.traces_lost = 1;
  CHECK(Decode(image.Bytes(), Nobody, kMoment)->trace_lost_ago_ns == 0);
}

TEST_CASE("a write that begins after now, by a caller's mistake, lasts for no time") {
  Image image;
  image.slots.resize(1);
  image.slots[0].owner = 1;
  image.slots[0].in_flight_start_ns = std::numeric_limits<std::uint64_t>::max();
  const Snapshot snapshot = Decode(image.Bytes(), Everybody, kMoment).value();
  CHECK(snapshot.in_flight == 1);
  CHECK(snapshot.oldest_in_flight_ns == 0);
}

TEST_CASE("times of another boot are no times, be they said to be of it or only lie in the future") {
  constexpr std::uint64_t kHour = 3'600'000'000'000;
  struct Case {
    std::uint64_t block_boot;
    std::uint64_t time_ns;
    std::uint64_t reader_boot;
    bool counts;
  };
  const Case cases[] = {
      {kBoot, kNow - kHour, kBoot, true},      {kBoot, kNow + kHour, kBoot, false},
      {kBoot + 1, kNow - kHour, kBoot, false}, {kBoot + 1, kNow + kHour, kBoot, false},
      {0, kNow - kHour, kBoot, true},          {0, kNow + kHour, kBoot, false},
      {kBoot + 1, kNow - kHour, 0, true},      {kBoot + 1, kNow + kHour, 0, false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.block_boot);
    CAPTURE(c.time_ns);
    Image image;
    image.slots.resize(1);
    image.slots[0].boot = image.header.times_boot = c.block_boot;
    image.slots[0].last_write_ns = image.header.last_trace_lost_ns = image.header.refusals[1].last_ns =
        c.time_ns;
    const Snapshot dead = Decode(image.Bytes(), Nobody, {kNow, kNowUnix, c.reader_boot}).value();
    CHECK(dead.last_write_unix_ns == (c.counts ? kNowUnix - kHour : 0));
    CHECK(dead.last_trace_lost_unix_ns == (c.counts ? kNowUnix - kHour : 0));
    CHECK(dead.trace_lost_ago_ns == (c.counts ? kHour : UINT64_MAX));
    CHECK(dead.refused[1].ago_ns == (c.counts ? kHour : UINT64_MAX));
    CHECK(dead.refused[1].last_unix_ns == dead.last_trace_lost_unix_ns);
    image.slots[0] = Slot{};
    image.overflow.last_write_ns = c.time_ns;
    const Snapshot shared = Decode(image.Bytes(), Nobody, {kNow, kNowUnix, c.reader_boot}).value();
    CHECK(shared.last_write_unix_ns == (c.counts ? kNowUnix - kHour : 0));
  }
}

TEST_CASE("a living writer of an older minor, in a slot that another boot's writer has left, writes now") {
  Image image;
  image.slots.resize(1);
  image.slots[0].owner = 1;
  image.slots[0].boot = kBoot + 1;
  image.slots[0].last_write_ns = kNow - 1'000'000'000;
  CHECK(Decode(image.Bytes(), Everybody, kMoment)->last_write_unix_ns == kNowUnix - 1'000'000'000);
  CHECK(Decode(image.Bytes(), Nobody, kMoment)->last_write_unix_ns == 0);
}

TEST_CASE("each living slot says which file its process has open, and whether it says it at all") {
  Image image;
  image.slots.resize(4);
  for (std::uint32_t i = 0; i < 4; ++i) image.slots[i].owner = (std::uint64_t{100 + i} << 32U) | 1U;
  Slot& says = image.slots[1];
  says.boot = kBoot;
  says.file_device = 8;
  says.file_inode = 77;
  says.files_open = 2;
  says.check = ProcessSaysCheck(says);
  image.slots[2] = says;  // by a newer writer that is gone; its holder is an older one
  image.slots[2].owner = (std::uint64_t{102} << 32U) | 1U;
  image.slots[3] = says;  // and this one is dead
  const auto first_three = [](std::uint32_t index) { return index < 3; };
  const Snapshot snapshot = Decode(image.Bytes(), first_three, kMoment).value();
  CHECK(snapshot.boot == kBoot);
  REQUIRE(snapshot.living.size() == 3);
  CHECK(snapshot.writers == 3);
  CHECK(snapshot.living[0].pid == 100);
  CHECK_FALSE(snapshot.living[0].file.has_value());
  CHECK(snapshot.living[1].pid == 101);
  REQUIRE(snapshot.living[1].file.has_value());
  CHECK(snapshot.living[1].file->boot == kBoot);
  CHECK(snapshot.living[1].file->device == 8);
  CHECK(snapshot.living[1].file->inode == 77);
  CHECK(snapshot.living[1].file->open == 2);
  CHECK(snapshot.living[2].pid == 102);
  CHECK_FALSE(snapshot.living[2].file.has_value());
}

TEST_CASE("refused connections are those of living processes, and who has nothing else is no writer") {
  Image image;
  image.slots.resize(2);
  for (Slot& slot : image.slots) {
    slot.owner = 5;
    slot.refused[0] = 3;
    slot.check = ProcessSaysCheck(slot);
  }
  image.header.refusals[0] = {9, kNow - 4'000'000'000, 4711};
  image.header.times_boot = kBoot;
  const auto first = [](std::uint32_t index) { return index == 0; };
  const Snapshot snapshot = Decode(image.Bytes(), first, kMoment).value();
  CHECK(snapshot.refused[0].connections == 3);
  CHECK(snapshot.refused[0].count == 9);
  CHECK(snapshot.refused[0].ago_ns == 0);
  CHECK(snapshot.refused[0].last_pid == 4711);
  CHECK(snapshot.refused[1].connections == 0);
  CHECK(snapshot.refused[1].ago_ns == UINT64_MAX);
  CHECK(snapshot.writers == 0);
  CHECK(snapshot.living.size() == 1);
  const Snapshot later = Decode(image.Bytes(), Nobody, kMoment).value();
  CHECK(later.refused[0].connections == 0);
  CHECK(later.refused[0].ago_ns == 4'000'000'000);
  CHECK(later.refused[0].last_unix_ns == kNowUnix - 4'000'000'000);
}

TEST_CASE("an image that is longer or shorter than its header says is refused") {
  Image image;
  image.slots.resize(2);
  std::vector<std::byte> bytes = image.Bytes();
  const std::size_t right = bytes.size();
  for (const std::size_t size : {right - 1, right + 1, std::size_t{kHeaderBytes}, right - kSlotBytes}) {
    bytes.resize(size);
    const auto decoded = Decode(bytes, Everybody, kMoment);
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.error().what.starts_with("truncated: "));
  }
}

TEST_CASE("a slot that was lost with the file's end is damage, not an idle slot") {
  Image image;
  image.slots.resize(3);
  const std::vector<std::byte> good = image.Bytes();
  REQUIRE(Decode(good, Everybody, kMoment).ok());
  for (std::size_t slot = 0; slot <= 3; ++slot) {
    std::vector<std::byte> bytes = good;
    std::fill_n(bytes.begin() + static_cast<std::ptrdiff_t>(SlotOffset(static_cast<std::uint32_t>(slot))),
                kSlotBytes, std::byte{0});
    const auto decoded = Decode(bytes, Everybody, kMoment);
    REQUIRE_FALSE(decoded.ok());
    CHECK(decoded.error().what == (slot == 3 ? "the overflow slot is damaged (wrong tag)"
                                             : "slot " + std::to_string(slot) + " is damaged (wrong tag)"));
  }
}
