// The collector of counter blocks, on real ones.
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "counterblock/writer.h"
#include "exporter/collectors/collectors.h"
#include "exporter/collectors/samples.h"
#include "test/exporter/collectors/collected.h"

namespace fs = std::filesystem;
using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it
using namespace outgrown::test;      // NOLINT(google-build-using-namespace): its helpers
using outgrown::block::Outcome;
using outgrown::block::Writer;

namespace {

std::vector<std::string> BlockLines(const StoreTarget& target, bool expect_ok = true) {
  const Settings settings = MakeSettings();
  StoreScrape store{settings, target, target.database};
  return Lines([&](Samples& samples) { return CollectCounterBlock(store, samples); }, expect_ok);
}

}  // namespace

TEST_CASE("a block that nobody has written to shows every status and reason at 0") {
  const Blocks blocks;
  const Writer writer = blocks.Open("s");
  const auto lines = BlockLines(Target("s", {blocks.Place("s")}));
  CHECK(Has(lines, R"(checkpoint_block_up{database="s"} 1)"));
  for (const std::string status : {"success", "error", "rejected"}) {
    CHECK(Has(lines, R"(checkpoint_writes_total{database="s",status=")" + status + R"("} 0)"));
  }
  for (const std::string reason : {"busy", "busy_snapshot", "full", "io", "corrupt", "other"}) {
    CHECK(Has(lines, R"(checkpoint_write_errors_total{database="s",reason=")" + reason + R"("} 0)"));
  }
  CHECK(Has(lines, R"(checkpoint_write_duration_seconds_count{database="s"} 0)"));
  CHECK(Has(lines, R"(checkpoint_last_write_timestamp_seconds{database="s"} 0)"));
  CHECK(Has(lines, R"(checkpoint_block_trace_lost{database="s"} 0)"));
}

TEST_CASE("the writes of a block are distinguished by status and reason, with their durations and bytes") {
  const Blocks blocks;
  Writer writer = blocks.Open("s");
  constexpr std::uint64_t kMillisecond = 1'000'000;
  const std::array outcomes = {Outcome::kOk,           Outcome::kOk,   Outcome::kOk, Outcome::kBusy,
                               Outcome::kBusySnapshot, Outcome::kFull, Outcome::kIo, Outcome::kConstraint,
                               Outcome::kCorrupt,      Outcome::kOther};
  for (const Outcome outcome : outcomes) writer.Record(outcome, 100, 100 * kMillisecond);
  writer.Record(Outcome::kOk, 5, 100 * kMillisecond + 1);
  const auto lines = BlockLines(Target("s", {blocks.Place("s")}));
  CHECK(Has(lines, R"(checkpoint_writes_total{database="s",status="success"} 4)"));
  CHECK(Has(lines, R"(checkpoint_writes_total{database="s",status="error"} 6)"));
  CHECK(Has(lines, R"(checkpoint_writes_total{database="s",status="rejected"} 1)"));
  for (const std::string reason : {"busy", "busy_snapshot", "full", "io", "corrupt", "other"}) {
    CHECK(Has(lines, R"(checkpoint_write_errors_total{database="s",reason=")" + reason + R"("} 1)"));
  }
  CHECK(Has(lines, R"(checkpoint_written_bytes_total{database="s"} 1005)"));
  CHECK(Has(lines, R"(checkpoint_write_duration_seconds_bucket{database="s",le="0.07"} 0)"));
  CHECK(Has(lines, R"(checkpoint_write_duration_seconds_bucket{database="s",le="0.1"} 10)"));
  CHECK(Has(lines, R"(checkpoint_write_duration_seconds_bucket{database="s",le="+Inf"} 11)"));
  CHECK(Has(lines, R"(checkpoint_write_duration_seconds_count{database="s"} 11)"));
  CHECK(Has(lines, R"(checkpoint_write_duration_seconds_sum{database="s"} 1.100000001)"));
  CHECK(Has(lines, R"(checkpoint_block_writers{database="s"} 1)"));
}

