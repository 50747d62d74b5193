// What the operator configured: stores, folders of blocks, the deployment; and what the process says of itself.
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/text.h"
#include "counterblock/writer.h"
#include "exporter/collectors/collectors.h"
#include "exporter/collectors/samples.h"
#include "exporter/scrape.h"
#include "test/exporter/collectors/collected.h"
#include "thresholds/table.h"

namespace fs = std::filesystem;
using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it
using namespace outgrown::test;      // NOLINT(google-build-using-namespace): its helpers
using outgrown::block::Writer;

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
