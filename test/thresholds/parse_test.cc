#include "thresholds/parse.h"

#include <sys/stat.h>

#include <chrono>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "common/file.h"
#include "test/common/temporary_folder.h"
#include "test/thresholds/spec_text.h"

using namespace std::chrono_literals;
using outgrown::Direction;
using outgrown::Unit;
using outgrown::spec::Flavor;
using outgrown::spec::LoadedSpec;
using outgrown::spec::LoadSpec;
using outgrown::spec::ParseSpec;
using outgrown::spec::Position;
using outgrown::spec::Spec;
using outgrown::test::Changed;
using outgrown::test::DiagnosticsOf;
using outgrown::test::kSpecText;

using Texts = std::vector<std::string>;

namespace {

Spec ParsedSpec(std::string_view toml) {
  const LoadedSpec loaded = ParseSpec(toml, "queue.toml");
  REQUIRE_MESSAGE(loaded.spec.has_value(), DiagnosticsOf(toml));
  return *loaded.spec;
}

}  // namespace

TEST_CASE("a spec is read as its author wrote it") {
  const Spec spec = ParsedSpec(Changed(
      "interval = \"30s\"",
      "interval = \"1m\"\nkeep_firing_for = \"1h30m\"\nflavors = [\"victoriametrics\", \"prometheus\", "
      "\"prometheus-operator\"]\n"
      "object_labels = { release = \"monitoring\", \"app.kubernetes.io/name\" = \"\" }\nhelm = true\n"
      "runbook_url = \"https://example.org/r.md?x=1\"",
      Changed(
          "rules = \"gen\"", "rules = \"gen\"\ndashboards = \"../d\"\ndocs = \"./docs\"",
          Changed("above = 80\n", "above = 80\nlook = \"At it.\"\nact = \"Do it.\"\n",
                  Changed("unknown = [\"jobs_per_second\", \"depth\"]",
                          "minimum = 0.5\nunknown = [\"depth\"]\nlower_bound = [\"jobs_per_second\"]",
                          Changed("title = \"Depth\"", "title = \"Depth\"\ndescription = \"How deep.\""))))));
  CHECK(spec.file == "queue.toml");
  CHECK(spec.schema == 1);
  CHECK(spec.store.name == "queue");
  CHECK(spec.store.title == "File queue");
  CHECK(spec.store.sufficient == "File queue sufficient");
  CHECK(spec.store.next == "a broker");
  CHECK(spec.store.identity == Texts{"job", "instance", "path"});
  CHECK(spec.store.present == "queue_up");
  CHECK(spec.rules.scrape_interval == 15s);
  CHECK(spec.rules.interval == 60s);
  CHECK(spec.rules.keep_firing_for == 90min);
  CHECK(spec.rules.flavors ==
        std::vector{Flavor::kVictoriaMetrics, Flavor::kPrometheus, Flavor::kPrometheusOperator});
  CHECK(spec.rules.object_labels == std::vector<std::pair<std::string, std::string>>{
                                        {"release", "monitoring"}, {"app.kubernetes.io/name", ""}});
  CHECK(spec.rules.helm);
  CHECK(spec.rules.runbook_url == "https://example.org/r.md?x=1");
  CHECK(spec.output.rules == "gen");
  CHECK(spec.output.dashboards == "../d");
  CHECK(spec.output.docs == "./docs");
  REQUIRE(spec.alertmanager.has_value());
  CHECK(spec.alertmanager->base == "alertmanager.base.yml");
  REQUIRE(spec.verdicts.size() == 2);
  CHECK(spec.verdicts[1].id == "now");
  CHECK(spec.verdicts[1].text == "MOVE NOW");
  CHECK(spec.verdicts[1].severity == "critical");
  CHECK(spec.verdicts[1].exit_code == 20);
  REQUIRE(spec.metrics.size() == 4);
  CHECK(spec.metrics[1].name == "queue_jobs_total");
  CHECK(spec.metrics[1].type == "counter");
  CHECK(spec.metrics[1].help == "Jobs by status.");
  CHECK(spec.metrics[1].labels == Texts{"status", "kind"});
  REQUIRE(spec.signals.size() == 2);
  CHECK(spec.signals[0].id == "jobs_per_second");
  CHECK(spec.signals[0].unit == Unit::kPerSecond);
  CHECK(spec.signals[0].expr == "sum by (job, instance, path) (rate(queue_jobs_total[5m]))\n");
  CHECK(spec.signals[1].title == "Depth");
  CHECK(spec.signals[1].description == "How deep.");
  REQUIRE(spec.signals[0].tests.size() == 1);
  CHECK(spec.signals[0].tests[0].name.empty());
  REQUIRE(spec.signals[0].tests[0].series.size() == 2);
  CHECK(spec.signals[0].tests[0].series[0].first == "queue_jobs_total{status=\"ok\"}");
  CHECK(spec.signals[0].tests[0].series[0].second == "0+15x80");
  CHECK(spec.signals[0].tests[0].at == 10min);
  CHECK(spec.signals[0].tests[0].value == 1);
  REQUIRE(spec.thresholds.size() == 2);
  CHECK(spec.thresholds[0].id == "Jobs");
  CHECK(spec.thresholds[0].signal == "jobs_per_second");
  CHECK(spec.thresholds[0].direction == Direction::kAbove);
  CHECK(spec.thresholds[0].limit == 100);
  CHECK(spec.thresholds[0].hold == 5min);
  CHECK(spec.thresholds[0].verdict == "now");
  CHECK(spec.thresholds[0].because == "Jobs >100/sec");
  CHECK(spec.thresholds[1].look == "At it.");
  CHECK(spec.thresholds[1].act == "Do it.");
  REQUIRE(spec.coverage.has_value());
  CHECK(spec.coverage->expr == "max by (job, instance, path) (queue_up)");
  CHECK(spec.coverage->minimum == 0.5);
  CHECK(spec.coverage->unknown == Texts{"depth"});
  CHECK(spec.coverage->lower_bound == Texts{"jobs_per_second"});
  CHECK(spec.coverage->tests.size() == 1);
  CHECK(spec.digest.size() == 64);
}

