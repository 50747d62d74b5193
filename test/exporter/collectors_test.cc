// The collectors one by one, on real counter blocks and files.
#include "exporter/collectors/collectors.h"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>
#include <fmt/format.h>

#include "common/text.h"
#include "common/time_text.h"
#include "counterblock/writer.h"
#include "decision/log/decision_log.h"
#include "exporter/collectors/commit_account.h"
#include "exporter/collectors/samples.h"
#include "exporter/scrape.h"
#include "exporter/serializer.h"
#include "test/common/temporary_folder.h"
#include "thresholds/catalog.h"
#include "thresholds/table.h"

namespace fs = std::filesystem;
using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it
using outgrown::Result;
using outgrown::block::Outcome;
using outgrown::block::Writer;
using outgrown::test::TemporaryFolder;

namespace {

struct Blocks {
  Blocks() {
    fs::create_directory(folder.path() / "blocks");
    fs::permissions(folder.path() / "blocks", fs::perms::owner_all);
  }
  std::string directory() const { return (folder.path() / "blocks").string(); }
  std::string database() const { return (folder.path() / "a.db").string(); }
  Writer Open(const std::string& store) const {
    return Writer::Open(store, {.directory = directory(), .application = "", .database = database()}).value();
  }
  TemporaryFolder folder;
};

Settings MakeSettings() {
  Settings settings;
  settings.version = "1.2.3";
  settings.table = &outgrown::CompiledTable();
  settings.start_time_unix_seconds = 1795473190.5;
  return settings;
}

StoreTarget Target(const std::string& name, std::vector<BlockPlace> blocks,
                   const std::string& database = "") {
  return StoreTarget{name, database, std::move(blocks)};
}

// What the collector adds, as lines without the comments.
template <typename Collect>
std::vector<std::string> Lines(const Collect& collect, bool expect_ok = true) {
  Samples samples;
  const Result<void> done = collect(samples);
  CHECK(done.ok() == expect_ok);
  std::vector<std::string> lines;
  std::stringstream text;
  for (const FamilySamples& family : samples.families())
    ExactTextSerializer().Serialize(text, family.Collect());
  for (std::string line; std::getline(text, line);) {
    if (!line.starts_with('#')) lines.push_back(line);
  }
  return lines;
}

bool Has(const std::vector<std::string>& lines, const std::string& line) {
  return std::ranges::find(lines, line) != lines.end();
}

std::vector<std::string> BlockLines(const StoreTarget& target, bool expect_ok = true) {
  const Settings settings = MakeSettings();
  StoreScrape store{settings, target, target.database};
  return Lines([&](Samples& samples) { return CollectCounterBlock(store, samples); }, expect_ok);
}

}  // namespace

TEST_CASE("a block that nobody has written to shows every status and reason at 0") {
  const Blocks blocks;
  const Writer writer = blocks.Open("s");
  const auto lines = BlockLines(Target("s", {{blocks.directory(), {"s", 1}}}));
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
  const auto lines = BlockLines(Target("s", {{blocks.directory(), {"s", 1}}}));
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
  const StoreTarget target = Target("s", {{blocks.directory(), {"s", 1}}});
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
  Writer second =
      Writer::Open("s", {.directory = two.directory(), .application = "", .database = one.database()})
          .value();
  first.Record(Outcome::kOk, 1, 1);
  second.Record(Outcome::kOk, 1, 1);
  const StoreTarget target = Target("s", {{one.directory(), {"s", 1}}, {two.directory(), {"s", 1}}});
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
  const Writer second =
      Writer::Open("s", {.directory = two.directory(), .application = "", .database = one.database()})
          .value();
  const StoreTarget target = Target("s", {{two.directory(), {"s", 1}}, {one.directory(), {"s", 1}}});
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
  const BlockPlace good{blocks.directory(), {"s", 1}};
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
      {{{blocks.directory(), {"s", 2}}}, "counter block version N is not known, expected N", false},
      {{good, {blocks.directory(), {"short", 1}}}, "truncated: ends at byte N, N more expected", false},
      {{{blocks.directory(), {"fifo", 1}}}, "refused: not a regular file", false},
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
  const BlockPlace good{blocks.directory(), {"s", 1}};
  CHECK(left({good}) == std::array<std::uint64_t, 4>{1, 1, 1, 1});
  CHECK(left({good, {blocks.directory(), {"short", 1}}}) == std::array<std::uint64_t, 4>{});
}

