// The collectors of a store's file: its size, the time of its last write, and whether it is there.
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/time_text.h"
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

void SetWritten(const std::string& path, std::int64_t unix_s) {
  fs::last_write_time(
      path, std::chrono::file_clock::from_sys(std::chrono::sys_seconds(std::chrono::seconds(unix_s))));
}

}  // namespace

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

TEST_CASE("sizes of file and log are shown, and a file that can't be measured says why") {
  const Blocks blocks;
  std::ofstream(blocks.database()) << std::string(4096, 'x');
  SetWritten(blocks.database(), 1'790'000'000);
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
  std::ofstream(blocks.database() + "-wal") << "";
  SetWritten(blocks.database() + "-wal", 1'790'000'100);
  CHECK(Has(lines_of(blocks.database()),
            R"(checkpoint_file_modified_timestamp_seconds{database="s"} 1790000000)"));
  std::ofstream(blocks.database() + "-wal") << std::string(100, 'x');
  SetWritten(blocks.database() + "-wal", 1'790'000'100);
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
  const auto modified_s = [&](const Blocks& of) {
    const Settings settings = MakeSettings();
    const StoreTarget target = Target("s", {of.Place("s")});
    StoreScrape store{settings, target, blocks.database()};
    Samples samples;
    CHECK(CollectCounterBlock(store, samples).ok());
    const std::string_view name = R"(checkpoint_file_modified_timestamp_seconds{database="s"} )";
    for (const std::string& line : Lines([&](Samples& shown) { return CollectSqliteFile(store, shown); })) {
      if (line.starts_with(name)) return std::stod(line.substr(name.size()));
    }
    return 0.0;
  };
  SetWritten(blocks.database(), kWritten);
  for (const Outcome outcome : {Outcome::kBusy, Outcome::kFull, Outcome::kConstraint}) {
    const Blocks own;
    Writer writer = own.Open("s");
    CHECK(modified_s(own) == kWritten);
    writer.Record(outcome, 0, 1);
    CHECK(modified_s(own) > kWritten);
    // The file's time counts where it is the newer one.
    const std::int64_t later_s = outgrown::NowMs() / 1000 + 1000;
    SetWritten(blocks.database(), later_s);
    CHECK(modified_s(own) == static_cast<double>(later_s));
    SetWritten(blocks.database(), kWritten);
  }
  const Blocks own;
  Writer writer = own.Open("s");
  const outgrown::block::Start start = writer.Begin();
  CHECK(modified_s(own) > kWritten);
  writer.Abandon(start);
  CHECK(modified_s(own) == kWritten);
}
