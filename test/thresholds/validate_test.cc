// Each rule at its edge. The whole diagnostics are in test/golden/bad; what expressions may say is in
// validate_expressions_test.cc.
#include <string>
#include <string_view>

#include <doctest/doctest.h>

#include "test/thresholds/rows.h"
#include "test/thresholds/spec_text.h"
#include "thresholds/names.h"
#include "thresholds/parse.h"

using outgrown::spec::ParseSpec;
using outgrown::test::Changed;
using outgrown::test::DiagnosticsOf;
using outgrown::test::Hold;
using outgrown::test::kIntervals;
using outgrown::test::kRate;
using outgrown::test::kSpecText;
using outgrown::test::Row;

TEST_CASE("the text that the rows change is valid itself") { CHECK(DiagnosticsOf(kSpecText) == ""); }

TEST_CASE("names are well formed, short enough and used once") {
  const std::string id64 = "d" + std::string(63, 'e');
  const std::string id65 = id64 + "e";
  const std::string right = "id = \"" + id64 + "\"\ntitle = \"D";
  const std::string wrong = "id = \"" + id65 + "\"\ntitle = \"D";
  // `depth` is named by the coverage too, so another signal takes the long id.
  const std::string other =
      "[[signal]]\nid = \"other\"\ntitle = \"O\"\nunit = \"count\"\nexpr = \"queue_up\"\n[[signal.test]]\n"
      "series = { queue_up = \"1x80\" }\nat = \"1m\"\nvalue = 1\n\n[[threshold]]\nid = \"Jobs\"";
  const std::string base = Changed("[[threshold]]\nid = \"Jobs\"", other);
  CHECK(DiagnosticsOf(Changed("id = \"other\"", "id = \"" + id64 + "\"", base)) == "");
  CHECK(DiagnosticsOf(Changed("id = \"other\"", "id = \"" + id65 + "\"", base))
            .find("65 characters, expected at most 64") != std::string::npos);
  for (const Row& row : {
           Row{"id = \"JobsMany\"", "id = \"J\"", "id = \"j\"", "beginning with an upper-case one"},
           Row{"id = \"JobsMany\"", "id = \"Jobs2\"", "id = \"Jobs_2\"", "an id such as"},
           Row{"id = \"JobsMany\"", "id = \"JOBSS\"", "id = \"JOBS\"", "\"JOBS\" again"},
           Row{"name = \"queue\"", "name = \"q_2\"", "name = \"2q\"", "a name of lower-case letters"},
           Row{"name = \"queue\"", "name = \"q\"", "name = \"q-q\"", "a name of lower-case letters"},
           Row{"severity = \"warning\"", "severity = \"Sev-2_b\"", "severity = \"2\"",
               "a label value of letters"},
           Row{"\"MOVE SOON\"", "\"MOVE-SOON\"", "\"MOVE - SOON\"",
               "which separates verdict and justification"},
           Row{"\"MOVE SOON\"", "\"undetermined yet\"", "\"UNDETERMINED\"", "on missing data"},
           Row{"\"MOVE SOON\"", "\"MOVE NOW?\"", "\"MOVE NOW\"", "again (first in line"},
           Row{"\"status\", \"kind\"", "\"status\", \"_kind\"", "\"status\", \"__kind\"",
               "not beginning with __"},
           Row{"\"status\", \"kind\"", "\"status\", \"Status\"", "\"status\", \"status\"", "each label once"},
           Row{"name = \"queue_size_bytes\"", "name = \"other:x\"", "name = \"queue:x\"",
               "what this spec records"},
           Row{"name = \"queue_size_bytes\"", "name = \"up_2\"", "name = \"up\"", "a foreign metric"},
           Row{"name = \"queue_size_bytes\"", "name = \"checkpoint_write_duration\"",
               "name = \"checkpoint_write_duration_seconds\"", "a foreign metric"},
           Row{"\"path\"]", "\"path\", \"env\"]", "\"path\", \"severity\"]", "don't set themselves"},
           Row{"\"path\"]", "\"path\", \"env\"]", "\"path\", \"reason\"]", "don't set themselves"},
           Row{"[alertmanager]\n", "[alertmanager]\nequal = [\"cluster\"]\n",
               "[alertmanager]\nequal = [\"alertname\"]\n", "alertmanager.equal: found \"alertname\""},
           Row{"present = \"queue_up\"", "present = \"queue_jobs_total\"", "present = \"queue_wait_seconds\"",
               "unknown series"},
           Row{"title = \"Depth\"", "title = \"Größe {{ x }} 😀\"", "title = \"Depth \"",
               "without blanks at its ends"},
       }) {
    Hold(row);
  }
}

