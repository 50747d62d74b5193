#include "exporter/scrape.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "exporter/collectors/collectors.h"
#include "exporter/pages.h"
#include "test/common/temporary_folder.h"
#include "test/exporter/collectors/collected.h"

using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it
using outgrown::test::MakeSettings;
using outgrown::test::TemporaryFolder;

TEST_CASE("a scrape shows for every collector whether it succeeded, and one failure spoils nothing else") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  std::ofstream(path) << "";
  const Log log(LogLevel::kError, LogFormat::kLogfmt);
  Scraper scraper(MakeSettings(), {{folder.path().string()}, {{"good", path}, {"broken", "/dev/null"}}}, log);
  std::vector<std::string> names;
  Samples samples;
  const Samples own = scraper.Scrape([&](const StoreReport& store) {
    names.push_back(store.name);
    samples.Merge(store.samples);
  });
  CHECK(names == std::vector<std::string>{"broken", "good"});
  CHECK(own.Find("checkpoint_collector_success", {"sqlite_file"}) == 0);
  CHECK(own.Find("checkpoint_collector_success", {"process"}) == 1);
  CHECK(own.Find("checkpoint_collector_success", {"stores"}) == 1);
  CHECK(samples.Find("checkpoint_file_size_bytes", {"good"}) == 0);
  CHECK(samples.Find("checkpoint_store_commits_total", {"good"}) == 0);
  for (const StoreCollector& collector : kStoreCollectors) {
    CHECK(own.Find("checkpoint_collector_duration_seconds", {collector.name}) >= 0);
  }
}

TEST_CASE(
    "without any store the collectors are shown all the same, and the page at / says how one gets there") {
  const TemporaryFolder folder;
  const Log log(LogLevel::kError, LogFormat::kLogfmt);
  Scraper scraper(MakeSettings(), {{folder.path().string()}, {}}, log);
  const Samples own = scraper.Scrape([](const StoreReport&) { FAIL("there is no store"); });
  for (const StoreCollector& collector : kStoreCollectors) {
    CHECK(own.Find("checkpoint_collector_success", {collector.name}) == 1);
  }
  const std::string page = Pages(scraper, "/metrics").Answer("/", [](const HttpBody&) {})->body->at(0);
  CHECK(page.find("No store yet") != std::string::npos);
  CHECK(page.find("href=\"/metrics\"") != std::string::npos);
}
