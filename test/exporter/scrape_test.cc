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
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "exporter/collectors/collectors.h"
#include "exporter/pages.h"
#include "exporter/store_probes.h"
#include "test/common/temporary_folder.h"
#include "thresholds/table.h"

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

std::atomic<const std::shared_future<void>*> hang = nullptr;
std::atomic<int> hanging = 0;

Result<void> StuckForOne(StoreScrape& store, Samples& samples) {
  if (store.target.name.starts_with("hangs")) {
    ++hanging;
    std::shared_future<void>(*hang.load()).wait();
    --hanging;
  }
  if (store.target.name == "stuck") {
    ++begun;
    release.load()->get_future().wait();
  }
  samples.Set("checkpoint_file_size_bytes", {store.target.name}, 7);
  return {};
}

// Four times the deadline of its test; on a busy processor longer.
Result<void> ComputesForLong(StoreScrape& /*store*/, Samples& /*samples*/) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(200);
  while (std::chrono::steady_clock::now() < end) {
  }
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
  const auto run = [&](const std::vector<StoreTarget>& which) {
    std::vector<StoreReport> reports;
    probes.Run(settings, which, [&](const StoreReport& report) { reports.push_back(report); });
    return reports;
  };
  for (int scrape = 0; scrape < 3; ++scrape) {
    const auto start = std::chrono::steady_clock::now();
    const std::vector<StoreReport> reports = run(targets);
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(1));
    CHECK(reports[0].samples.Find("checkpoint_file_size_bytes", {"good"}) == 7);
    CHECK(reports[0].runs.at(1).second.done.ok());
    CHECK_FALSE(reports[1].samples.Find("checkpoint_file_size_bytes", {"stuck"}).has_value());
    CHECK(reports[1].samples.Find("checkpoint_file_problem_info", {"stuck", "stuck"}) == 1);
    CHECK(reports[1].database == "/mnt/a.db");
    CHECK(reports[1].runs.at(1).second.done.error().Text() == "/mnt/a.db: not ended in time");
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
    reports = run({{"stuck", "", {}}});
  } while (begun == 1 && std::chrono::steady_clock::now() < give_up);
  CHECK(reports[0].samples.Find("checkpoint_file_size_bytes", {"stuck"}) == 7);
}

TEST_CASE(
    "many stores that hang at once reach their deadlines together, and a healthy one behind them is read") {
  constexpr std::array kCollectors = {StoreCollector{"slow", &StuckForOne, &ShowStuck}};
  std::promise<void> answer;
  const std::shared_future<void> answered = answer.get_future().share();
  hang = &answered;
  std::vector<StoreTarget> targets(200, StoreTarget{"hangs", "", {}});
  for (std::size_t i = 0; i < targets.size(); ++i) targets[i].name += std::to_string(i);
  targets.push_back({"zzz", "", {}});
  StoreProbes probes(kCollectors, std::chrono::milliseconds(300));
  std::vector<StoreReport> reports;
  const auto start = std::chrono::steady_clock::now();
  probes.Run(std::make_shared<const Settings>(ScrapeSettings()), targets,
             [&](const StoreReport& report) { reports.push_back(report); });
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(10));  // one after the other: 30 s
  REQUIRE(reports.size() == targets.size());
  CHECK(reports.front().name == "hangs0");
  CHECK(reports.front().samples.Find("checkpoint_file_problem_info", {"hangs0", "stuck"}) == 1);
  CHECK(reports.back().samples.Find("checkpoint_file_size_bytes", {"zzz"}) == 7);
  answer.set_value();
  while (hanging > 0) std::this_thread::yield();
  hang = nullptr;
}

TEST_CASE("a store whose thread only waits for the processor is not called stuck") {
  constexpr std::array kCollectors = {StoreCollector{"busy", &ComputesForLong, &ShowStuck}};
  StoreProbes probes(kCollectors, std::chrono::milliseconds(50));
  std::vector<StoreReport> reports;
  probes.Run(std::make_shared<const Settings>(ScrapeSettings()),
             {{"a", "", {}}, {"b", "", {}}, {"c", "", {}}},
             [&](const StoreReport& report) { reports.push_back(report); });
  REQUIRE(reports.size() == 3);
  for (const StoreReport& report : reports) CHECK(report.runs.at(0).second.done.ok());
}

TEST_CASE("a collector that fails keeps what it had, and the error goes with its run") {
  constexpr std::array kCollectors = {StoreCollector{"fails", &FailsAfterOneSample, nullptr},
                                      StoreCollector{"instant", &Instant, nullptr}};
  StoreProbes probes(kCollectors, std::chrono::seconds(10));
  std::vector<StoreReport> reports;
  probes.Run(std::make_shared<const Settings>(ScrapeSettings()), {{"s", "", {}}},
             [&](const StoreReport& report) { reports.push_back(report); });
  CHECK(reports[0].samples.Find("checkpoint_wal_size_bytes", {"s"}) == 1);
  CHECK(reports[0].samples.Find("checkpoint_block_up", {"s"}) == 1);
  CHECK(reports[0].runs.at(0).second.done.error().what == "broken");
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
  CHECK(samples.Find("checkpoint_store_commits_total", {"good"}) == 0);
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
  const std::string page = Pages(scraper, "/metrics").Answer("/", [](const HttpBody&) {})->body->at(0);
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
  const std::string card = StoreCard(store, outgrown::CompiledTable());
  CHECK(card.find("/srv/&lt;script&gt;&quot;&amp;.db") != std::string::npos);
  CHECK(card.find("<script") == std::string::npos);
  CHECK(card.find("1\xC2\xA0"
                  "234\xC2\xA0"
                  "567") != std::string::npos);
  CHECK(card.find("5.0 GB") != std::string::npos);
  CHECK(card.find("a crashed transaction waits to be rolled back") != std::string::npos);
}

