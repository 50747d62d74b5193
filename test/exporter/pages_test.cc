#include "exporter/pages.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "exporter/scrape.h"
#include "test/common/temporary_folder.h"
#include "test/exporter/collectors/collected.h"

using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it
using outgrown::test::MakeSettings;
using outgrown::test::TemporaryFolder;

TEST_CASE("the metrics are one page, in pieces that none is moved for") {
  const TemporaryFolder folder;
  std::vector<NamedStore> stores;
  for (int i = 0; i < 2000; ++i) stores.push_back({"s" + std::to_string(i), "/nowhere"});
  const Log log(LogLevel::kError, LogFormat::kLogfmt);
  Scraper scraper(MakeSettings(), {{folder.path().string()}, stores}, log);
  const std::optional<HttpResponse> page =
      Pages(scraper, "/metrics").Answer("/metrics", [](const HttpBody&) {});
  REQUIRE(page.has_value());
  std::string text;
  for (const std::string& piece : *page->body) text += piece;
  CHECK(page->body->size() > 1);
  // None has outgrown the room that it was given.
  CHECK(std::ranges::all_of(*page->body, [&](const std::string& piece) {
    return piece.capacity() == page->body->front().capacity();
  }));
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

TEST_CASE("a page is made in a thread of its own, with which goes what the allocator keeps for it") {
  std::thread::id made_by;
  SharedPage().Get([&] { return made_by = std::this_thread::get_id(), std::vector<std::string>{"page"}; },
                   [](const HttpBody&) {});
  CHECK(made_by != std::thread::id());
  CHECK(made_by != std::this_thread::get_id());
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