TEST_CASE("the file of a process is that which it has open, or has closed after a write of the last minute") {
  const Blocks blocks;
  Writer writer = blocks.Open("s");
  const Settings settings = MakeSettings();
  const StoreTarget target = Target("s", {{blocks.directory(), {"s", 1}}});
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

TEST_CASE("a file is called unlinked if it is gone, not if the exporter can't look at it") {
  const Blocks blocks;
  fs::create_symlink("loop.db", blocks.folder.path() / "loop.db");
  std::ofstream(blocks.database()) << "here";
  const Settings settings = MakeSettings();
  const auto is_unlinked = [&](const std::string& database, std::uint64_t inode) {
    const StoreTarget target = Target("s", {}, database);
    StoreScrape store{settings, target, database};
    store.blocks.boot = 1;
    store.blocks.open_files = {{.boot = 1, .device = 7, .inode = inode, .open = 1}};
    Samples samples;
    static_cast<void>(CollectStoreCommits(store, samples));
    return samples.Find("checkpoint_measurement_problem_info", {"s", "unlinked_file"}).has_value();
  };
  CHECK_FALSE(is_unlinked(blocks.database(), 8));
  CHECK(is_unlinked((blocks.folder.path() / "gone.db").string(), 8));
  CHECK(is_unlinked("/nowhere/gone.db", 8));
  for (const std::string& unknown : {std::string(), (blocks.folder.path() / "loop.db").string()}) {
    CHECK_FALSE(is_unlinked(unknown, 8));
    CHECK(is_unlinked(unknown, 0));  // the application says so
  }
}

TEST_CASE("a block of an unknown major takes nothing away from the others, and is reported") {
  const Blocks blocks;
  Writer writer = blocks.Open("s");
  writer.Record(Outcome::kOk, 1, 1);
  const auto lines =
      BlockLines(Target("s", {{blocks.directory(), {"s", 1}}, {blocks.directory(), {"s", 2}}}), false);
  CHECK(Has(lines, R"(checkpoint_block_up{database="s"} 1)"));
  CHECK(Has(lines, R"(checkpoint_writes_total{database="s",status="success"} 1)"));
  CHECK(Has(lines, R"(checkpoint_block_problem_info{database="s",)"
                   R"(reason="counter block version N is not known, expected N"} 1)"));
}

TEST_CASE("blocks of one name that belong to different databases are a problem, unless --store decides") {
  const Blocks one;
  const Blocks two;
  const Writer first = one.Open("s");
  const Writer second = two.Open("s");
  const std::vector<BlockPlace> places = {{one.directory(), {"s", 1}}, {two.directory(), {"s", 1}}};
  CHECK(Has(BlockLines(Target("s", places), false), R"(checkpoint_block_up{database="s"} 0)"));
  CHECK(Has(BlockLines(Target("s", places, "/srv/a.db")), R"(checkpoint_block_up{database="s"} 1)"));
}

TEST_CASE("stores are those with a block and those that were named, each once and in order") {
  const Blocks one;
  const Blocks two;
  const Writer writers[] = {one.Open("b"), one.Open("c"), two.Open("b")};
  std::ofstream(fs::path(one.directory()) / "notes.txt") << "none of ours";
  const FoundStores found =
      FindStores({{one.directory(), two.directory(), "/nowhere"}, {{"a", "/srv/a.db"}, {"c", "/srv/c.db"}}});
  REQUIRE(found.stores.size() == 3);
  CHECK(found.stores[0].name == "a");
  CHECK(found.stores[0].blocks.empty());
  CHECK(found.stores[1].name == "b");
  CHECK(found.stores[1].blocks.size() == 2);
  CHECK(found.stores[2].name == "c");
  CHECK(found.stores[2].database == "/srv/c.db");
  REQUIRE(found.problems.size() == 1);
  CHECK(found.problems[0].where == "/nowhere");
}

TEST_CASE("the default directories are $OUTGROWN_DIR alone, else the system's and the user's own") {
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "system" / "app_b");
  fs::create_directories(folder.path() / "system" / "app_a");
  fs::create_directories(folder.path() / "runtime" / "outgrown");
  fs::create_directory_symlink("/", folder.path() / "system" / "link");
  std::ofstream(folder.path() / "system" / "file") << "no folder";
  ::unsetenv("OUTGROWN_DIR");
  ::setenv("XDG_RUNTIME_DIR", (folder.path() / "runtime").c_str(), 1);
  CHECK(DefaultBlockDirectories((folder.path() / "system").string()) ==
        std::vector<std::string>{folder.path() / "system" / "app_a", folder.path() / "system" / "app_b",
                                 folder.path() / "runtime" / "outgrown"});
  ::setenv("OUTGROWN_DIR", "/srv/blocks", 1);
  CHECK(DefaultBlockDirectories((folder.path() / "system").string()) ==
        std::vector<std::string>{"/srv/blocks"});
  ::unsetenv("OUTGROWN_DIR");
  ::unsetenv("XDG_RUNTIME_DIR");
  CHECK(DefaultBlockDirectories((folder.path() / "missing").string()).empty());
}

