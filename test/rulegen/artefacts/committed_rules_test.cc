// The committed rule and test files, read with a YAML reader that knows nothing of how they were made.
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <yaml-cpp/yaml.h>

namespace fs = std::filesystem;

namespace {

std::vector<fs::path> TestFiles() {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(OUTGROWN_SOURCE_ROOT) / "rules" / "gen")) {
    if (entry.path().string().ends_with(".test.yml")) files.push_back(entry.path());
  }
  return files;
}

struct Names {
  std::set<std::string> alerts;
  std::set<std::string> series;
};

Names InRules(const fs::path& test_file, const YAML::Node& test) {
  Names names;
  const fs::path rules = test_file.parent_path() / test["rule_files"][0].as<std::string>();
  REQUIRE(fs::exists(rules));
  const YAML::Node file = YAML::LoadFile(rules.string());
  for (const YAML::Node& group : file["groups"]) {
    CHECK(group["rules"].size() <= 20);
    for (const YAML::Node& rule : group["rules"]) {
      if (rule["alert"]) names.alerts.insert(rule["alert"].as<std::string>());
      if (rule["record"]) names.series.insert(rule["record"].as<std::string>());
    }
  }
  return names;
}

Names Expected(const YAML::Node& test_file) {
  Names names;
  for (const YAML::Node& test : test_file["tests"]) {
    for (const YAML::Node& check : test["alert_rule_test"]) {
      if (check["exp_alerts"].size() > 0) names.alerts.insert(check["alertname"].as<std::string>());
    }
    for (const YAML::Node& check : test["promql_expr_test"]) {
      std::string expr = check["expr"].as<std::string>();  // round(SERIES, NEAREST), or round(SERIES)
      REQUIRE(expr.starts_with("round("));
      expr.erase(0, std::string("round(").size());
      if (check["exp_samples"].size() > 0) names.series.insert(expr.substr(0, expr.find_first_of("{,)")));
    }
  }
  return names;
}

}  // namespace

TEST_CASE(
    "every committed alert is expected to fire by a test, every recorded series has an expected value") {
  // One rule file may have several test files.
  struct OfRules {
    Names rules;
    Names expected;
  };
  std::map<std::string, OfRules> all;
  for (const fs::path& path : TestFiles()) {
    const YAML::Node test = YAML::LoadFile(path.string());
    OfRules& one = all[test["rule_files"][0].as<std::string>()];
    one.rules = InRules(path, test);
    Names expected = Expected(test);
    one.expected.alerts.merge(expected.alerts);
    one.expected.series.merge(expected.series);
  }
  REQUIRE(all.size() >= 2);
  for (const auto& row : all) {
    const auto& file = row.first;
    const auto& one = row.second;
    CAPTURE(file);
    CHECK(one.rules.alerts == one.expected.alerts);
    CHECK(one.rules.series == one.expected.series);
    CHECK(one.rules.alerts.size() >= 6);
  }
}

TEST_CASE("a check that must not fire names an alert that exists") {
  for (const fs::path& path : TestFiles()) {
    const YAML::Node file = YAML::LoadFile(path.string());
    const Names rules = InRules(path, file);
    for (const YAML::Node& test : file["tests"]) {
      for (const YAML::Node& check : test["alert_rule_test"]) {
        CHECK(rules.alerts.contains(check["alertname"].as<std::string>()));
      }
    }
  }
}