TEST_CASE("what is left out has its default") {
  const Spec spec = ParsedSpec(Changed(
      "[rules]\nscrape_interval = \"15s\"\ninterval = \"30s\"\n\n[output]\nrules = "
      "\"gen\"\n\n[alertmanager]\nbase = "
      "\"alertmanager.base.yml\"\n",
      "",
      Changed("identity = [\"job\", \"instance\", \"path\"]\n", "",
              Changed("(job, instance, path) (rate", "(job, instance) (rate",
                      Changed("(job, instance, path) (queue_up)", "(job, instance) (queue_up)",
                              Changed("(job, instance, path) (queue_up)\"\nunknown",
                                      "(job, instance) (queue_up)\"\nunknown",
                                      Changed("for = \"5m\"\nverdict = \"now\"", "verdict = \"now\"")))))));
  CHECK(spec.store.identity == Texts{"job", "instance"});
  CHECK(spec.rules.scrape_interval == 15s);
  CHECK(spec.rules.interval == 30s);
  CHECK_FALSE(spec.rules.keep_firing_for.has_value());
  CHECK(spec.rules.flavors == std::vector{Flavor::kPrometheus});
  CHECK(spec.rules.runbook_url.empty());
  CHECK_FALSE(spec.output.rules.has_value());
  CHECK_FALSE(spec.output.dashboards.has_value());
  CHECK_FALSE(spec.output.docs.has_value());
  CHECK_FALSE(spec.alertmanager.has_value());
  CHECK(spec.metrics[0].labels.empty());
  CHECK(spec.signals[0].description.empty());
  CHECK(spec.thresholds[0].hold == 0s);
  CHECK(spec.thresholds[0].look.empty());
  CHECK(spec.coverage->minimum == 0.95);
  CHECK(spec.coverage->lower_bound.empty());
}

