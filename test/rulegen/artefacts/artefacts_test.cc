#include "rulegen/artefacts/artefacts.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "rulegen/artefacts/promtool/rule_tests.h"
#include "test/rulegen/artefacts/untested.h"
#include "test/rulegen/support/tiny_spec.h"
#include "thresholds/names.h"
#include "thresholds/parse.h"

namespace fs = std::filesystem;
using namespace outgrown;

namespace {

std::map<std::string, std::string> Make(const spec::Spec& spec) {
  auto artefacts = artefacts::MakeArtefacts(spec, {});
  REQUIRE(artefacts.ok());
  std::map<std::string, std::string> bytes;
  for (const artefacts::Artefact& artefact : *artefacts)
    bytes[artefact.path.generic_string()] = artefact.bytes;
  CHECK(bytes.size() == artefacts->size());
  return bytes;
}

spec::Spec WithAlertmanager() {
  spec::Spec spec = test::TinySpec();
  spec.alertmanager.emplace();
  return spec;
}

}  // namespace

TEST_CASE("a spec makes these artefacts, and leaves out what [output] leaves out") {
  const auto paths = [](const spec::Spec& spec) {
    std::set<std::string> made;
    for (const auto& [path, bytes] : Make(spec)) made.insert(path);
    return made;
  };
  CHECK(paths(WithAlertmanager()) ==
        std::set<std::string>{
            "gen/queue.rules.yml", "gen/victoriametrics/queue.rules.yml", "gen/queue.test.yml",
            "gen/queue.10m.test.yml", "gen/queue.30m.test.yml", "gen/queue.thresholds.inc",
            "gen/queue.alertmanager.yml", "dashboards/queue.json", "dashboards/queue.fleet.json",
            "docs/queue.decision-matrix.md", "docs/queue.metrics.md", "docs/queue.runbook.md"});
  spec::Spec spec = test::TinySpec();
  spec.output = {"gen", std::nullopt, std::nullopt, {}};
  spec.rules.flavors = {spec::Flavor::kPrometheusOperator, spec::Flavor::kPrometheus};
  CHECK(paths(spec) == std::set<std::string>{"gen/prometheus-operator/queue.prometheusrule.yml",
                                             "gen/queue.rules.yml", "gen/queue.test.yml",
                                             "gen/queue.10m.test.yml", "gen/queue.30m.test.yml",
                                             "gen/queue.thresholds.inc"});
  CHECK(Make(spec)["gen/queue.test.yml"].find("rule_files: [queue.rules.yml]") != std::string::npos);
  spec.rules.flavors = {spec::Flavor::kVictoriaMetrics};
  CHECK(paths(spec) == std::set<std::string>{"gen/victoriametrics/queue.rules.yml", "gen/queue.test.yml",
                                             "gen/queue.10m.test.yml", "gen/queue.30m.test.yml",
                                             "gen/queue.thresholds.inc"});
  CHECK(Make(spec)["gen/queue.test.yml"].find("rule_files: [victoriametrics/queue.rules.yml]") !=
        std::string::npos);
}

TEST_CASE("every artefact carries the mark, and none a byte that depends on the run") {
  const spec::Spec spec = WithAlertmanager();
  const std::string mark = spec::GeneratedMark(spec);
  const auto first = Make(spec);
  for (const auto& row : first) {
    const auto& path = row.first;
    const auto& bytes = row.second;
    CAPTURE(path);
    CHECK(bytes.find(mark) != std::string::npos);
    CHECK(spec::CarriesMarkOf(spec, bytes));
    CHECK(bytes.ends_with('\n'));
  }
  CHECK(Make(spec) == first);
}

TEST_CASE("the mark of a spec is known in every artefact, whatever the spec's file is called") {
  spec::Spec spec = WithAlertmanager();
  spec::Spec other = spec;
  other.file = "other.toml";
  for (const char* name : {"a\"b\\c.toml", "a--b---c.toml", "größe\n.toml", "\xff.toml", "<!-- x -->.toml"}) {
    CAPTURE(name);
    spec.file = name;
    for (const auto& row : Make(spec)) {
      const auto& path = row.first;
      const auto& bytes = row.second;
      CAPTURE(path);
      CHECK_FALSE(spec::ReadMark(bytes).spec_file.empty());
      CHECK(spec::CarriesMarkOf(spec, bytes));
      CHECK_FALSE(spec::CarriesMarkOf(other, bytes));
    }
  }
  spec.file = "a--b.toml";
  other.file = "a-b.toml";
  CHECK_FALSE(spec::CarriesMarkOf(other, "# " + spec::GeneratedMark(spec)));
  const std::string mark = spec::GeneratedMark(spec);
  for (const std::string& text :
       {std::string(), std::string("# "), mark, "\n# " + mark, "{\n  \"title\": \"" + mark + "\"\n}\n"}) {
    CAPTURE(text);
    CHECK(spec::ReadMark(text).spec_file.empty());
  }
}