TEST_CASE("verdicts are from mild to severe, and their exit codes are free") {
  for (const Row& row : {
           Row{"exit_code = 10", "exit_code = 7", "exit_code = 6", "from 7 to 125 other than 30"},
           Row{"exit_code = 20", "exit_code = 125", "exit_code = 126", "from 7 to 125 other than 30"},
           Row{"exit_code = 20", "exit_code = 31", "exit_code = 30", "from 7 to 125 other than 30"},
           Row{"exit_code = 20", "exit_code = 11", "exit_code = 10", "more than 10 of the milder verdict"},
           Row{"severity = \"critical\"", "severity = \"warning\"", "severity = \"info\"",
               "from mild to severe"},
           Row{"severity = \"critical\"", "severity = \"team\"", "severity = \"notice\"",
               "from mild to severe"},
       }) {
    Hold(row);
  }
}

TEST_CASE("times fit each other") {
  for (const Row& row : {
           Row{kIntervals, "scrape_interval = \"15s\"\ninterval = \"1s\"",
               "scrape_interval = \"15s\"\ninterval = \"0s\"", "more than nothing"},
           Row{kIntervals, "scrape_interval = \"15s\"\ninterval = \"1s\"",
               "scrape_interval = \"15s\"\ninterval = \"999ms\"", "at least 1s"},
           Row{kIntervals, "scrape_interval = \"15s\"\ninterval = \"4m59s\"",
               "scrape_interval = \"15s\"\ninterval = \"5m\"", "less than 5m"},
           Row{kIntervals, "interval = \"30s\"\nkeep_firing_for = \"30s\"",
               "interval = \"30s\"\nkeep_firing_for = \"29s\"", "at least rules.interval (30s)"},
           Row{kIntervals, "flavors = [\"prometheus\", \"victoriametrics\"]\nkeep_firing_for = \"5m\"",
               "flavors = [\"victoriametrics-1.79\"]\nkeep_firing_for = \"5m\"", "alone does not know it"},
           Row{"for = \"5m\"", "for = \"30s\"", "for = \"29s\"", "at least rules.interval (30s)"},
           Row{"for = \"5m\"", "for = \"0s\"", "for = \"1ms\"", "at least rules.interval (30s)"},
           Row{"for = \"5m\"", "for = \"34d17h20m\"", "for = \"34d17h20m1s\"",
               "at most 34d17h20m, 100000 times rules.interval"},
           Row{"for = \"5m\"", "for = \"5m\"", "for = \"1y1s\"", "a duration of at most 1y"},
           // Four scrapes of 15 s.
           Row{"[5m]", "[1m]", "[59s]", "at least 1m, four times rules.scrape_interval"},
           Row{kRate, "max_over_time(queue_up[1m:15s])", "max_over_time(queue_up[30s:15s])", "at least 1m"},
           // 81 samples of 15 s end at 20 min.
           Row{"at = \"10m\"", "at = \"20m\"", "at = \"20m1s\"", "at most 20m, where the series end"},
           Row{"at = \"10m\"", "at = \"1ms\"", "at = \"0s\"", "more than nothing"},
       }) {
    Hold(row);
  }
}