TEST_CASE("sizes of file and log are shown, and a file that can't be measured says why") {
  const Blocks blocks;
  std::ofstream(blocks.database()) << std::string(4096, 'x');
  const auto written_at = [](const std::string& path, std::int64_t unix_s) {
    const std::filesystem::file_time_type time =
        std::chrono::file_clock::from_sys(std::chrono::sys_seconds(std::chrono::seconds(unix_s)));
    std::filesystem::last_write_time(path, time);
  };
  written_at(blocks.database(), 1'790'000'000);
  const Settings settings = MakeSettings();
  const auto lines_of = [&](const std::string& database, bool expect_ok = true) {
    const StoreTarget target = Target("s", {}, database);
    StoreScrape store{settings, target, database};
    return Lines([&](Samples& samples) { return CollectSqliteFile(store, samples); }, expect_ok);
  };
  CHECK(lines_of(blocks.database()) ==
        std::vector<std::string>{R"(checkpoint_file_size_bytes{database="s"} 4096)",
                                 R"(checkpoint_wal_size_bytes{database="s"} 0)",
                                 R"(checkpoint_file_modified_timestamp_seconds{database="s"} 1790000000)"});
  // An empty log is one that somebody has opened and written nothing to.
  std::ofstream(blocks.database() + "-wal");
  written_at(blocks.database() + "-wal", 1'790'000'100);
  CHECK(Has(lines_of(blocks.database()),
            R"(checkpoint_file_modified_timestamp_seconds{database="s"} 1790000000)"));
  std::ofstream(blocks.database() + "-wal") << std::string(100, 'x');
  written_at(blocks.database() + "-wal", 1'790'000'100);
  CHECK(Has(lines_of(blocks.database()), R"(checkpoint_wal_size_bytes{database="s"} 100)"));
  CHECK(Has(lines_of(blocks.database()),
            R"(checkpoint_file_modified_timestamp_seconds{database="s"} 1790000100)"));
  CHECK(lines_of("") ==
        std::vector<std::string>{R"(checkpoint_file_problem_info{database="s",reason="no_path"} 1)"});
  CHECK(lines_of("/nowhere/a.db") ==
        std::vector<std::string>{R"(checkpoint_file_problem_info{database="s",reason="missing"} 1)"});
  CHECK(lines_of("/dev/zero", false) ==
        std::vector<std::string>{
            R"(checkpoint_file_problem_info{database="s",reason="not_a_regular_file"} 1)"});
}

TEST_CASE(
    "a write moves the time at which the store was last written, whatever its outcome and while it lasts") {
  const Blocks blocks;
  std::ofstream(blocks.database()) << std::string(4096, 'x');
  constexpr std::int64_t kWritten = 1'600'000'000;
  const auto written_at = [](const std::string& path, std::int64_t unix_s) {
    std::filesystem::last_write_time(
        path, std::chrono::file_clock::from_sys(std::chrono::sys_seconds(std::chrono::seconds(unix_s))));
  };
  const auto modified_s = [&](const Blocks& of) {
    const Settings settings = MakeSettings();
    const StoreTarget target = Target("s", {{of.directory(), {"s", 1}}});
    StoreScrape store{settings, target, blocks.database()};
    Samples samples;
    CHECK(CollectCounterBlock(store, samples).ok());
    const std::string_view name = R"(checkpoint_file_modified_timestamp_seconds{database="s"} )";
    for (const std::string& line : Lines([&](Samples& shown) { return CollectSqliteFile(store, shown); })) {
      if (line.starts_with(name)) return std::stod(line.substr(name.size()));
    }
    return 0.0;
  };
  written_at(blocks.database(), kWritten);
  for (const Outcome outcome : {Outcome::kBusy, Outcome::kFull, Outcome::kConstraint}) {
    const Blocks own;
    Writer writer = own.Open("s");
    CHECK(modified_s(own) == kWritten);
    writer.Record(outcome, 0, 1);
    CHECK(modified_s(own) > kWritten);
    // The file's time counts where it is the newer one.
    const std::int64_t later_s = outgrown::NowMs() / 1000 + 1000;
    written_at(blocks.database(), later_s);
    CHECK(modified_s(own) == static_cast<double>(later_s));
    written_at(blocks.database(), kWritten);
  }
  const Blocks own;
  Writer writer = own.Open("s");
  const outgrown::block::Start start = writer.Begin();
  CHECK(modified_s(own) > kWritten);
  writer.Abandon(start);
  CHECK(modified_s(own) == kWritten);
}

TEST_CASE("the deployment is what the operator said, and the thresholds are the table's") {
  Settings settings = MakeSettings();
  settings.servers = 3;
  settings.shared_id = "eu";
  const StoreTarget target = Target("s", {});
  StoreScrape store{settings, target, ""};
  CHECK(Lines([&](Samples& samples) { return CollectDeployment(store, samples); }) ==
        std::vector<std::string>{R"(checkpoint_deployment_servers{database="s",shared_id="eu"} 3)"});

  const auto lines = Lines([&](Samples& samples) { return CollectThresholdTable(settings, samples); });
  CHECK(lines.size() == settings.table->thresholds.size() + 1);
  CHECK(Has(
      lines,
      R"(checkpoint_threshold{store="checkpoint",threshold="WriteErrors",signal="write_error_ratio",verdict="migrate_now"} )" +
          outgrown::ExactNumber(settings.table->thresholds[0].limit)));
  CHECK(Has(lines, R"(checkpoint_threshold_table_info{store="checkpoint",digest=")" +
                       std::string(settings.table->digest) + R"("} 1)"));
}

TEST_CASE("the last decisions and the log's end are shown, and nothing without a log") {
  const TemporaryFolder folder;
  Settings settings = MakeSettings();
  const auto lines = [&](bool expect_ok = true) {
    return Lines([&](Samples& samples) { return CollectDecisionLog(settings, samples); }, expect_ok);
  };
  CHECK(lines().empty());
  settings.decision_log = (folder.path() / "decisions.jsonl").string();
  CHECK(lines().empty());
  const auto decision = [](std::string_view database, std::int64_t time_ms) {
    return fmt::format(
        R"("kind":"decision","origin":"prometheus","spec":"checkpoint","digest":"0d","time_ms":{},)"
        R"("labels":{{"job":"x","database":"{}"}},"verdict":"migrate_now")",
        time_ms, database);
  };
  const auto append = [&](const std::string& members, std::int64_t logged_ms) {
    return outgrown::decision_log::AppendRecords(settings.decision_log, {members}, logged_ms)
        .value()
        .links.back()
        .hash;
  };
  const std::string hash = append(decision("a", 1795473190500), 1795473191000);
  // By key, not as they were logged: an alert builds the same text.
  const std::string store = R"({store="checkpoint",subject="database=a,job=x")";
  CHECK(lines() == std::vector<std::string>{
                       "checkpoint_decision_timestamp_seconds" + store + "} 1795473190.5",
                       "checkpoint_decision_verdict" + store + R"(,verdict="migrate_now"} 1)",
                       "checkpoint_decision_spec_info" + store + R"(,digest="0d"} 1)",
                       "checkpoint_decision_log_records_total 1",
                       R"(checkpoint_decision_log_info{hash=")" + hash + R"("} 1)",
                   });
  // One that was made while the clock was ahead must not keep the alert on an overdue decision silent.
  const std::int64_t ahead_ms = outgrown::NowMs() + 86'400'000;
  append(decision("b", ahead_ms), ahead_ms);
  std::string all;
  for (const std::string& line : lines()) all += line + "\n";
  CHECK(all.find(R"(checkpoint_decision_verdict{store="checkpoint",subject="database=b,job=x")") !=
        std::string::npos);
  CHECK(all.find(R"(checkpoint_decision_timestamp_seconds{store="checkpoint",subject="database=b,job=x")") ==
        std::string::npos);
  // As a log is that an older version wrote: the warning about the failed collector says what to do.
  std::filesystem::remove(outgrown::decision_log::NewestPath(settings.decision_log));
  CHECK(lines(false).empty());
  Samples samples;
  const std::string why = CollectDecisionLog(settings, samples).error().Text();
  CAPTURE(why);
  CHECK(why.find("decisions.newest.json") != std::string::npos);
  CHECK(why.find("rulegen --evaluate") != std::string::npos);
  std::ofstream(settings.decision_log) << "";
  CHECK(lines().empty());
  settings.decision_log = folder.path().string();
  CHECK(lines(false).empty());
}

TEST_CASE("the process shows itself under the ecosystem's names") {
  const Settings settings = MakeSettings();
  Samples samples;
  REQUIRE(CollectProcess(settings, samples).ok());
  REQUIRE(CollectBuildInfo(settings, samples).ok());
  CHECK(samples.Find("process_start_time_seconds", {}) == 1795473190.5);
  CHECK(samples.Find("process_threads", {}) >= 1);
  CHECK(samples.Find("process_open_fds", {}) >= 3);
  CHECK(samples.Find("process_resident_memory_bytes", {}) > 100'000);
  CHECK(*samples.Find("process_virtual_memory_bytes", {}) >
        *samples.Find("process_resident_memory_bytes", {}));
  CHECK(samples.Find("process_cpu_seconds_total", {}) >= 0);
  CHECK(samples.Find("checkpoint_exporter_build_info", {"1.2.3"}) == 1);
}
