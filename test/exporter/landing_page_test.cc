#include "exporter/landing_page.h"

#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "thresholds/table.h"

using namespace outgrown::exporter;  // NOLINT(google-build-using-namespace): the whole file is about it

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