TEST_CASE("paths and the runbook's URL lead where they should") {
  for (const Row& row : {
           Row{"rules = \"gen\"", "rules = \"../../a b/gen\"", "rules = \"/gen\"", "an absolute path"},
           Row{"rules = \"gen\"", "rules = \"./gen/\"", "rules = \"./\"",
               "a folder without a name of its own"},
           Row{"rules = \"gen\"", "rules = \"../gen\"", "rules = \"gen/..\"", "\"..\" behind a name"},
           Row{"rules = \"gen\"", "rules = \".github\"", "rules = \".git/hooks\"", "a path into .git"},
           Row{"base = \"alertmanager.base.yml\"", "base = \"../a.yml\"", "base = \"..\"", "no file's name"},
           Row{kIntervals, "runbook_url = \"http://h\"", "runbook_url = \"http://\"",
               "a URL that begins with"},
           Row{kIntervals, "runbook_url = \"\"", "runbook_url = \"ftp://h/x\"", "a URL that begins with"},
           Row{kIntervals, "runbook_url = \"https://h/x?y=%7B\"", "runbook_url = \"https://h/{x}\"",
               "a URL that begins with"},
       }) {
    Hold(row);
  }
}

TEST_CASE("tests of signals are series with samples") {
  for (const Row& row : {
           Row{"queue_up = \"1x80\"", "'queue_up{path=\"b\"}' = \"1x80\"",
               "'queue_up{paths=\"b\"}' = \"1x80\"", "the unknown label"},
           Row{"queue_up = \"1x80\"", "'queue_up{}' = \"1x80\"", "'queue_up{path!=\"b\"}' = \"1x80\"",
               "a series such as"},
           Row{"queue_up = \"1x80\"", "\"queue:jobs_per_second\" = \"1x80\"", "\"queue:jobs\" = \"1x80\"",
               "unknown series"},
           Row{"queue_up = \"1x80\"", "queue_up = \"_x3 1x80\"", "queue_up = \"_x3 1xx80\"",
               "promtool's notation"},
           Row{"queue_up = \"1x80\"", "queue_up = \"1x80\", 'queue_up{path=\"\"}' = \"1x8\"",
               "queue_up = \"1x80\", 'queue_up ' = \"1x8\"", "each series once"},
           Row{"name = \"as it is\"", "name = \"\"", "name = \"as\\nit\"", "a new line"},
       }) {
    Hold(row);
  }
}

TEST_CASE("thresholds refer to what exists and are in order") {
  for (const Row& row : {
           Row{"signal = \"jobs_per_second\"\nabove = 80", "signal = \"depth\"\nabove = 80",
               "signal = \"jobs\"\nabove = 80", "unknown signal"},
           Row{"verdict = \"soon\"", "verdict = \"soon\"\nlook = \"\"", "verdict = \"son\"",
               "did you mean \"soon\"?"},
           Row{"above = 80", "above = 99.99999999999999", "above = 100",
               "less than 100, the limit of the more severe \"Jobs\""},
           Row{"above = 80", "above = 0", "above = -1", "0 or more"},
           Row{"above = 80", "below = 80", "below = 0", "more than 0"},
           Row{"above = 80", "below = 100", "below = 100.5", "between which some value is healthy"},
           Row{"because = \"Jobs >80/sec\"", "because = \"{{ $value }} \\\\\"", "because = \"\"",
               "a line of text"},
       }) {
    Hold(row);
  }
  // Of one verdict, limits may stand in any order; each must still be passed after every milder one.
  constexpr std::string_view kBurst =
      "id = \"Burst\"\nsignal = \"jobs_per_second\"\nverdict = \"now\"\nbecause = \"Burst\"\n";
  CHECK(DiagnosticsOf(Changed("[coverage]",
                              "[[threshold]]\n" + std::string(kBurst) + "above = 500\n\n[coverage]")) == "");
  CHECK(DiagnosticsOf(Changed("[coverage]",
                              "[[threshold]]\n" + std::string(kBurst) + "above = 81\n\n[coverage]")) == "");
  CHECK(DiagnosticsOf(
            Changed("[coverage]", "[[threshold]]\n" + std::string(kBurst) + "above = 80\n\n[coverage]"))
            .find("less than 80, the limit of the more severe \"Burst\"") != std::string::npos);
  // The same limit twice is one alert too many, unless `for` differs.
  CHECK(DiagnosticsOf(Changed("[coverage]", "[[threshold]]\n" + std::string(kBurst) +
                                                "above = 100\nfor = \"5m\"\n\n[coverage]"))
            .find("the same threshold as \"Jobs\"") != std::string::npos);
  CHECK(DiagnosticsOf(Changed("[coverage]", "[[threshold]]\n" + std::string(kBurst) +
                                                "above = 100\nfor = \"6m\"\n\n[coverage]")) == "");
}

