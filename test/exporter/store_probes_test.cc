#include "exporter/store_probes.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "exporter/collectors/collectors.h"
#include "test/exporter/collectors/collected.h"

using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it
using outgrown::Error;
using outgrown::Result;
using outgrown::test::MakeSettings;

namespace {

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

// How many stores were begun and not passed on, at most.
std::atomic<int> not_visited = 0;
std::atomic<int> most_not_visited = 0;

Result<void> CountsNotVisited(StoreScrape& /*store*/, Samples& /*samples*/) {
  most_not_visited = std::max<int>(most_not_visited, ++not_visited);
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
  const auto settings = std::make_shared<const Settings>(MakeSettings());
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
  probes.Run(std::make_shared<const Settings>(MakeSettings()), targets,
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
  probes.Run(std::make_shared<const Settings>(MakeSettings()), {{"a", "", {}}, {"b", "", {}}, {"c", "", {}}},
             [&](const StoreReport& report) { reports.push_back(report); });
  REQUIRE(reports.size() == 3);
  for (const StoreReport& report : reports) CHECK(report.runs.at(0).second.done.ok());
}

TEST_CASE("reports are passed on while other stores are read, and don't pile up") {
  constexpr std::array kCollectors = {StoreCollector{"counts", &CountsNotVisited, nullptr}};
  StoreProbes probes(kCollectors, std::chrono::seconds(10));
  not_visited = most_not_visited = 0;
  probes.Run(std::make_shared<const Settings>(MakeSettings()), std::vector<StoreTarget>(100, {"s", "", {}}),
             [](const StoreReport&) { --not_visited; });
  CHECK(not_visited == 0);
  CHECK(most_not_visited < 50);  // 1, but for what the scheduler does
}

TEST_CASE("a collector that fails keeps what it had, and the error goes with its run") {
  constexpr std::array kCollectors = {StoreCollector{"fails", &FailsAfterOneSample, nullptr},
                                      StoreCollector{"instant", &Instant, nullptr}};
  StoreProbes probes(kCollectors, std::chrono::seconds(10));
  std::vector<StoreReport> reports;
  probes.Run(std::make_shared<const Settings>(MakeSettings()), {{"s", "", {}}},
             [&](const StoreReport& report) { reports.push_back(report); });
  CHECK(reports[0].samples.Find("checkpoint_wal_size_bytes", {"s"}) == 1);
  CHECK(reports[0].samples.Find("checkpoint_block_up", {"s"}) == 1);
  CHECK(reports[0].runs.at(0).second.done.error().what == "broken");
}
