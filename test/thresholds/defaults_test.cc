// The defaults that docs/spec.md promises are the parser's.
#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <doctest/doctest.h>

#include "common/text.h"
#include "common/time_text.h"
#include "test/thresholds/reference.h"
#include "test/thresholds/spec_text.h"
#include "thresholds/digest.h"
#include "thresholds/parse.h"
#include "thresholds/tables.h"

using outgrown::FormatDuration;
using outgrown::spec::Key;
using outgrown::spec::Need;
using outgrown::spec::Spec;
using outgrown::spec::TableKeys;
using outgrown::spec::Tables;
using outgrown::test::Changed;
using outgrown::test::Reference;
using outgrown::test::RowOf;
using outgrown::test::SectionOf;

namespace {

// Every table, each with its required keys alone, and with the two that others make necessary: kNecessary.
constexpr std::string_view kLeast = R"toml(schema = 1
[store]
name = "queue"
title = "File queue"
sufficient = "File queue sufficient"
next = "a broker"
present = "queue_up"
[rules]
[output]
rules = "gen"
[alertmanager]
[[verdict]]
id = "soon"
text = "MOVE SOON"
severity = "warning"
exit_code = 10
[[metric]]
name = "queue_up"
type = "gauge"
help = "1 if the queue was read."
[[signal]]
id = "depth"
title = "Depth"
unit = "count"
expr = "max by (job, instance) (queue_up)"
[[signal.test]]
series = { queue_up = "1x80" }
at = "10m"
value = 1
[[threshold]]
id = "Depth"
signal = "depth"
above = 100
verdict = "soon"
because = "Depth >100"
[coverage]
expr = "max by (job, instance) (queue_up)"
[[coverage.test]]
series = { queue_up = "1x80" }
at = "10m"
value = 1
[[watch]]
id = "Down"
expr = "max by ({identity}) (queue_up) == 0"
summary = "Queue down"
description = "The queue is down."
[[watch.test]]
series = { queue_up = "0x80" }
at = "10m"
fires = true
[[watch.test]]
series = { queue_up = "1x80" }
at = "10m"
fires = false
[[panel]]
title = "Depth"
queries = { a = "queue_up" }
)toml";

// There is a limit above or below, and a folder for Alertmanager's configuration.
constexpr std::string_view kNecessary[] = {"threshold.above", "output.rules"};

// Everything that the spec says, one value a line: the canonical text, and what that leaves out.
std::string Described(const Spec& spec) {
  std::string text = "\n" + CanonicalText(spec);
  const auto add = [&text](std::string_view path, const std::string& value) {
    text += std::string(path) + " = \"" + value + "\"\n";
  };
  const outgrown::spec::Rules& rules = spec.rules;
  add("rules.scrape_interval", FormatDuration(rules.scrape_interval));
  add("rules.interval", FormatDuration(rules.interval));
  add("rules.keep_firing_for",
      rules.keep_firing_for.has_value() ? FormatDuration(*rules.keep_firing_for) : "");
  std::string flavors;
  for (const outgrown::spec::Flavor flavor : rules.flavors)
    flavors += std::to_string(static_cast<int>(flavor));
  add("rules.flavors", flavors);
  add("rules.runbook_url", rules.runbook_url);
  add("rules.object_labels", rules.object_labels.empty() ? "" : "some");
  add("rules.helm", rules.helm ? "true" : "false");
  add("output.rules", spec.output.rules.value_or(""));
  add("output.dashboards", spec.output.dashboards.value_or(""));
  add("output.docs", spec.output.docs.value_or(""));
  REQUIRE(spec.alertmanager.has_value());
  add("alertmanager.base", spec.alertmanager->base);
  for (const std::string& also : spec.alertmanager->also) add("alertmanager.also", also);
  for (const std::string& label : spec.alertmanager->equal) add("alertmanager.equal", label);
  add("signal[0].split", spec.signals.at(0).split);
  add("coverage.maximum", outgrown::ExactNumber(spec.coverage.value().maximum));
  add("coverage.reason", spec.coverage->reason);
  for (const auto& [reason, sentence] : spec.coverage->reasons) add("coverage.reasons", reason + sentence);
  const outgrown::spec::Watch& watch = spec.watches.at(0);
  add("watch[0].for", FormatDuration(watch.hold));
  add("watch[0].keep_firing_for", watch.keep_firing_for ? FormatDuration(*watch.keep_firing_for) : "");
  for (const std::string& id : watch.inhibits) add("watch[0].inhibits", id);
  add("watch[0].look", watch.look);
  add("watch[0].act", watch.act);
  for (const auto* tests : {&spec.signals.at(0).tests, &spec.coverage->tests, &watch.tests})
    add("test[0].name", tests->at(0).name);
  return text;
}

