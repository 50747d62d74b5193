#include "rulegen/tree/tree.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/file.h"
#include "test/rulegen/support/tiny_spec.h"
#include "test/rulegen/tree/place.h"

namespace fs = std::filesystem;
using namespace outgrown;
using artefacts::Artefact;
using test::Marked;
using test::Place;
using tree::Layout;

TEST_CASE("artefacts are written where [output] says, and a second run changes nothing") {
  Place place;
  CHECK(place.Write().size() == 2);
  CHECK(ReadFile(place.At("rules/gen/queue.yml")).value() == Marked("one\n"));
  CHECK(ReadFile(place.At("docs/queue.md")).value() == Marked("two\n"));
  CHECK(place.Write().empty());
  CHECK(place.Diff().empty());
  CHECK(place.LeftOver().empty());
}

TEST_CASE("what differs shows as a diff and is written alone") {
  Place place;
  place.Write();
  place.artefacts[0].bytes = Marked("changed\n");
  const std::string diff = place.Diff();
  CHECK(diff.find("-one\n+changed\n") != std::string::npos);
  CHECK(diff.find("docs/queue.md") == std::string::npos);
  CHECK(place.Write() == std::vector<fs::path>{place.At("rules/gen/queue.yml")});
}

TEST_CASE("a run that was cut short is completed by the next") {
  Place place;
  place.Write();
  place.artefacts = {{"gen/queue.yml", Marked("new\n")}, {"elsewhere/c.yml", Marked("three\n")}};
  std::ofstream(place.At("rules/elsewhere")) << "in the way\n";
  CHECK_FALSE(tree::WriteTree(place.made(), place.layout()).ok());
  CHECK(ReadFile(place.At("rules/gen/queue.yml")).value() == Marked("new\n"));
  CHECK_FALSE(place.Diff().empty());
  fs::remove(place.At("rules/elsewhere"));
  CHECK(place.Write() == std::vector<fs::path>{place.At("rules/elsewhere/c.yml")});
  CHECK(place.Diff().empty());
}

TEST_CASE("another folder gets the same layout, from the folder that holds spec and output") {
  struct Row {
    std::string file;
    std::string rules;
    std::string docs;
    std::string rules_on_disk;
  };
  const Row rows[] = {
      {"rules/queue.toml", "gen", "../docs", "out/rules/gen/queue.yml"},
      {"queue.toml", "gen", "gen", "out/HERE/gen/queue.yml"},
      {"/x/y/z/queue.toml", "gen", "../../docs", "out/y/z/gen/queue.yml"},
      {"/queue.toml", "gen", "gen", "out/gen/queue.yml"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.file);
    spec::Spec spec = test::TinySpec();
    spec.file = row.file;
    spec.output = {row.rules, std::nullopt, row.docs, {}};
    std::string expected = row.rules_on_disk;
    if (const auto here = expected.find("HERE"); here != std::string::npos) {
      expected.replace(here, 4, fs::current_path().filename().string());
    }
    CHECK(Layout(spec, "out").On("gen/queue.yml") == expected);
  }
  spec::Spec spec = test::TinySpec();
  spec.file = "/x/rules/queue.toml";
  CHECK(Layout(spec, "out").On("/etc/rules/a.yml") == "out/rules/etc/rules/a.yml");
  CHECK(Layout(spec, std::nullopt).On("/etc/rules/a.yml") == "/x/rules/etc/rules/a.yml");
}

TEST_CASE("an artefact begins with its own mode, and keeps the one that it has") {
  Place place;
  place.artefacts[0].mode_if_new = 0600;
  place.Write();
  const auto mode = [&](const std::string& path) { return fs::status(place.At(path)).permissions(); };
  CHECK(mode("rules/gen/queue.yml") == fs::perms(0600));
  fs::permissions(place.At("docs/queue.md"), fs::perms(0640));
  for (Artefact& artefact : place.artefacts) artefact.bytes += "more\n";
  place.Write();
  CHECK(mode("rules/gen/queue.yml") == fs::perms(0600));
  CHECK(mode("docs/queue.md") == fs::perms(0640));
}

TEST_CASE("a link that leads nowhere is a missing artefact") {
  Place place;
  place.Write();
  for (const char* target : {"nowhere", "queue.md"}) {  // the other one to itself
    CAPTURE(target);
    fs::remove(place.At("docs/queue.md"));
    fs::create_symlink(target, place.At("docs/queue.md"));
    CHECK(place.Diff().find("--- /dev/null") != std::string::npos);
    place.Write();
    CHECK(place.Diff().empty());
    CHECK_FALSE(fs::is_symlink(place.At("docs/queue.md")));
  }
}