TEST_CASE("a number may be written as an integer, and -0 is 0") {
  CHECK(ParsedSpec(Changed("above = 100", "above = 100.0")).thresholds[0].limit == 100);
  CHECK(ParsedSpec(Changed("above = 100", "above = 1_00")).thresholds[0].limit == 100);
  CHECK(ParsedSpec(Changed("above = 100", "above = 9007199254740992")).thresholds[0].limit ==
        9007199254740992.0);
  CHECK(ParsedSpec(Changed("value = 1\n", "value = -0.0\n")).signals[0].tests[0].value == 0);
  CHECK(ParsedSpec(Changed("below = 0.1", "below = 0.1", Changed("above = 100", "below = 0.1")))
            .thresholds[0]
            .direction == Direction::kBelow);
}

TEST_CASE("a spec may have Windows' line ends, a byte order mark, dotted keys and inline tables") {
  std::string windows;
  for (const char c : kSpecText) windows += c == '\n' ? "\r\n" : std::string(1, c);
  CHECK(DiagnosticsOf(windows).empty());
  CHECK(DiagnosticsOf("\xEF\xBB\xBF" + std::string(kSpecText)).empty());
  CHECK(DiagnosticsOf(
            Changed("[rules]\nscrape_interval = \"15s\"\ninterval = \"30s\"\n\n", "",
                    Changed("schema = 1\n",
                            "schema = 1\nrules.interval = \"30s\"\nrules.scrape_interval = \"15s\"\n")))
            .empty());
  CHECK(DiagnosticsOf(Changed("[output]\nrules = \"gen\"\n", "",
                              Changed("schema = 1\n", "schema = 1\noutput = { rules = \"gen\" }\n")))
            .empty());
}

TEST_CASE("places are those of the file, inside of a text too where the file holds it as it is") {
  const Spec spec = ParsedSpec(kSpecText);
  const auto& threshold = spec.thresholds[0];
  CHECK(threshold.positions.at("").key == Position{79, 1});
  CHECK(threshold.positions.at("above").key == Position{82, 1});
  CHECK(threshold.positions.at("above").value == Position{82, 9});
  CHECK(spec.signals[0].positions.at("expr").value == Position{58, 8});
  CHECK(spec.signals[0].positions.at("expr").text == Position{59, 1});
  CHECK(spec.store.positions.at("identity[2]").value == Position{8, 32});
  CHECK_FALSE(threshold.positions.contains("look"));
  const Spec escaped = ParsedSpec(Changed("max by (job", "max\\u0020by (job"));
  CHECK_FALSE(escaped.signals[1].positions.at("expr").text.has_value());
}

TEST_CASE("the file is read, and one that can't be is no spec error") {
  const outgrown::test::TemporaryFolder folder;
  REQUIRE(outgrown::WriteFileIfChanged(folder.path() / "queue.toml", kSpecText).ok());
  const LoadedSpec loaded = LoadSpec(folder.path() / "queue.toml");
  CHECK(loaded.spec.has_value());
  CHECK(loaded.source == kSpecText);
  CHECK_FALSE(loaded.unreadable);

  REQUIRE(::mkfifo((folder.path() / "fifo.toml").c_str(), 0600) == 0);
  for (const char* name : {"missing.toml", "fifo.toml", "."}) {
    const LoadedSpec none = LoadSpec(folder.path() / name);
    CAPTURE(name);
    CHECK(none.unreadable);
    CHECK_FALSE(none.spec.has_value());
    REQUIRE(none.diagnostics.size() == 1);
    CHECK(none.diagnostics[0].found.starts_with("a file that can't be read ("));
  }
}

TEST_CASE("what lacks is reported at its table's line, for the root at 1:1") {
  CHECK(DiagnosticsOf("# nothing\n\n[verdict]")
            .starts_with("queue.toml:1:1: schema: found nothing, expected the integer 1\n"));
  CHECK(DiagnosticsOf(Changed("text = \"MOVE NOW\"\n", "")) ==
        "queue.toml:27:1: verdict.text: found nothing, expected a string\n");
}
