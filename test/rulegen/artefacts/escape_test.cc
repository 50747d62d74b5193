#include "rulegen/artefacts/escape.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>
#include <yaml-cpp/yaml.h>

#include "common/json.h"
#include "common/text.h"
#include "rulegen/artefacts/node.h"
#include "test/rulegen/support/hostile.h"
#include "test/support/rounds.h"
#include "thresholds/table_source.h"

using namespace outgrown;
using outgrown::test::Rounds;

namespace {

constexpr std::uint64_t kSeed = 20261123;
constexpr int kStrings = 100'000;

// What Go's text/template makes of text whose only actions are {{"..."}}: the string without the marks.
std::string ExpandGoTemplate(std::string_view text) {
  std::string expanded;
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    expanded += text.substr(0, open);
    if (open == std::string_view::npos) break;
    text.remove_prefix(open);
    // HelmText has a blank at either end of the action.
    const std::size_t blank = text.starts_with("{{ ") ? 1 : 0;
    REQUIRE(text.substr(2 + blank).starts_with('"'));
    const std::size_t close = text.find(blank == 1 ? "\" }}" : "\"}}");
    REQUIRE(close != std::string_view::npos);
    expanded += text.substr(3 + blank, close - 3 - blank);
    text.remove_prefix(close + 3 + blank);
  }
  return expanded;
}

}  // namespace

TEST_CASE("hostile strings come back from YAML, JSON, C++ and Go templates as they went in") {
  CAPTURE(kSeed);
  std::mt19937_64 random(kSeed);
  const int strings = Rounds(kStrings / 10, kStrings);
  for (int i = 0; i < strings; ++i) {
    const std::string text = test::HostileString(random);
    CAPTURE(text);
    REQUIRE(spec::CppString(text).find("??") == std::string::npos);  // no trigraph, in whichever mode
    REQUIRE(nlohmann::json::parse(JsonString(text)).get<std::string>() == text);
    REQUIRE(ExpandGoTemplate(artefacts::GoTemplateText(text)) == text);
    REQUIRE(ExpandGoTemplate(artefacts::HelmText(text)) == text);
    const YAML::Node yaml = YAML::Load("key: " + artefacts::YamlString(text) + "\n");
    REQUIRE(yaml.IsMap());
    REQUIRE(yaml.size() == 1);
    REQUIRE(yaml["key"].Scalar() == text);
    // A plain scalar must not be one of YAML's own words.
    if (artefacts::YamlString(text) == text) REQUIRE(ParseNumber(text) == std::nullopt);
  }
}

TEST_CASE("hostile keys and values come back from whole documents") {
  CAPTURE(kSeed);
  std::mt19937_64 random(kSeed);
  const int documents = Rounds(500, 5'000);
  for (int i = 0; i < documents; ++i) {
    const std::string key = test::HostileString(random);
    const std::string value = test::HostileString(random);
    CAPTURE(key);
    CAPTURE(value);
    const artefacts::Node node = artefacts::Node::Of(artefacts::Node::Map{
        {"a", artefacts::Node::Of(artefacts::Node::List{
                  artefacts::Node::Of(artefacts::Node::Map{{key, artefacts::Node::String(value)}})})},
        {"b", artefacts::Node::Strings({value, key})}});
    for (const YAML::Node& read :
         {YAML::Load(artefacts::ToYaml(node)), YAML::Load(artefacts::ToJson(node))}) {
      if (key.size() > 1000) continue;
      REQUIRE(read["a"][0].begin()->first.Scalar() == key);
      REQUIRE(read["a"][0].begin()->second.Scalar() == value);
      REQUIRE(read["b"][0].Scalar() == value);
      REQUIRE(read["b"][1].Scalar() == key);
    }
    const nlohmann::json json = nlohmann::json::parse(artefacts::ToJson(node));
    REQUIRE(json["a"][0][key] == value);
    REQUIRE(json["b"][1] == key);
  }
}

TEST_CASE("doubles come back bit for bit from YAML and JSON") {
  CAPTURE(kSeed);
  std::mt19937_64 random(kSeed);
  const int doubles = Rounds(10'000, 100'000);
  for (int i = 0; i < doubles; ++i) {
    const double value = std::bit_cast<double>(random());
    if (!std::isfinite(value)) continue;
    CAPTURE(value);
    const std::string token = artefacts::ToJson(artefacts::Node::Number(value));
    // nlohmann reads through strtod, yaml-cpp through a stream.
    REQUIRE(std::bit_cast<std::uint64_t>(nlohmann::json::parse(token).get<double>()) ==
            std::bit_cast<std::uint64_t>(value));
    REQUIRE(YAML::Load(artefacts::ToYaml(artefacts::Node::Number(value))).as<double>() == value);
  }
}

TEST_CASE("YAML strings are plain only where no reader could take them for something else") {
  struct Row {
    std::string_view text;
    std::string_view scalar;
  };
  constexpr Row kRows[] = {
      {"", "''"},
      {"a", "a"},
      {"yes", "'yes'"},
      {"No", "'No'"},
      {"null", "'null'"},
      {"NaN", "'NaN'"},
      {"1e3", "'1e3'"},
      {"a: b", "'a: b'"},
      {"a:", "'a:'"},
      {"a:b", "a:b"},
      {"it's", "'it''s'"},
      {"a\nb", "\"a\\nb\""},
      {"x > 1", "'x > 1'"},
      {"-", "'-'"},
      {"\u00e9", "'\u00e9'"},
      {"\x01", "\"\\x01\""},
      {"\u2028", "\"\\u2028\""},
      {"~", "'~'"},
      {" a", "' a'"},
      {"\xff", "'\ufffd'"},
  };
  for (const Row& row : kRows) CHECK(artefacts::YamlString(row.text) == row.scalar);
}

TEST_CASE("documents are laid out with their keys in order") {
  const artefacts::Node node = artefacts::Node::Of(artefacts::Node::Map{
      {"z", artefacts::Node::Integer(1)},
      {"a", artefacts::Node::Of(artefacts::Node::List{
                artefacts::Node::Of(artefacts::Node::Map{
                    {"b", artefacts::Node::Bool(true)},
                    {"c", artefacts::Node::Of(artefacts::Node::Map{{"d", artefacts::Node::Raw("5m")}})}}),
                artefacts::Node::Of(artefacts::Node::Map{})})},
      {"e", artefacts::Node::Of(artefacts::Node::List{})},
      {"f", artefacts::Node::Strings({"x", "y z"})}});
  CHECK(artefacts::ToYaml(node) ==
        "z: 1\na:\n  - b: true\n    c:\n      d: 5m\n  - {}\ne: []\nf: [x, 'y z']\n");
}

TEST_CASE("Markdown shows text as it is, in one line") {
  CHECK(artefacts::MarkdownText("a|b *c* <d> _e_ `f` [g](h)\ni") ==
        "a\\|b \\*c\\* \\<d> \\_e\\_ \\`f\\` \\[g\\](h) i");
  CHECK(artefacts::MarkdownText("snake_case_name > 1") == "snake_case_name > 1");
  CHECK(artefacts::MarkdownCode("a|b") == "`a\\|b`");
  CHECK(artefacts::MarkdownCode("a`b") == "`` a`b ``");
}
