#include "thresholds/digest.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "test/thresholds/spec_text.h"
#include "thresholds/tables.h"

using namespace std::chrono_literals;
using outgrown::Direction;
using outgrown::Unit;
using outgrown::spec::CanonicalText;
using outgrown::spec::Digest;
using outgrown::spec::Flavor;
using outgrown::spec::ParseSpec;
using outgrown::spec::Spec;
using outgrown::test::Changed;
using outgrown::test::DiagnosticsOf;
using outgrown::test::kSpecText;

namespace {

Spec Parsed(std::string_view toml) {
  const auto loaded = ParseSpec(toml, "queue.toml");
  REQUIRE_MESSAGE(loaded.spec.has_value(), DiagnosticsOf(toml));
  return *loaded.spec;
}

}  // namespace

TEST_CASE("[rules], [output] and [alertmanager] are not part of the digest") {
  const Spec spec = Parsed(kSpecText);
  const std::vector<std::function<void(Spec&)>> changes = {
      [](Spec& s) { s.file = "elsewhere.toml"; },
      [](Spec& s) { s.positions.clear(); },
      [](Spec& s) { s.rules.scrape_interval = 1s; },
      [](Spec& s) { s.rules.interval = 1s; },
      [](Spec& s) { s.rules.keep_firing_for = 1min; },
      [](Spec& s) { s.rules.flavors = {Flavor::kVictoriaMetrics}; },
      [](Spec& s) { s.rules.runbook_url = "https://example.org"; },
      [](Spec& s) {
        s.rules.object_labels = {{"release", "monitoring"}};
      },
      [](Spec& s) { s.rules.helm = true; },
      [](Spec& s) { s.output = {}; },
      [](Spec& s) { s.alertmanager.reset(); },
  };
  for (const auto& change : changes) {
    Spec other = spec;
    change(other);
    CHECK(Digest(other) == spec.digest);
  }
}

TEST_CASE("every change of meaning changes the digest, and no two to the same") {
  const Spec spec = Parsed(kSpecText);
  const std::vector<std::function<void(Spec&)>> changes = {
      [](Spec& s) { s.schema = 2; },
      [](Spec& s) { s.store.name += "s"; },
      [](Spec& s) { s.store.title += "s"; },
      [](Spec& s) { s.store.sufficient += "s"; },
      [](Spec& s) { s.store.next += "s"; },
      [](Spec& s) { s.store.identity.pop_back(); },
      [](Spec& s) { std::swap(s.store.identity[0], s.store.identity[1]); },
      [](Spec& s) {
        s.store.identity = {"job\", \"instance", "path"};
      },
      [](Spec& s) { s.store.present += "s"; },
      [](Spec& s) { s.verdicts.pop_back(); },
      [](Spec& s) { std::swap(s.verdicts[0], s.verdicts[1]); },
      [](Spec& s) { s.verdicts[0].id += "s"; },
      [](Spec& s) { s.verdicts[0].text += "s"; },
      [](Spec& s) { s.verdicts[0].severity += "s"; },
      [](Spec& s) { s.verdicts[0].exit_code += 1; },
      [](Spec& s) { s.metrics.pop_back(); },
      [](Spec& s) { s.metrics[0].name += "s"; },
      [](Spec& s) { s.metrics[0].type = "counter"; },
      [](Spec& s) { s.metrics[0].help += "s"; },
      [](Spec& s) { s.metrics[0].labels.push_back("s"); },
      [](Spec& s) { std::swap(s.signals[0], s.signals[1]); },
      [](Spec& s) { s.store.modified = "queue_up"; },
      [](Spec& s) { s.signals[0].id += "s"; },
      [](Spec& s) { s.signals[0].title += "s"; },
      [](Spec& s) { s.signals[0].description += "s"; },
      [](Spec& s) { s.signals[0].unit = Unit::kBytes; },
      [](Spec& s) { s.signals[0].expr += "+ 1"; },
      [](Spec& s) { s.signals[0].expr = "\"a b\""; },
      [](Spec& s) { s.signals[0].expr = "\"a  b\""; },
      [](Spec& s) { s.signals[0].split = "queue_up"; },
      [](Spec& s) { s.signals[0].ceiling = "depth"; },
      [](Spec& s) { s.signals[0].tests.clear(); },
      [](Spec& s) { s.signals[0].tests[0].recorded = false; },
      [](Spec& s) { s.signals[0].tests[0].split.emplace(); },
      [](Spec& s) {
        s.signals[0].tests[0].split = {{"a", 1}};
      },
      [](Spec& s) {
        s.signals[0].tests[0].split = {{"a", 2}};
      },
      [](Spec& s) { s.signals[0].tests[0].name = "s"; },
      [](Spec& s) { s.signals[0].tests[0].series.pop_back(); },
      [](Spec& s) { s.signals[0].tests[0].series[0].first = "queue_up"; },
      [](Spec& s) { s.signals[0].tests[0].series[0].second = "1"; },
      [](Spec& s) { s.signals[0].tests[0].at += 1ms; },
      [](Spec& s) { s.signals[0].tests[0].value = 1.0000000000000002; },
      [](Spec& s) { std::swap(s.thresholds[0], s.thresholds[1]); },
      [](Spec& s) { s.thresholds[0].id += "s"; },
      [](Spec& s) { s.thresholds[0].signal = "depth"; },
      [](Spec& s) { s.thresholds[0].direction = Direction::kBelow; },
      [](Spec& s) { s.thresholds[0].limit = 100.00000000000001; },
      [](Spec& s) { s.thresholds[0].hold += 1ms; },
      [](Spec& s) { s.thresholds[0].verdict = "soon"; },
      [](Spec& s) { s.thresholds[0].because += "s"; },
      [](Spec& s) { s.thresholds[0].because += "\nthreshold[0].look = \"\""; },
      [](Spec& s) { s.thresholds[0].look += "s"; },
      [](Spec& s) { s.thresholds[0].act += "s"; },
      [](Spec& s) { s.coverage.reset(); },
      [](Spec& s) { s.coverage->expr += "+ 1"; },
      [](Spec& s) { s.coverage->minimum = 0.5; },
      [](Spec& s) { s.coverage->maximum = 1.5; },
      [](Spec& s) { s.coverage->reason = "queue_up"; },
      [](Spec& s) { s.coverage->unknown.pop_back(); },
      [](Spec& s) { s.coverage->lower_bound = {"depth"}; },
      [](Spec& s) { std::swap(s.coverage->lower_bound, s.coverage->unknown); },
      [](Spec& s) { s.coverage->tests[0].value = 0; },
      [](Spec& s) { s.coverage->tests[0].reasons.emplace(); },
      [](Spec& s) { s.coverage->tests[0].reasons = {"a"}; },
  };
  std::set<std::string> digests = {spec.digest};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    CAPTURE(i);
    Spec other = spec;
    changes[i](other);
    CHECK(digests.insert(Digest(other)).second);
  }
}

