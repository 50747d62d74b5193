#include "rulegen/generate/tree.h"

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/file.h"
#include "test/common/temporary_folder.h"
#include "test/rulegen/support/tiny_spec.h"

namespace fs = std::filesystem;
using namespace outgrown;
using generate::Artefact;
using generate::Change;
using generate::FileChange;
using generate::Layout;

namespace {

// A spec whose file lies in FOLDER/rules.
struct Place {
  test::TemporaryFolder folder;
  spec::Spec spec = test::TinySpec();
  std::vector<Artefact> artefacts = {{"gen/a.yml", "one\n"}, {"../docs/b.md", "two\n"}};

  Place() { spec.file = folder.path() / "rules" / "queue.toml"; }
  Layout layout() const { return Layout(spec, std::nullopt); }
  fs::path At(const std::string& path) const { return folder.path() / path; }
  std::vector<FileChange> Write() {
    auto changes = generate::WriteTree(spec, artefacts, layout());
    REQUIRE(changes.ok());
    return *changes;
  }
  std::string Diff() {
    auto diff = generate::DiffTree(spec, artefacts, layout());
    REQUIRE(diff.ok());
    return *diff;
  }
};

}  // namespace

TEST_CASE("artefacts are written where [output] says, and a second run changes nothing") {
  Place place;
  CHECK(place.Write().size() == 3);
  CHECK(ReadFile(place.At("rules/gen/a.yml")).value() == "one\n");
  CHECK(ReadFile(place.At("docs/b.md")).value() == "two\n");
  CHECK(fs::exists(place.At("rules/queue.manifest")));
  CHECK(place.Write().empty());
  CHECK(place.Diff().empty());
}

TEST_CASE("what differs shows as a diff and is written alone") {
  Place place;
  place.Write();
  place.artefacts[0].bytes = "changed\n";
  const std::string diff = place.Diff();
  CHECK(diff.find("-one\n+changed\n") != std::string::npos);
  CHECK(diff.find("docs/b.md") == diff.rfind("docs/b.md"));  // only in the manifest's unchanged line
  const std::vector<FileChange> changes = place.Write();
  REQUIRE(changes.size() == 2);  // the artefact and the manifest
  CHECK(changes[0].path == place.At("rules/gen/a.yml"));
}

TEST_CASE("what is no longer generated is removed, whatever it was called") {
  Place place;
  place.Write();
  place.artefacts = {{"elsewhere/c.yml", "three\n"}};
  place.spec.store.name = "renamed";
  CHECK(place.Diff().find("+++ /dev/null") != std::string::npos);
  place.Write();
  CHECK_FALSE(fs::exists(place.At("rules/gen/a.yml")));
  CHECK_FALSE(fs::exists(place.At("docs/b.md")));
  CHECK(fs::exists(place.At("rules/elsewhere/c.yml")));
  CHECK(place.Diff().empty());
}

TEST_CASE("a file that rulegen did not write, or that was changed since, is never removed") {
  Place place;
  place.Write();
  std::ofstream(place.At("rules/gen/own.yml")) << "people's\n";
  std::ofstream(place.At("docs/b.md")) << "edited\n";
  place.artefacts.clear();
  bool kept = false;
  for (const FileChange& change : place.Write()) {
    if (change.change == Change::kKept) {
      kept = true;
      CHECK(change.path == place.At("docs/b.md"));
      CHECK(change.note == "changed since rulegen wrote it");
    }
  }
  CHECK(kept);
  CHECK(fs::exists(place.At("rules/gen/own.yml")));
  CHECK(ReadFile(place.At("docs/b.md")).value() == "edited\n");
  CHECK_FALSE(fs::exists(place.At("rules/gen/a.yml")));
}

TEST_CASE("a damaged manifest stops the run before anything is written") {
  Place place;
  place.Write();
  std::ofstream(place.At("rules/queue.manifest")) << "x\n";
  place.artefacts[0].bytes = "changed\n";
  const auto changes = generate::WriteTree(place.spec, place.artefacts, place.layout());
  REQUIRE_FALSE(changes.ok());
  CHECK(changes.error().where == place.At("rules/queue.manifest").string());
  CHECK(ReadFile(place.At("rules/gen/a.yml")).value() == "one\n");
  CHECK_FALSE(generate::DiffTree(place.spec, place.artefacts, place.layout()).ok());
}

TEST_CASE("a run that was cut short is completed by the next") {
  Place place;
  place.Write();
  const std::string old_manifest = ReadFile(place.At("rules/queue.manifest")).value();
  place.artefacts = {{"gen/a.yml", "new\n"}, {"gen/d.yml", "four\n"}};
  place.Write();
  // As if it had ended after removing the orphan and before writing the manifest.
  std::ofstream(place.At("rules/queue.manifest")) << old_manifest;
  fs::remove(place.At("rules/gen/d.yml"));
  place.Write();
  CHECK(ReadFile(place.At("rules/gen/d.yml")).value() == "four\n");
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
      {"rules/queue.toml", "gen", "../docs", "out/rules/gen/a.yml"},
      {"queue.toml", "gen", "gen", "out/HERE/gen/a.yml"},
      {"/x/y/z/queue.toml", "gen", "../../docs", "out/y/z/gen/a.yml"},
      {"/queue.toml", "gen", "gen", "out/gen/a.yml"},
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
    CHECK(Layout(spec, "out").On("gen/a.yml") == expected);
  }
  spec::Spec spec = test::TinySpec();
  spec.file = "/x/rules/queue.toml";
  CHECK(Layout(spec, "out").On("/etc/rules/a.yml") == "out/etc/rules/a.yml");
  CHECK(Layout(spec, std::nullopt).On("/etc/rules/a.yml") == "/etc/rules/a.yml");
}

TEST_CASE(
    "a run that was cut short under another spec leaves nothing behind that an older spec's run does not "
    "remove") {
  Place place;
  place.Write();
  const std::vector<Artefact> old = place.artefacts;
  place.artefacts = {{"gen/a.yml", "new\n"}, {"elsewhere/c.yml", "three\n"}};
  // Cut short: the manifest's folder of the second artefact is a file.
  std::ofstream(place.At("rules/elsewhere")) << "in the way\n";
  CHECK_FALSE(generate::WriteTree(place.spec, place.artefacts, place.layout()).ok());
  CHECK(ReadFile(place.At("rules/gen/a.yml")).value() == "new\n");
  CHECK_FALSE(place.Diff().empty());
  // The older spec no longer has gen/a.yml either: the manifest knows it in both of its states.
  place.artefacts = {old[1]};
  for (const FileChange& change : place.Write()) CHECK(change.change != Change::kKept);
  CHECK_FALSE(fs::exists(place.At("rules/gen/a.yml")));
  CHECK(place.Diff().empty());
}

TEST_CASE("an orphan that cannot be removed is an error, and the next run still knows it") {
  Place place;
  place.Write();
  fs::remove(place.At("rules/gen/a.yml"));
  fs::create_directory(place.At("rules/gen/a.yml"));
  place.artefacts = {place.artefacts[1]};
  const auto changes = generate::WriteTree(place.spec, place.artefacts, place.layout());
  REQUIRE_FALSE(changes.ok());
  CHECK(changes.error().where == place.At("rules/gen/a.yml").string());
  CHECK(ReadFile(place.At("rules/queue.manifest")).value().find("gen/a.yml") != std::string::npos);
}