std::string DescribedText(const std::string& toml) {
  const outgrown::spec::LoadedSpec parsed = outgrown::spec::ParseSpec(toml, "queue.toml");
  for (const outgrown::spec::Diagnostic& diagnostic : parsed.diagnostics)
    FAIL_CHECK(FormatDiagnostic(diagnostic));
  REQUIRE(parsed.spec.has_value());
  return Described(*parsed.spec);
}

// These say where the value comes from instead: from another key, or from nothing, since the key is one of several.
constexpr std::string_view kFromElsewhere[] = {"this or ",     "that of ",     "those of ",  "not looked at",
                                               "required of ", "of a memory:", "samples by "};

// How a description names the only table of that kind: "signal[0].test[0]", "store".
std::string PathOf(const TableKeys& table) {
  if (table.name == "signal.test") return "signal[0].test[0]";
  return std::string(table.name) + (table.header.starts_with("[[") ? "[0]" : "");
}

}  // namespace

TEST_CASE("a default of docs/spec.md that is written out changes nothing") {
  const std::string reference = Reference();
  const std::string described = DescribedText(std::string(kLeast));
  std::size_t written = 0;
  for (const TableKeys& table : Tables()) {
    CAPTURE(table.header);
    for (const Key& key : table.keys) {
      CAPTURE(key.name);
      const std::vector<std::string> cells = RowOf(SectionOf(reference, table), key);
      REQUIRE(cells.size() == 5);
      const std::string& value = cells[2];
      if (value.front() != '`') continue;
      ++written;
      const std::string header = std::string(table.header) + "\n";
      const std::string line = std::string(key.name) + " = " + value.substr(1, value.size() - 2) + "\n";
      CHECK(DescribedText(Changed(header, header + line, std::string(kLeast))) == described);
    }
  }
  CHECK(written >= 8);
}

TEST_CASE("a key whose default docs/spec.md does not write out is empty without it") {
  const std::string reference = Reference();
  const std::string described = DescribedText(std::string(kLeast));
  for (const TableKeys& table : Tables()) {
    if (table.name.empty()) continue;  // its keys are tables
    CAPTURE(table.header);
    for (const Key& key : table.keys) {
      CAPTURE(key.name);
      const std::vector<std::string> cells = RowOf(SectionOf(reference, table), key);
      REQUIRE(cells.size() == 5);
      const std::string path = std::string(table.name) + "." + std::string(key.name);
      const bool given =
          key.need == Need::kRequired || std::ranges::find(kNecessary, path) != std::end(kNecessary);
      if (given || cells[2].front() == '`') continue;
      if (std::ranges::any_of(kFromElsewhere,
                              [&](std::string_view begin) { return cells[2].starts_with(begin); }))
        continue;
      const std::string begin = "\n" + PathOf(table) + "." + std::string(key.name) + " = ";
      const std::size_t at = described.find(begin);
      // An empty list has no line.
      if (at != std::string::npos) CHECK(described.substr(at + begin.size(), 3) == "\"\"\n");
    }
  }
}
