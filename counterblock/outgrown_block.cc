// outgrown-block: prints what a counter block holds, to check whether an application is counted.
//
//   outgrown-block DIRECTORY [STORE]
//
// One line a value, "NAME VALUE", each block's begun by its "store"; without STORE every block in the
// directory. In the database's path control characters and backslashes are printed as \xHH. Exit status 0, 1
// if a block could not be read, 2 for a wrong command line.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>
#include <string_view>

#include "common/exit_status.h"
#include "common/result.h"
#include "counterblock/block_file.h"
#include "counterblock/reader.h"

namespace {

using outgrown::block::BlockName;
using outgrown::block::Outcome;
using outgrown::block::Snapshot;

void Print(std::string_view name, std::uint64_t value) {
  std::printf("%.*s %" PRIu64 "\n", static_cast<int>(name.size()), name.data(), value);
}

// One line, whatever the path: control characters and backslashes as \xHH.
std::string Escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f && c != '\\') {
      escaped += c;
      continue;
    }
    constexpr std::string_view kDigits = "0123456789abcdef";
    escaped += {'\\', 'x', kDigits[byte >> 4U], kDigits[byte & 0xfU]};
  }
  return escaped;
}

void PrintSnapshot(const BlockName& name, const Snapshot& snapshot) {
  std::printf("store %s\nmajor %u\ndatabase %s\n", name.store.c_str(), name.major,
              Escaped(snapshot.database).c_str());
  // Every outcome, also those of 0: a script that greps for a line finds it.
  for (std::uint32_t i = 0; i < outgrown::block::kOutcomeCount; ++i) {
    const auto outcome = static_cast<Outcome>(i);
    Print("writes_" + std::string(OutcomeName(outcome)), WritesOf(snapshot, outcome));
  }
  Print("unchanged", snapshot.unchanged);
  Print("unchanged_refused", snapshot.unchanged_refused);
  Print("bytes", snapshot.bytes);
  Print("duration_sum_ns", snapshot.duration_sum_ns);
  Print("lock_wait_ns", snapshot.lock_wait_ns);
  Print("lock_held_ns", snapshot.lock_held_ns);
  Print("lock_holds", snapshot.lock_holds);
  Print("lock_held_now_ns", snapshot.lock_held_now_ns);
  Print("last_write_unix_ns", snapshot.last_write_unix_ns);
  Print("in_flight", snapshot.in_flight);
  Print("oldest_in_flight_ns", snapshot.oldest_in_flight_ns);
  Print("writers", snapshot.writers);
  Print("slots", snapshot.slots);
  Print("overflow_records", snapshot.overflow_records);
  Print("traces_lost", snapshot.traces_lost);
  Print("last_trace_lost_unix_ns", snapshot.last_trace_lost_unix_ns);
  for (std::size_t i = 0; i < outgrown::block::kRefusalNames.size(); ++i) {
    const std::string reason = "refused_" + std::string(outgrown::block::kRefusalNames[i]);
    Print(reason, snapshot.refused[i].connections);
    Print(reason + "_total", snapshot.refused[i].count);
  }
  for (const outgrown::block::LivingSlot& living : snapshot.living) {
    const outgrown::block::OpenFile file = living.file.value_or(outgrown::block::OpenFile{});
    std::printf("living pid %" PRIu32 " device %" PRIu64 " inode %" PRIu64 " open %" PRIu64 "\n", living.pid,
                file.device, file.inode, file.open);
  }
}

// False if the block could not be read; the reason is printed.
bool PrintBlock(const std::string& directory, const BlockName& name) {
  const outgrown::Result<Snapshot> snapshot = ReadBlock(directory, name);
  if (!snapshot.ok()) {
    std::fprintf(stderr, "outgrown-block: %s\n", Escaped(snapshot.error().Text()).c_str());
    return false;
  }
  PrintSnapshot(name, *snapshot);
  return true;
}

}  // namespace

int main(int argc, char** argv) try {
  const bool help = argc == 2 && (std::string_view(argv[1]) == "--help" || std::string_view(argv[1]) == "-h");
  if (help || argc < 2 || argc > 3 || std::string_view(argv[1]).substr(0, 1) == "-") {
    std::fputs(
        "usage: outgrown-block DIRECTORY [STORE]\n"
        "DIRECTORY is the application's folder of counter blocks, its OUTGROWN_DIR: "
        "/run/outgrown/APPLICATION.\n",
        help ? stdout : stderr);
    return help ? outgrown::kExitOk : outgrown::kExitUsage;
  }
  const std::string directory = argv[1];
  if (argc == 3) {
    return PrintBlock(directory, BlockName{argv[2]}) ? outgrown::kExitOk : outgrown::kExitFailure;
  }
  const auto blocks = outgrown::block::ListBlocks(directory);
  if (!blocks.ok()) {
    std::fprintf(stderr, "outgrown-block: %s\n", blocks.error().Text().c_str());
    return outgrown::kExitFailure;
  }
  bool all_read = true;
  for (const BlockName& name : *blocks) all_read &= PrintBlock(directory, name);
  return all_read ? outgrown::kExitOk : outgrown::kExitFailure;
} catch (const std::exception& failed) {  // no memory
  std::fprintf(stderr, "outgrown-block: %s\n", failed.what());
  return outgrown::kExitFailure;
}
