#include "counterblock/header.h"

#include <cstddef>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "test/support/rounds.h"

using outgrown::block::CheckedHeader;
using outgrown::block::CheckHeader;
using outgrown::block::Header;
using outgrown::block::HeaderChecksum;
using outgrown::block::MakeHeader;
using outgrown::block::PackSlotsUsed;
using outgrown::test::Rounds;

namespace {

std::span<const std::byte> BytesOf(const Header& header) { return std::as_bytes(std::span(&header, 1)); }

std::string ReasonOf(Header header, bool with_right_checksum = true) {
  if (with_right_checksum) header.checksum = HeaderChecksum(header);
  const auto checked = CheckHeader(BytesOf(header));
  return checked.ok() ? "" : checked.error().Text();
}

}  // namespace

TEST_CASE("a fresh header passes and says what it was made of") {
  const Header header = MakeHeader(17, "/srv/agent/state.db", 1234);
  const auto checked = CheckHeader(BytesOf(header));
  REQUIRE(checked.ok());
  CHECK(checked->slot_count == 17);
  CHECK(checked->slots_used == 0);
  CHECK(checked->file_bytes == 8192 + 18 * 1024);
  CHECK(checked->created_unix_ns == 1234);
  CHECK(checked->database == "/srv/agent/state.db");
}

TEST_CASE("the longest path fits") {
  const std::string path(outgrown::block::kDatabaseBytesMax, 'p');
  CHECK(CheckHeader(BytesOf(MakeHeader(1, path, 0))).value().database == path);
}

TEST_CASE("a wrong field is refused by name, with what was found and what would be right") {
  struct Case {
    const char* reason;
    void (*damage)(Header&);
  };
  const Case cases[] = {
      {"not a counter block (wrong magic)", [](Header& h) { h.magic[0] = 'X'; }},
      {"written on a machine of another byte order", [](Header& h) { h.byte_order = 0x04030201; }},
      {"counter block version 2 is not known, expected 1", [](Header& h) { h.major = 2; }},
      {"header_bytes is 4096, expected 8192", [](Header& h) { h.header_bytes = 4096; }},
      {"slot_bytes is 2048, expected 1024", [](Header& h) { h.slot_bytes = 2048; }},
      {"outcome_count is 9, expected 8", [](Header& h) { h.outcome_count = 9; }},
      {"bucket_count is 84, expected 83", [](Header& h) { h.bucket_count = 84; }},
      {"slot_count is 0, expected 1 to 4096", [](Header& h) { h.slot_count = 0; }},
      {"slot_count is 4097, expected 1 to 4096", [](Header& h) { h.slot_count = 4097; }},
      {"file_bytes is 1, expected 25600", [](Header& h) { h.file_bytes = 1; }},
      {"database_bytes is 4096, expected at most 4095", [](Header& h) { h.database_bytes = 4096; }},
      {"the high-water mark of the slots is damaged", [](Header& h) { h.slots_used = 3; }},
      {"the high-water mark of the slots is damaged", [](Header& h) { h.slots_used = PackSlotsUsed(17); }},
  };
  for (const Case& c : cases) {
    Header header = MakeHeader(16, "/db", 0);
    c.damage(header);
    CHECK(ReasonOf(header) == c.reason);
  }
}

TEST_CASE("a later minor with its meaning in reserved room is read") {
  Header header = MakeHeader(4, "/db", 0);
  header.minor = 7;
  header.reserved[0] = 99;
  CHECK(ReasonOf(header).empty());
}

TEST_CASE(
    "every byte of the header times every value is refused, except in reserved room and in a time, which may "
    "be any") {
  const Header good = MakeHeader(3, "/srv/agent/state.db", 42);
  int refused = 0;
  for (std::size_t offset = 0; offset < sizeof(Header); ++offset) {
    Header header = good;
    auto* byte = reinterpret_cast<unsigned char*>(&header) + offset;
    const unsigned char original = *byte;
    const bool reserved = offset >= offsetof(Header, reserved) && offset < offsetof(Header, database);
    const bool time = offset >= offsetof(Header, last_trace_lost_ns) && offset < offsetof(Header, reserved);
    const bool padding = offset >= offsetof(Header, database) + 64;
    // In `./run soak` every value; else a few, others at each byte, of reserved room and of the path's end, which are kilobytes
    // that are treated alike, fewest.
    const int step = Rounds(reserved || padding ? 255 : 51, 1);
    for (int value = static_cast<int>(offset) % step; value < 256; value += step) {
      if (value == original) continue;
      *byte = static_cast<unsigned char>(value);
      const auto checked = CheckHeader(BytesOf(header));
      if (checked.ok() != (reserved || time)) FAIL(offset, " = ", value);
      refused += checked.ok() ? 0 : 1;
    }
  }
  CHECK(refused > Rounds(4'000, 30'000));
}

TEST_CASE("a short header is refused") {
  const Header header = MakeHeader(3, "", 0);
  for (const std::size_t size : {0UL, 1UL, 63UL, 64UL, 8191UL}) {
    const auto checked = CheckHeader(BytesOf(header).first(size));
    REQUIRE_FALSE(checked.ok());
    CHECK(checked.error().what == "too short: " + std::to_string(size) + " bytes, the header alone has 8192");
  }
}
