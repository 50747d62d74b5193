#include "exporter/scrape.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "exporter/collectors/collectors.h"
#include "exporter/pages.h"
#include "exporter/store_probes.h"
#include "test/common/temporary_folder.h"
#include "thresholds/compiled.h"

using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it
using outgrown::Error;
using outgrown::Result;
using outgrown::test::TemporaryFolder;

namespace {

Settings ScrapeSettings() {
  Settings settings;
  settings.version = "1.2.3";
  settings.table = &outgrown::CompiledTable();
  return settings;
}

// What the collector for "stuck" waits for, and how often it was begun.
std::atomic<std::promise<void>*> release = nullptr;
std::atomic<int> begun = 0;

Result<void> Instant(StoreScrape& store, Samples& samples) {
  samples.Set("checkpoint_block_up", {store.target.name}, 1);
  return {};
}

Result<void> StuckForOne(StoreScrape& store, Samples& samples) {
  if (store.target.name == "stuck") {
    ++begun;
    release.load()->get_future().wait();
  }
  samples.Set("checkpoint_file_size_bytes", {store.target.name}, 7);
  return {};
}

void ShowStuck(const std::string& store, Samples& samples) {
  samples.Set("checkpoint_file_problem_info", {store, "stuck"}, 1);
}

Result<void> FailsAfterOneSample(StoreScrape& store, Samples& samples) {
  samples.Set("checkpoint_wal_size_bytes", {store.target.name}, 1);
  return Error{"broken", "/srv/a.db"};
}

}  // namespace

TEST_CASE(
    "a store that doesn't answer is called stuck, delays no other, and is not asked again until it answers") {
  constexpr std::array kCollectors = {StoreCollector{"instant", &Instant, nullptr},
                                      StoreCollector{"slow", &StuckForOne, &ShowStuck}};
  std::promise<void> answer;
  release = &answer;
  begun = 0;
  const auto settings = std::make_shared<const Settings>(ScrapeSettings());
  const std::vector<StoreTarget> targets = {{"good", "", {}}, {"stuck", "/mnt/a.db", {}}};
  StoreProbes probes(kCollectors, std::chrono::milliseconds(50));
  for (int scrape = 0; scrape < 3; ++scrape) {
    const auto start = std::chrono::steady_clock::now();
    const std::vector<StoreReport> reports = probes.Run(settings, targets);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
    CHECK(reports[0].samples.Find("checkpoint_file_size_bytes", {"good"}) == 7);
    CHECK(reports[0].runs.at("slow").done.ok());
    CHECK_FALSE(reports[1].samples.Find("checkpoint_file_size_bytes", {"stuck"}).has_value());
    CHECK(reports[1].samples.Find("checkpoint_file_problem_info", {"stuck", "stuck"}) == 1);
    CHECK(reports[1].database == "/mnt/a.db");
    CHECK(reports[1].runs.at("slow").done.error().Text() == "/mnt/a.db: not ended in time");
  }
  CHECK(begun == 1);

  answer.set_value();
  std::promise<void> again;
  release = &again;
  again.set_value();
  // The thread ends when the system lets it; from then on the store is measured again.
  std::vector<StoreReport> reports;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  do {
    reports = probes.Run(settings, {{"stuck", "", {}}});
  } while (begun == 1 && std::chrono::steady_clock::now() < give_up);
  CHECK(reports[0].samples.Find("checkpoint_file_size_bytes", {"stuck"}) == 7);
}

TEST_CASE("a collector that fails keeps what it had, and the error goes with its run") {
  constexpr std::array kCollectors = {StoreCollector{"fails", &FailsAfterOneSample, nullptr},
                                      StoreCollector{"instant", &Instant, nullptr}};
  StoreProbes probes(kCollectors, std::chrono::seconds(10));
  const auto reports = probes.Run(std::make_shared<const Settings>(ScrapeSettings()), {{"s", "", {}}});
  CHECK(reports[0].samples.Find("checkpoint_wal_size_bytes", {"s"}) == 1);
  CHECK(reports[0].samples.Find("checkpoint_block_up", {"s"}) == 1);
  CHECK(reports[0].runs.at("fails").done.error().what == "broken");
}

TEST_CASE("a scrape shows for every collector whether it succeeded, and one failure spoils nothing else") {
  const TemporaryFolder folder;
  const std::string path = (folder.path() / "a.db").string();
  std::ofstream(path) << "";
  const Log log(LogLevel::kError, LogFormat::kLogfmt);
  Scraper scraper(ScrapeSettings(), {{folder.path().string()}, {{"good", path}, {"broken", "/dev/null"}}},
                  log);
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
  CHECK(samples.Find("checkpoint_store_commits_total", {"good", "header"}) == 0);
  for (const StoreCollector& collector : kStoreCollectors) {
    CHECK(own.Find("checkpoint_collector_duration_seconds", {collector.name}) >= 0);
  }
}

TEST_CASE(
    "without any store the collectors are shown all the same, and the page at / says how one gets there") {
  const TemporaryFolder folder;
  const Log log(LogLevel::kError, LogFormat::kLogfmt);
  Scraper scraper(ScrapeSettings(), {{folder.path().string()}, {}}, log);
  const Samples own = scraper.Scrape([](const StoreReport&) { FAIL("there is no store"); });
  for (const StoreCollector& collector : kStoreCollectors) {
    CHECK(own.Find("checkpoint_collector_success", {collector.name}) == 1);
  }
  const std::string page = Pages(scraper, "/metrics").Answer("/")->body.at(0);
  CHECK(page.find("No store yet") != std::string::npos);
  CHECK(page.find("href=\"/metrics\"") != std::string::npos);
}

TEST_CASE("the landing page shows each store, and nothing of a store can break out of it") {
  StoreReport store;
  store.name = "s";
  store.database = "/srv/<script>\"&.db";
  store.samples.Set("checkpoint_block_up", {"s"}, 1);
  store.samples.Set("checkpoint_writes_total", {"s", "success"}, 1234567);
  store.samples.Set("checkpoint_file_size_bytes", {"s"}, 5368709120);
  store.samples.Set("checkpoint_store_commits_problem_info", {"s", "hot_journal"}, 1);
  const std::string card = StoreCard(store);
  CHECK(card.find("/srv/&lt;script&gt;&quot;&amp;.db") != std::string::npos);
  CHECK(card.find("<script") == std::string::npos);
  CHECK(card.find("1\xC2\xA0"
                  "234\xC2\xA0"
                  "567") != std::string::npos);
  CHECK(card.find("5.0 GB") != std::string::npos);
  CHECK(card.find("a crashed transaction waits to be rolled back") != std::string::npos);
}

TEST_CASE("the metrics are one page, in pieces that none is moved for") {
  const TemporaryFolder folder;
  std::vector<NamedStore> stores;
  for (int i = 0; i < 2000; ++i) stores.push_back({"s" + std::to_string(i), "/nowhere"});
  const Log log(LogLevel::kError, LogFormat::kLogfmt);
  Scraper scraper(ScrapeSettings(), {{folder.path().string()}, stores}, log);
  const std::optional<HttpResponse> page = Pages(scraper, "/metrics").Answer("/metrics");
  REQUIRE(page.has_value());
  std::string text;
  for (const std::string& piece : page->body) text += piece;
  CHECK(page->body.size() > 1);
  CHECK(text.starts_with("# HELP "));
  CHECK(text.ends_with('\n'));
  CHECK(text.find("checkpoint_block_up{database=\"s1999\"} 0\n") != std::string::npos);
}
