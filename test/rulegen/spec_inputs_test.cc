#include "rulegen/spec_inputs.h"

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "common/file.h"
#include "rulegen/artefacts/artefacts.h"
#include "rulegen/tree/shared_files.h"
#include "test/common/temporary_folder.h"
#include "test/rulegen/support/tiny_spec.h"
#include "thresholds/parse.h"

namespace fs = std::filesystem;
using namespace outgrown;

namespace {

// As rulegen makes them: with what the spec names read from disk.
Result<std::vector<artefacts::Artefact>> Make(const spec::Spec& spec) {
  rulegen::AlsoSpecs also = rulegen::LoadAlso(spec);
  REQUIRE(also.diagnostics.empty());
  Result<std::optional<artefacts::Base>> base = rulegen::LoadBase(spec);
  if (!base) return base.error();
  return artefacts::MakeArtefacts(spec, {std::move(*base), std::move(also.specs)});
}

// The golden case of two specs, to be changed.
class Pair {
 public:
  Pair() {
    for (const char* name : {"orders.toml", "invoices.toml", "alertmanager.base.yml"})
      fs::copy_file(fs::path(OUTGROWN_SOURCE_ROOT) / "test/golden/pair" / name, folder_.path() / name);
  }

  fs::path operator/(const std::string& name) const { return folder_.path() / name; }

  void Edit(const std::string& name, const std::string& from, const std::string& to) const {
    std::string text = ReadFile(*this / name).value();
    const std::size_t at = text.find(from);
    REQUIRE(at != std::string::npos);
    std::ofstream(*this / name) << text.replace(at, from.size(), to);
  }

  spec::Spec Load(const std::string& name) const {
    spec::LoadedSpec loaded = spec::LoadSpec(*this / name);
    for (const spec::Diagnostic& diagnostic : loaded.diagnostics)
      FAIL_CHECK(spec::FormatDiagnostic(diagnostic));
    REQUIRE(loaded.spec);
    return *loaded.spec;
  }

  // The diagnostics, with the folder's path left out.
  std::string Told(const std::vector<spec::Diagnostic>& diagnostics) const {
    std::string text;
    for (const spec::Diagnostic& diagnostic : diagnostics) text += spec::FormatDiagnostic(diagnostic) + "\n";
    const std::string folder = folder_.path().string() + "/";
    for (std::size_t at = text.find(folder); at != std::string::npos; at = text.find(folder, at))
      text.erase(at, folder.size());
    return text;
  }

  std::string Also() const { return Told(rulegen::LoadAlso(Load("orders.toml")).diagnostics); }

 private:
  test::TemporaryFolder folder_;
};

std::string Configuration(const spec::Spec& spec) {
  const auto artefacts = Make(spec);
  REQUIRE(artefacts.ok());
  for (const artefacts::Artefact& artefact : *artefacts) {
    if (artefact.path == artefacts::AlertmanagerFile(spec)) return artefact.bytes;
  }
  return "";
}

// A spec in the folder with an Alertmanager configuration of its own.
spec::Spec SpecIn(const test::TemporaryFolder& folder) {
  spec::Spec spec = test::TinySpec();
  spec.alertmanager.emplace();
  spec.file = folder.path() / "queue.toml";
  return spec;
}

}  // namespace

TEST_CASE("another spec's routes and inhibitions follow this one's, and its changes reach the file") {
  const Pair pair;
  const spec::Spec orders = pair.Load("orders.toml");
  CHECK(pair.Also().empty());
  const std::string before = Configuration(orders);
  CHECK(before.find("OrdersItems") < before.find("InvoicesItems"));
  CHECK(before.find("InvoicesItems") != std::string::npos);
  CHECK(before.find("  - source_matchers: ['alertname=\"InvoicesItems\"']\n"
                    "    target_matchers: ['alertname=\"InvoicesItemsApproaching\"']\n") !=
        std::string::npos);
  pair.Edit("invoices.toml", "id      = \"Items\"", "id      = \"Many\"");
  CHECK(Configuration(orders).find("InvoicesMany") != std::string::npos);
  // Not part of the digest, as base is not.
  pair.Edit("orders.toml", "also = [\"invoices.toml\"]", "");
  CHECK(pair.Load("orders.toml").digest == orders.digest);
  CHECK(Configuration(pair.Load("orders.toml")).find("Invoices") == std::string::npos);
}