TEST_CASE(
    "every key but those of [rules], [output], [alertmanager], [[watch]] and [[panel]] is in the canonical "
    "text") {
  std::string toml(kSpecText);
  for (const auto& [from, to] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"[[threshold]]\nid = \"JobsMany\"\nsignal = \"jobs_per_second\"\nabove = 80",
            "[[threshold]]\nid = \"JobsFew\"\nsignal = \"jobs_per_second\"\nbelow = 80"},
           {"[[signal.test]]\n",
            "split = \"queue_jobs_total\"\nceiling = \"depth\"\n[[signal.test]]\nsplit = { ok = 1 }\n"},
           {"at = \"10m\"\nvalue = 1\n\n[[threshold]]", "at = \"10m\"\nrecorded = false\n\n[[threshold]]"},
           {"title = \"Depth\"\nunit = \"count\"", "title = \"Depth\"\nunit = \"per_second\""},
           {"present = \"queue_up\"\n", "present = \"queue_up\"\nmodified = \"queue_up\"\n"},
           {"[coverage]\n", "[coverage]\nmaximum = 1.5\nreason = \"queue_up\"\n"},
           {"[[coverage.test]]\n", "[[coverage.test]]\nreasons = []\n"}}) {
    toml = Changed(from, to, toml);
  }
  const std::string text = CanonicalText(Parsed(toml));
  for (const outgrown::spec::TableKeys& table : outgrown::spec::Tables()) {
    if (table.name == "rules" || table.name == "output" || table.name == "alertmanager") continue;
    if (table.name.starts_with("watch") || table.name == "panel") continue;
    for (const outgrown::spec::Key& key : table.keys) {
      const bool is_table = key.expected.find("[") != std::string_view::npos &&
                            key.expected.find("table") != std::string_view::npos;
      if (is_table || key.name == "watch" || key.name == "panel") continue;
      if ((table.name == "coverage" && key.name == "reasons") || key.name == "advice") continue;  // texts
      CAPTURE(table.header);
      CAPTURE(key.name);
      // signal.test.at -> signal[0].test[0].at
      std::string path;
      for (const char c : std::string(table.name)) path += c == '.' ? std::string("[0].") : std::string(1, c);
      if (table.header.starts_with("[[")) path += "[0]";
      if (path.starts_with("coverage[0].")) path.erase(8, 3);
      if (!path.empty()) path += ".";
      std::string line = "\n" + path + std::string(key.name) + " = ";
      if (key.name == "below") line = "\nthreshold[1].below = ";
      if (key.name == "recorded") line = "\nsignal[1].test[0].recorded = ";
      CHECK_MESSAGE(("\n" + text).find(line) != std::string::npos, text);
    }
  }
}