TEST_CASE("a lost trace is shown while it is lost and for ten minutes after its end") {
  const Blocks blocks;
  Writer writer = blocks.Open("s");
  const StoreTarget target = Target("s", {blocks.Place("s")});
  const std::string lost = R"(checkpoint_block_trace_lost{database="s"} 1)";
  const std::string not_lost = R"(checkpoint_block_trace_lost{database="s"} 0)";
  writer.TraceLost();
  CHECK(Has(BlockLines(target), lost));
  writer.TraceRegained();
  CHECK(Has(BlockLines(target), lost));
  std::fstream file(blocks.directory() + "/s.v1.counters", std::ios::binary | std::ios::in | std::ios::out);
  const auto end_before = [&](std::uint64_t ago_seconds) {
    // The machine may have started less than ten minutes ago; an earlier time than its start is never.
    const std::uint64_t then_ns = outgrown::block::NowNs() - ago_seconds * 1'000'000'000;
    file.seekp(offsetof(outgrown::block::Header, last_trace_lost_ns));
    file.write(reinterpret_cast<const char*>(&then_ns), sizeof then_ns).flush();
  };
  if (outgrown::block::NowNs() < 700'000'000'000) return;
  end_before(590);
  CHECK(Has(BlockLines(target), lost));
  end_before(601);
  CHECK(Has(BlockLines(target), not_lost));
}

TEST_CASE("blocks of one store in several directories are summed, and the database is found in them") {
  const Blocks one;
  const Blocks two;
  Writer first = one.Open("s");
  Writer second = two.Open("s", one.database());
  first.Record(Outcome::kOk, 1, 1);
  second.Record(Outcome::kOk, 1, 1);
  const StoreTarget target = Target("s", {one.Place("s"), two.Place("s")});
  CHECK(Has(BlockLines(target), R"(checkpoint_writes_total{database="s",status="success"} 2)"));

  const Settings settings = MakeSettings();
  StoreScrape store{settings, target, ""};
  Samples samples;
  REQUIRE(CollectCounterBlock(store, samples).ok());
  CHECK(store.database == one.database());
  StoreScrape overridden{settings, target, "/srv/other.db"};
  REQUIRE(CollectCounterBlock(overridden, samples).ok());
  CHECK(overridden.database == "/srv/other.db");
}

TEST_CASE(
    "the time at which a store's oldest block was made tells it from another store of the same labels") {
  const Blocks one;
  const Blocks two;
  const Writer first = one.Open("s");
  const Writer second = two.Open("s", one.database());
  const StoreTarget target = Target("s", {two.Place("s"), one.Place("s")});
  const std::uint64_t made_ns = outgrown::block::ReadBlock(one.directory(), {"s"}).value().created_unix_ns;
  const Settings settings = MakeSettings();
  StoreScrape store{settings, target, ""};
  Samples samples;
  REQUIRE(CollectCounterBlock(store, samples).ok());
  CHECK(samples.Find("checkpoint_block_created_timestamp_seconds", {"s"}) ==
        static_cast<double>(made_ns) / 1e9);
}

TEST_CASE("a store that has a block that can't be read shows why, and none of its counts") {
  const Blocks blocks;
  Writer writer = blocks.Open("s");
  writer.Record(Outcome::kOk, 1, 1);
  const BlockPlace good = blocks.Place("s");
  struct Case {
    std::vector<BlockPlace> places;
    std::string reason;
    bool ok;
  };
  std::ofstream(fs::path(blocks.directory()) / "short.v1.counters") << "OUTGROWN";
  fs::permissions(fs::path(blocks.directory()) / "short.v1.counters", fs::perms::owner_read);
  REQUIRE(::mkfifo((blocks.directory() + "/fifo.v1.counters").c_str(), 0600) == 0);
  const Case cases[] = {
      {{}, "there is no counter block", true},
      {{{blocks.Folder(), {"s", 2}}}, "counter block version N is not known, expected N", false},
      {{good, blocks.Place("short")}, "truncated: ends at byte N, N more expected", false},
      {{{blocks.Folder(), {"fifo", 1}}}, "refused: not a regular file", false},
  };
  for (const Case& c : cases) {
    const auto lines = BlockLines(Target("s", c.places), c.ok);
    CHECK(lines == std::vector<std::string>{
                       R"(checkpoint_block_up{database="s"} 0)",
                       R"(checkpoint_block_problem_info{database="s",reason=")" + c.reason + R"("} 1)"});
  }
}

TEST_CASE(
    "of the blocks of a store of which one can't be read, nothing is left for the collectors after theirs") {
  const Blocks blocks;
  Writer writer = blocks.Open("s");
  writer.FileOpened({7, 8});
  writer.Record(Outcome::kOk, 1, 1);
  std::ofstream(fs::path(blocks.directory()) / "short.v1.counters") << "OUTGROWN";
  fs::permissions(fs::path(blocks.directory()) / "short.v1.counters", fs::perms::owner_read);
  const Settings settings = MakeSettings();
  const auto left = [&](const std::vector<BlockPlace>& places) {
    const StoreTarget target = Target("s", places);
    StoreScrape store{settings, target, ""};
    Samples samples;
    CHECK(CollectCounterBlock(store, samples).ok() == (places.size() == 1));
    return std::array<std::uint64_t, 4>{store.blocks.counts.size(), store.blocks.open_files.size(),
                                        store.blocks.living_slots, store.blocks.boot != 0};
  };
  const BlockPlace good = blocks.Place("s");
  CHECK(left({good}) == std::array<std::uint64_t, 4>{1, 1, 1, 1});
  CHECK(left({good, blocks.Place("short")}) == std::array<std::uint64_t, 4>{});
}

TEST_CASE("the file of a process is that which it has open, or has closed after a write of the last minute") {
  const Blocks blocks;
  Writer writer = blocks.Open("s");
  const Settings settings = MakeSettings();
  const StoreTarget target = Target("s", {blocks.Place("s")});
  const auto files = [&] {
    StoreScrape store{settings, target, ""};
    Samples samples;
    REQUIRE(CollectCounterBlock(store, samples).ok());
    return store.blocks.open_files.size();
  };
  writer.FileOpened({7, 8});
  CHECK(files() == 1);
  writer.FileClosed({7, 8});
  CHECK(files() == 0);
  writer.Record(Outcome::kFull, 1, 1);
  CHECK(files() == 1);
}

TEST_CASE("a block of an unknown major takes nothing away from the others, and is no evidence") {
  const Blocks blocks;
  Writer writer = blocks.Open("s");
  writer.Record(Outcome::kOk, 1, 1);
  const auto lines = BlockLines(Target("s", {blocks.Place("s"), {blocks.Folder(), {"s", 2}}}), false);
  CHECK(Has(lines, R"(checkpoint_block_up{database="s"} 1)"));
  CHECK(Has(lines, R"(checkpoint_writes_total{database="s",status="success"} 1)"));
  CHECK(Has(lines, R"(checkpoint_block_problem_info{database="s",)"
                   R"(reason="counter block version N is not known, expected N"} 1)"));
  CHECK(Has(lines, R"(checkpoint_measurement_problem_info{database="s",reason="block_unreadable"} 1)"));
}

TEST_CASE("blocks of one name that belong to different databases are a problem, unless --store decides") {
  const Blocks one;
  const Blocks two;
  const Writer first = one.Open("s");
  const Writer second = two.Open("s");
  const std::vector<BlockPlace> places = {one.Place("s"), two.Place("s")};
  CHECK(Has(BlockLines(Target("s", places), false), R"(checkpoint_block_up{database="s"} 0)"));
  CHECK(Has(BlockLines(Target("s", places, "/srv/a.db")), R"(checkpoint_block_up{database="s"} 1)"));
}
