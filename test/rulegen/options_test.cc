#include "rulegen/options.h"

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <doctest/doctest.h>

#include "common/exit_status.h"

using namespace outgrown;
using rulegen::Exit;
using rulegen::Mode;
using rulegen::Options;

namespace {

std::variant<Options, Exit> Parse(std::vector<const char*> words) {
  words.insert(words.begin(), "rulegen");
  return rulegen::ParseOptions(static_cast<int>(words.size()), words.data());
}

}  // namespace

TEST_CASE("one mode and its options are read") {
  const auto parsed = Parse({"--generate", "--spec", "a.toml", "--spec", "b.toml", "--out", "dir"});
  const Options& options = std::get<Options>(parsed);
  CHECK(options.mode == Mode::kGenerate);
  CHECK(options.specs == std::vector<std::filesystem::path>{"a.toml", "b.toml"});
  CHECK(options.out == "dir");
  CHECK(std::get<Options>(Parse({"--check"})).specs.empty());
}

TEST_CASE("a wrong command line is exit status 2 and says what is wrong") {
  struct Row {
    std::vector<const char*> words;
    std::string_view says;
  };
  const Row rows[] = {
      {{}, "a mode is missing: one of --generate, --check"},
      {{"--generate", "--check"}, "--generate and --check exclude each other"},
      {{"--generat"}, "--generat"},
      {{"--check", "rules/checkpoint.toml"}, "has no meaning with --check"},
      {{"--check", "--spec"}, "--spec"},
      {{"--evaluate", "--out", "x"}, "--out has no meaning with --evaluate"},
      {{"--evaluate", "--step", "30s"}, "--step has no meaning with --evaluate"},
      {{"--archive"}, "--archive"},
      {{"--archive", ""}, "--archive: names no folder"},
      {{"--evaluate", "--log", ""}, "--log: names no file"},
      {{"--evaluate", "--headers-file", ""}, "--headers-file: names no file"},
      {{"--archive", "dir", "--evaluate"}, "exclude each other"},
      {{"--evaluate", "--include", "x"}, "--include has no meaning with --evaluate"},
      {{"--backtest", "--step", "999ms"}, "--step: found \"999ms\", expected 1s or more"},
      {{"--evaluate", "--since", "a day"},
       "--since: found \"a day\", expected a duration like 30s or 24h, or last"},
      {{"--evaluate", "--timeout", "0s"}, "--timeout: found \"0s\", expected a duration like 30s or 24h"},
      {{"--evaluate", "--at", "noon"}, "--at: found \"noon\", expected an instant like 2026-11-23T14:00:00Z"},
      {{"--evaluate", "--format", "xml"}, "--format: found \"xml\", expected text or json"},
      {{"--evaluate", "--prometheus", "http//127.0.0.1"}, "--prometheus: not a URL like http://"},
      {{"--evaluate", "--prometheus", ""}, "--prometheus: not a URL like http://"},
      {{"--backtest", "--prometheus", "http://u:p@h"}, "--prometheus: holds a user or a password"},
      {{"--verify", "--rules-url", "ftp://h"}, "--rules-url: not a URL like http://"},
      {{"--archive", "dir", "--alertmanager", "http://h?a=b"}, "--alertmanager: not a URL like http://"},
      {{"--evaluate", "--at", "9999-01-01T00:00:00Z"}, "--at lies in the future"},
      {{"--evaluate", "--since", "100y"}, "--since reaches back before 1970"},
      {{"--backtest", "--since", "last"}, "--since last has a meaning only with --evaluate"},
      {{"--archive", "dir", "--since", "last"}, "--since last has a meaning only with --evaluate"},
      {{"--evaluate", "--measurements", "-", "--since", "last"},
       "--since has no meaning with --measurements"},
      {{"--evaluate", "--measurements", "-", "--wait", "1m"}, "--wait has no meaning with --measurements"},
      {{"--backtest", "--at", "3600", "--since", "2h"}, "--since reaches back before 1970"},
      {{"--backtest", "--log", "x"}, "--log has no meaning with --backtest"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.says);
    const auto parsed = Parse(row.words);
    REQUIRE(std::holds_alternative<Exit>(parsed));
    const Exit& exit = std::get<Exit>(parsed);
    CHECK(exit.status == kExitUsage);
    CHECK(exit.text.starts_with("rulegen: "));
    CHECK(exit.text.find(row.says) != std::string::npos);
  }
}

TEST_CASE("the help says of each option which modes have it") {
  const std::string help = std::get<Exit>(Parse({"--help"})).text;
  const std::pair<const char*, const char*> rows[] = {
      {"--log FILE", "Options of --evaluate and --archive:"},
      {"--since DURATION", "Options of --evaluate, --backtest and --archive:"},
      {"--format FORMAT", "Options of --evaluate, --backtest and --verify:"},
      {"--rules-url URL", "Options of --evaluate, --backtest, --archive and --verify:"},
      {"--prune", "Options of --generate:"},
  };
  for (const auto& row : rows) {
    const std::string option = row.first;
    const char* const heading = row.second;
    CAPTURE(option);
    const std::size_t at = help.find(option);
    REQUIRE(at != std::string::npos);
    const std::size_t group = help.rfind("\n\n", at);
    CHECK(help.substr(group).find(heading) < at - group);
  }
}

TEST_CASE("help and version are no errors") {
  const Exit help = std::get<Exit>(Parse({"--help"}));
  CHECK(help.status == kExitOk);
  for (const std::string_view word : {"--generate", "--check", "--evaluate", "--spec FILE", "Exit status:"}) {
    CAPTURE(word);
    CHECK(help.text.find(word) != std::string::npos);
  }
  const Exit version = std::get<Exit>(Parse({"--version"}));
  CHECK(version.status == kExitOk);
  CHECK(version.text.starts_with("rulegen "));
}