TEST_CASE("each of two specs may name the other") {
  const Pair pair;
  pair.Edit("invoices.toml", "rules = \"gen\"",
            "rules = \"gen\"\n[alertmanager]\nalso = [\"./orders.toml\"]");
  CHECK(pair.Also().empty());
  const std::string configuration = Configuration(pair.Load("invoices.toml"));
  CHECK(configuration.find("InvoicesItems") < configuration.find("OrdersItems"));
}

TEST_CASE("what is wrong with another spec is reported where it is named") {
  const auto found = [](const std::string& file, const std::string& from, const std::string& to) {
    const Pair pair;
    pair.Edit(file, from, to);
    return pair.Also();
  };
  CHECK(found("orders.toml", "invoices.toml\"]", "gone.toml\"]") ==
        "orders.toml:21:9: alertmanager.also: found \"gone.toml\", a file that can't be read (cannot open: "
        "No such "
        "file or directory), expected a spec without errors\n");
  CHECK(found("invoices.toml", "exit_code = 20", "exit_code = 5") ==
        "orders.toml:21:9: alertmanager.also: found \"invoices.toml\", a spec with errors, 2 in all, the "
        "first: "
        "invoices.toml:29:13: verdict.exit_code: found 5, expected an exit status from 7 to 125 other than "
        "30 (0 to 6 "
        "and 30 have a meaning of their own, 126 and more the shell's), expected a spec without errors\n");
  CHECK(found("orders.toml", "also = [\"invoices.toml\"]", "also = [\"invoices.toml\", \"./orders.toml\"]") ==
        "orders.toml:21:26: alertmanager.also: found \"./orders.toml\", this spec itself, expected another "
        "spec's "
        "file\n");
  CHECK(found("invoices.toml", "name       = \"invoices\"", "name       = \"orders\"") ==
        "orders.toml:21:9: alertmanager.also: found \"invoices.toml\", whose store orders "
        "(invoices.toml:6:14) is also "
        "that of orders.toml:6:14, expected a spec with other names\n");
}

TEST_CASE("a spec under two names is one spec") {
  const Pair pair;
  fs::create_symlink("invoices.toml", pair / "link.toml");
  pair.Edit("orders.toml", "[\"invoices.toml\"]", "[\"invoices.toml\", \"link.toml\"]");
  CHECK(pair.Also() ==
        "orders.toml:21:26: alertmanager.also: found \"link.toml\", which is listed before it, expected "
        "each spec "
        "once\n");
}

TEST_CASE("names that two specs share are reported with both places") {
  const Pair pair;
  const auto shared = [&] {
    return pair.Told(rulegen::SharedNames({pair.Load("invoices.toml"), pair.Load("orders.toml")}));
  };
  CHECK(shared().empty());
  // Different stores, the same alerts: InvoicesOfOrders + Items, Invoices + OfOrdersItems.
  pair.Edit("orders.toml", "name       = \"orders\"", "name       = \"invoices_of_orders\"");
  pair.Edit("invoices.toml", "id      = \"Items\"", "id      = \"OfOrdersItems\"");
  CHECK(shared() ==
        "orders.toml:48:11: threshold.id: found the alert InvoicesOfOrdersItems, which invoices.toml:50:11 "
        "has too, "
        "expected a name that no other spec of this run has\n");
  pair.Edit("invoices.toml", "id      = \"OfOrdersItems\"", "id      = \"OfOrdersExporterDown\"");
  CHECK(shared() ==
        "orders.toml:56:15: watch.id: found the alert InvoicesOfOrdersExporterDown, which "
        "invoices.toml:50:11 has "
        "too, expected a name that no other spec of this run has\n");
  pair.Edit("orders.toml", "name       = \"invoices_of_orders\"", "name       = \"invoices\"");
  CHECK(shared() ==
        "orders.toml:6:14: store.name: found the store invoices, which invoices.toml:6:14 has too, expected "
        "a name "
        "that no other spec of this run has\n");
}