TEST_CASE("coverage names signals, each once, and a minimum that can be missed") {
  for (const Row& row : {
           Row{"unknown = [\"jobs_per_second\", \"depth\"]", "minimum = 1\nunknown = [\"depth\"]",
               "minimum = 1.01\nunknown = [\"depth\"]", "above 0 and up to 1"},
           Row{"unknown = [\"jobs_per_second\", \"depth\"]", "minimum = 0.001\nunknown = [\"depth\"]",
               "minimum = 0\nunknown = [\"depth\"]", "above 0 and up to 1"},
           Row{"\"depth\"]", "\"depth\"]\nlower_bound = []", "\"dept\"]", "did you mean \"depth\"?"},
           Row{"\"depth\"]", "\"depth\"] # each once", "\"depth\", \"depth\"]", "each signal once"},
           Row{", \"depth\"]", "]\nlower_bound = [\"depth\"]", ", \"depth\"]\nlower_bound = [\"depth\"]",
               "each signal in one of the two"},
       }) {
    Hold(row);
  }
  CHECK(DiagnosticsOf(Changed("id = \"depth\"", "id = \"coverage_ratio\"", Changed(", \"depth\"]", "]")))
            .find("rulegen records a series of that name itself") != std::string::npos);
}

TEST_CASE("a signal without threshold, a verdict that none gives and a metric that none reads are allowed") {
  CHECK(DiagnosticsOf(Changed("[[threshold]]\nid = \"JobsMany\"\nsignal = \"jobs_per_second\"\nabove = "
                              "80\nfor = \"5m\"\nverdict = \"soon\"\nbecause = \"Jobs >80/sec\"\n",
                              "")) == "");
}

TEST_CASE("a signal with a split has one threshold less in its group of 20 rules") {
  outgrown::spec::Spec spec = *outgrown::spec::ParseSpec(std::string(kSpecText), "queue.toml").spec;
  outgrown::spec::Threshold threshold = spec.thresholds.front();
  std::erase_if(spec.thresholds, [&](const auto& one) { return one.signal == threshold.signal; });
  for (int i = 0; i < 19; ++i) {
    threshold.id = "Jobs" + std::to_string(i);
    threshold.limit = 1000 + i;
    spec.thresholds.push_back(threshold);
  }
  const auto problems = [&] {
    outgrown::spec::Report report("queue.toml");
    outgrown::spec::Validate(spec, report);
    std::string text;
    for (const outgrown::spec::Diagnostic& one : report.TakeInFileOrder())
      text += outgrown::spec::FormatDiagnostic(one) + "\n";
    return text;
  };
  CHECK(problems().find("thresholds, expected at most") == std::string::npos);
  for (outgrown::spec::Signal& signal : spec.signals) {
    if (signal.id == threshold.signal) signal.split = "max by (job, instance, path, reason) (queue_up)";
  }
  CHECK(problems().find("with 19 thresholds, expected at most 18: with the signal's recording rules") !=
        std::string::npos);
}

TEST_CASE("a spec made by hand is judged whole") {
  outgrown::spec::Report report("none");
  outgrown::spec::Validate(outgrown::spec::Spec(), report);
  CHECK_FALSE(report.empty());
}
