#include "clients/sqlite_observer/stores.h"

#include <string>

#include <doctest/doctest.h>

#include "counterblock/block_file.h"

using outgrown::block::IsStoreName;
using outgrown::observer::ChooseStore;
using outgrown::observer::StoreNameFrom;

TEST_CASE("which store a file is counted for") {
  struct Case {
    const char* path;
    const char* uri_value;
    const char* rules;
    const char* store;  // "" if the file is not counted
    bool named;
  };
  constexpr Case kCases[] = {
      {"/srv/agent/checkpoints.sqlite", "", "", "checkpoints", false},
      {"/srv/agent/checkpoints", "", "", "checkpoints", false},
      {"/srv/agent/check.points.db", "", "", "check.points", false},
      {"/srv/agent/.hidden", "", "", "_hidden", false},
      {"/srv/agent/a b:c.db", "", "", "a_b_c", false},
      {"/srv/agent/state.db", "agents", "", "agents", true},
      {"/srv/agent/state.db", "agents", "nothing", "agents", true},
      {"/srv/agent/state.db", "off", "state", "", false},
      {"/srv/agent/state.db", "", "state.db", "state", false},
      {"/srv/agent/state.db", "", "state", "state", false},
      {"/srv/agent/state.db", "", "stat", "", false},
      {"/srv/agent/state.db", "", "*.db", "state", false},
      {"/srv/agent/state.db", "", "/srv/agent/*", "state", false},
      {"/srv/agent/state.db", "", "/srv/other/*", "", false},
      {"/srv/agent/state.db", "", "agents=state.db", "agents", true},
      {"/srv/agent/state.db", "", "cache=cache.db:agents=/srv/agent/state.db", "agents", true},
      {"/srv/agent/state.db", "", "first=*:second=state.db", "first", true},
      {"/srv/agent/state.db", "", "::=:", "", false},
  };
  for (const Case& c : kCases) {
    CAPTURE(c.path);
    CAPTURE(c.uri_value);
    CAPTURE(c.rules);
    const auto choice = ChooseStore(c.path, c.uri_value, c.rules);
    REQUIRE(choice.has_value() == (*c.store != '\0'));
    if (!choice) continue;
    CHECK(choice->store == c.store);
    CHECK(choice->named == c.named);
  }
}

TEST_CASE("whatever a file is called, its store's name is one") {
  std::string every_byte;
  for (int byte = 1; byte < 256; ++byte) {
    const std::string one(1, static_cast<char>(byte));
    CHECK(IsStoreName(StoreNameFrom(one)));
    every_byte += one;
  }
  CHECK(IsStoreName(StoreNameFrom(every_byte)));
  CHECK(StoreNameFrom(every_byte).size() == 64);
  CHECK(StoreNameFrom("") == "database");
}