TEST_CASE("the landing page says why a store's counts are no evidence, in the words of the verdict line") {
  const outgrown::Table& table = outgrown::CompiledTable();
  REQUIRE(table.reasons.size() >= 10);
  std::vector<outgrown::ReasonRow> reasons(table.reasons.begin(), table.reasons.end());
  reasons.push_back({"of_another_spec", "of_another_spec"});  // one without a row reads as itself
  for (const outgrown::ReasonRow& reason : reasons) {
    CAPTURE(reason.id);
    StoreReport store;
    store.name = "s";
    store.samples.Set("checkpoint_block_up", {"s"}, 1);
    CHECK(StoreCard(store, table).find("badge good") != std::string::npos);
    store.samples.Set("checkpoint_measurement_problem_info", {"s", reason.id}, 1);
    const std::string card = StoreCard(store, table);
    CHECK(card.find("<li><b>Counts:</b> " + std::string(reason.sentence) + "</li>") != std::string::npos);
    // Files that can't be compared leave the counts usable where they agree from both sides.
    CHECK((card.find("badge good") == std::string::npos) == (reason.id != "file_not_comparable"));
  }
}

TEST_CASE("a reason that the commit counter has given is not said again for the counts") {
  StoreReport store;
  store.name = "s";
  store.samples.Set("checkpoint_block_up", {"s"}, 1);
  store.samples.Set("checkpoint_measurement_problem_info", {"s", "unreadable"}, 1);
  store.samples.Set("checkpoint_store_commits_problem_info", {"s", "no_permission"}, 1);
  const std::string card = StoreCard(store, outgrown::CompiledTable());
  CHECK(card.find("Counts:") == std::string::npos);
  CHECK(card.find("badge bad") != std::string::npos);
}

TEST_CASE("the metrics are one page, in pieces that none is moved for") {
  const TemporaryFolder folder;
  std::vector<NamedStore> stores;
  for (int i = 0; i < 2000; ++i) stores.push_back({"s" + std::to_string(i), "/nowhere"});
  const Log log(LogLevel::kError, LogFormat::kLogfmt);
  Scraper scraper(ScrapeSettings(), {{folder.path().string()}, stores}, log);
  const std::optional<HttpResponse> page =
      Pages(scraper, "/metrics").Answer("/metrics", [](const HttpBody&) {});
  REQUIRE(page.has_value());
  std::string text;
  for (const std::string& piece : *page->body) text += piece;
  CHECK(page->body->size() > 1);
  CHECK(text.starts_with("# HELP "));
  CHECK(text.ends_with('\n'));
  CHECK(text.find("checkpoint_block_up{database=\"s1999\"} 0\n") != std::string::npos);
}

TEST_CASE("who asks while a page is made gets that page") {
  SharedPage shared;
  std::atomic<int> made = 0;
  std::promise<void> go_on;
  const std::shared_future<void> may_go_on = go_on.get_future().share();
  const auto make = [&] {
    ++made;
    may_go_on.wait();
    return std::vector<std::string>{"page"};
  };
  const auto get = [&] { return shared.Get(make, [](const HttpBody&) {}); };
  std::future<HttpBody> first = std::async(std::launch::async, get);
  while (made == 0) std::this_thread::yield();
  std::future<HttpBody> second = std::async(std::launch::async, get);
  CHECK(second.wait_for(std::chrono::milliseconds(50)) == std::future_status::timeout);
  go_on.set_value();
  CHECK(first.get() == second.get());
  CHECK(made == 1);
  CHECK(get()->front() == "page");
  CHECK(made == 2);  // nobody is sent the first any more
}

TEST_CASE(
    "two pages live at most: who asks for a third within a second shares the newest, later the oldest is "
    "revoked") {
  SharedPage::Clock::time_point now;
  SharedPage shared([&] { return now; });
  std::vector<HttpBody> revoked;
  int made = 0;
  const auto get = [&] {
    return shared.Get([&] { return std::vector<std::string>{std::to_string(made++)}; },
                      [&](const HttpBody& body) { revoked.push_back(body); });
  };
  const HttpBody first = get();
  const HttpBody second = get();
  CHECK(first != second);
  CHECK(get() == second);
  CHECK(revoked.empty());
  now += std::chrono::milliseconds(999);
  CHECK(get() == second);
  now += std::chrono::milliseconds(1);
  const HttpBody third = get();
  CHECK(third->front() == "2");
  CHECK(revoked == std::vector<HttpBody>{first});
}