TEST_CASE("a changed threshold changes table, rules, tests, dashboard and documents") {
  spec::Spec spec = WithAlertmanager();
  auto before = Make(spec);
  spec.thresholds[0].limit = 123;
  const auto after = Make(spec);
  std::set<std::string> same;
  for (const auto& [path, bytes] : after) {
    if (before[path] == bytes) same.insert(path);
  }
  // Only what names no limit stays: the routes, the metric reference, the tests of recorded series and those about a
  // day's memory.
  CHECK(same == std::set<std::string>{"gen/queue.alertmanager.yml", "gen/queue.10m.test.yml",
                                      "gen/queue.30m.test.yml", "docs/queue.metrics.md"});
}

TEST_CASE("every runbook_url names a heading of the runbook") {
  spec::Spec spec = WithAlertmanager();
  auto bytes = Make(spec);
  std::set<std::string> anchors;
  const std::string& runbook = bytes["docs/queue.runbook.md"];
  for (std::size_t at = runbook.find("\n## "); at != std::string::npos; at = runbook.find("\n## ", at + 1)) {
    std::string heading = runbook.substr(at + 4, runbook.find('\n', at + 1) - at - 4);
    std::ranges::transform(heading, heading.begin(),
                           [](char c) { return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c; });
    anchors.insert(heading);
  }
  CHECK(anchors.size() == 5);
  const std::string& rules = bytes["gen/queue.rules.yml"];
  const std::string url = spec.rules.runbook_url + "#";
  int urls = 0;
  for (std::size_t at = rules.find(url); at != std::string::npos; at = rules.find(url, at + 1)) {
    const std::string anchor = rules.substr(at + url.size(), rules.find('\'', at) - at - url.size());
    CAPTURE(anchor);
    CHECK(anchors.contains(anchor));
    ++urls;
  }
  CHECK(urls == 5);
}

TEST_CASE("what is wrong with the user-supplied Alertmanager configuration is named") {
  spec::Spec spec = WithAlertmanager();
  spec.alertmanager->base = "base.yml";
  const auto with = [&](const std::string& text) {
    return artefacts::MakeArtefacts(spec,
                                    {.base = artefacts::Base{text, "base.yml", "..", 0600}, .also = {}});
  };
  CHECK(with("a: [").error().where.starts_with("base.yml:1:"));
  CHECK(with("[]").error().what == "expected a map with route and receivers");
  CHECK(with("receivers: []").error().what == "expected a map as route");
  CHECK(with("route: {routes: 5}").error().what == "expected a list as route.routes");
  CHECK(with("route: {}\ninhibit_rules: 5").error().what == "expected a list as inhibit_rules");
  CHECK(with("route: {receiver: a}\n").ok());
}

TEST_CASE("the generator knows no metric's name: what is read is in the spec") {
  const std::regex metric(R"(\b(checkpoint|pg|process)_[a-z]+|["( ]up["( ])");
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(OUTGROWN_SOURCE_ROOT) / "rulegen" / "artefacts")) {
    std::ifstream file(entry.path());
    std::string line;
    for (int number = 1; std::getline(file, line); ++number) {
      const std::string code = line.substr(0, line.find("//"));
      CAPTURE(entry.path().filename().string() + ":" + std::to_string(number) + ": " + line);
      CHECK_FALSE(std::regex_search(code, metric));
    }
  }
}

TEST_CASE("the tests of every committed spec leave nothing out") {
  const fs::path root = OUTGROWN_SOURCE_ROOT;
  int specs = 0;
  for (const char* folder : {"rules", "demo", "test/golden/queue", "test/golden/pair", "test/golden/small"}) {
    for (const fs::directory_entry& entry : fs::directory_iterator(root / folder)) {
      if (entry.path().extension() != ".toml") continue;
      CAPTURE(entry.path().string());
      const spec::LoadedSpec loaded = spec::LoadSpec(entry.path());
      REQUIRE(loaded.spec.has_value());
      const artefacts::RuleFile rules = artefacts::PlanRules(*loaded.spec);
      CHECK(artefacts::Untested(rules, artefacts::PlanTests(*loaded.spec, rules)) ==
            std::vector<std::string>());
      ++specs;
    }
  }
  CHECK(specs >= 7);
}