TEST_CASE("files that one spec writes over another's are reported with both places") {
  const Pair pair;
  const auto shared = [&](const std::vector<std::string>& names, const std::optional<fs::path>& out = {}) {
    std::vector<spec::Spec> specs;
    for (const std::string& name : names) specs.push_back(pair.Load(name));
    std::vector<tree::Made> made;
    for (const spec::Spec& spec : specs) made.push_back({&spec, Make(spec).value()});
    return pair.Told(tree::SharedFiles(made, out));
  };
  CHECK(shared({"orders.toml", "invoices.toml"}).empty());
  // A chain: the one's base is what the other one generates.
  pair.Edit("invoices.toml", "rules = \"gen\"",
            "rules = \"gen\"\n[alertmanager]\nbase = \"gen/orders.alertmanager.yml\"");
  pair.Edit("orders.toml", "also = [\"invoices.toml\"]", "");
  fs::create_directory(pair / "gen");
  std::ofstream(pair / "gen/orders.alertmanager.yml") << "route: {receiver: a}\n";
  CHECK(
      shared({"orders.toml", "invoices.toml"}) ==
      "invoices.toml:19:8: alertmanager.base: found \"gen/orders.alertmanager.yml\", which orders.toml:17:9 "
      "generates, expected a file of your own (alertmanager.also merges other specs)\n");
  CHECK(shared({"orders.toml", "invoices.toml"}, pair / "elsewhere").empty());
  // A folder that leads to the other's files.
  fs::create_directory(pair / "other");
  fs::copy_file(pair / "orders.toml", pair / "other/orders.toml");
  CHECK(pair.Told(rulegen::SharedNames({pair.Load("orders.toml"), pair.Load("other/orders.toml")})) ==
        "other/orders.toml:6:14: store.name: found the store orders, which orders.toml:6:14 has too, "
        "expected a name "
        "that no other spec of this run has\n");
}

TEST_CASE("the user-supplied Alertmanager configuration is read, and if it can't be, that is named") {
  const test::TemporaryFolder folder;
  spec::Spec spec = SpecIn(folder);
  spec.alertmanager->base = "base.yml";
  CHECK(Make(spec).error().Text().find("alertmanager.base: found \"base.yml\" (cannot open") !=
        std::string::npos);
  std::ofstream(folder.path() / "base.yml") << "a: [";
  CHECK(Make(spec).error().where.find((folder.path() / "base.yml").string() + ":1:") == 0);
  std::ofstream(folder.path() / "base.yml") << "route: {receiver: mine}\n";
  CHECK(Configuration(spec).find("mine") != std::string::npos);
  // Nothing is generated from it.
  spec.output.rules.reset();
  fs::remove(folder.path() / "base.yml");
  CHECK(Make(spec).ok());
}

TEST_CASE("what is generated from the user-supplied Alertmanager configuration does not become it") {
  const test::TemporaryFolder folder;
  spec::Spec spec = SpecIn(folder);
  const auto names = [&](const std::string& base) {
    spec.alertmanager->base = base;
    const auto made = Make(spec);
    REQUIRE_FALSE(made.ok());
    return made.error().what;
  };
  const std::string own =
      "alertmanager.base names the file that is generated from it; name your own configuration";
  CHECK(names("gen/queue.alertmanager.yml") == own);  // not there yet
  spec.alertmanager->base = "";
  const std::string generated = Configuration(spec);
  fs::create_directory(folder.path() / "gen");
  std::ofstream(folder.path() / "gen/queue.alertmanager.yml") << generated;
  CHECK(names("./gen/queue.alertmanager.yml") == own);
  fs::create_symlink("gen/queue.alertmanager.yml", folder.path() / "link.yml");
  CHECK(names("link.yml") == own);
  // Two specs whose configurations are each other's base, or a copy.
  std::ofstream(folder.path() / "copy.yml") << generated;
  CHECK(names("copy.yml").find("already has the route of the alerts of the store queue") == 0);

  // One spec after another is right.
  spec::Spec next = spec;
  next.store.name = "other";
  next.alertmanager->base = "gen/queue.alertmanager.yml";
  CHECK(Make(next).ok());
}

TEST_CASE("who may not read the user-supplied Alertmanager configuration may not read what is made from it") {
  const test::TemporaryFolder folder;
  spec::Spec spec = SpecIn(folder);
  spec.alertmanager->base = "base.yml";
  std::ofstream(folder.path() / "base.yml") << "route: {receiver: a}\n";
  for (const unsigned mode : {0600U, 0640U, 0644U}) {
    fs::permissions(folder.path() / "base.yml", static_cast<fs::perms>(mode));
    const auto artefacts = Make(spec);
    REQUIRE(artefacts.ok());
    for (const artefacts::Artefact& artefact : *artefacts) {
      CAPTURE(artefact.path.string());
      CHECK(artefact.mode_if_new == (artefact.path.filename() == "queue.alertmanager.yml" ? mode : 0644U));
    }
  }
}
