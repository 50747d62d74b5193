"""What rulegen generates, in the hands of those it is for: promtool, amtool, vmalert and a running Prometheus. And that the
generated tests can fail: rules that are broken on purpose turn them red.

Usage: artefacts_test.py BUILD_FOLDER
"""

import concurrent.futures
import itertools
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
RULEGEN = BUILD / "rulegen" / "rulegen"
sys.path.insert(0, str(ROOT / "test" / "support"))

import servers  # noqa: E402

# The shipped specs, and the golden cases that have artefacts.
SPECS = [*sorted((ROOT / "rules").glob("*.toml")),
         *sorted(spec for spec in (ROOT / "test" / "golden").glob("*/*.toml") if (spec.parent / "gen").is_dir())]


def run(*command, cwd=None, env=None):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, cwd=cwd,
                          env=None if env is None else {**os.environ, **env})


def tree(folder):
    """Every file's bytes by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def generate(out, *specs, **how):
    done = run(RULEGEN, "--generate", "--out", out, *(word for spec in specs for word in ("--spec", spec)), **how)
    assert done.returncode == 0, done.stdout + done.stderr
    return tree(pathlib.Path(out))


def expressions(rules_yaml):
    """The expressions of a generated rule file, in order: rulegen writes each in single quotes or plain in one line."""
    found = []
    for line in rules_yaml.splitlines():
        match = re.fullmatch(r"\s+expr: (.*)", line)
        if match:
            text = match.group(1)
            found.append(text[1:-1].replace("''", "'") if text.startswith("'") else text)
    return found


class Consumers(unittest.TestCase):
    """The real tools take every artefact of every spec."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.files = generate(cls.folder, *SPECS)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def each(self, ending):
        paths = [self.folder / name for name in sorted(self.files) if name.endswith(ending)]
        self.assertTrue(paths, ending)
        return paths

    def test_there_are_specs(self):
        self.assertGreaterEqual(len(SPECS), 4)

    def test_promtool_takes_the_rules_of_every_flavor(self):
        done = run("promtool", "check", "rules", "--lint-fatal", *self.each(".rules.yml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_passes_the_generated_tests(self):
        for path in self.each(".test.yml"):
            done = run("promtool", "test", "rules", path.name, cwd=path.parent)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_shipped_specs_leave_no_counter_without_idle_and_reset(self):
        for path in [path for path in self.each(".test.yml") if ".day." not in path.name]:
            text = path.read_text(encoding="utf-8")
            notes = re.findall(r"(?m)^# (\S+:\S+): ", text)
            rules = (path.parent / re.search(r"rule_files: \[(.+)\]", text)[1]).read_text(encoding="utf-8")
            self.assertEqual(sorted(notes), sorted(re.findall(r"(?m)^      - record: (\S+)$", rules)))
            if path.parent == self.folder / "rules" / "gen":
                self.assertNotIn("NOT tested", text)

    def test_amtool_takes_the_configuration(self):
        for path in self.each(".alertmanager.yml"):
            done = run("amtool", "check-config", path)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_bases_relative_paths_lead_from_the_generated_file_to_the_same_files(self):
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name) / "pair"
            shutil.copytree(ROOT / "test" / "golden" / "pair", folder)
            with open(folder / "alertmanager.base.yml", "a", encoding="utf-8") as file:
                file.write("templates: ['templates/*.tmpl']\n")
            (folder / "templates").mkdir()
            done = run(RULEGEN, "--generate", "--spec", folder / "orders.toml")
            self.assertEqual(done.returncode, 0, done.stderr)
            # amtool is content with a pattern that leads nowhere, and not with a template that it finds and cannot read.
            for text, status in [('{{ define "x" }}{{ end }}', 0), ("{{ define", 1)]:
                (folder / "templates" / "own.tmpl").write_text(text)
                done = run("amtool", "check-config", folder / "gen" / "orders.alertmanager.yml")
                self.assertEqual(done.returncode, status, done.stdout + done.stderr)

    def test_one_configuration_routes_the_alerts_of_both_specs(self):
        """[alertmanager] also: each alert reaches the receiver of its own spec's verdict."""
        config = next(path for path in self.each(".alertmanager.yml") if path.name == "orders.alertmanager.yml")
        alerts = [("split", "OrdersItems", "split"), ("archive", "InvoicesItems", "archive"),
                  ("everybody", "InvoicesItemsApproaching", "look"), ("everybody", "OrdersExporterDown", ""),
                  ("everybody", "InvoicesExporterDown", ""), ("everybody", "SomebodyElse", "archive")]
        for receiver, alert, verdict in alerts:
            done = run("amtool", "config", "routes", "test", f"--config.file={config}", f"--verify.receivers={receiver}",
                       f"alertname={alert}", *([f"verdict={verdict}"] if verdict else []))
            self.assertEqual((done.returncode, done.stdout.split()), (0, [receiver]), f"{alert}: {done.stdout}{done.stderr}")

    def test_vmalert_takes_the_rules_of_its_flavor(self):
        for path in [path for path in self.each(".rules.yml") if path.parent.name == "victoriametrics"]:
            done = run("vmalert", "-dryRun", f"-rule={path}")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_dashboards_are_json_with_panels_and_a_stable_uid(self):
        uids = set()
        for path in self.each(".json"):
            dashboard = json.loads(path.read_text(encoding="utf-8"))
            self.assertLessEqual(len(dashboard["uid"]), 40)
            uids.add(dashboard["uid"])
            ids = [panel["id"] for panel in dashboard["panels"]]
            self.assertEqual(len(ids), len(set(ids)))
            self.assertGreater(len(ids), 5)
        self.assertEqual(len(uids), len(self.each(".json")))

    def test_prometheus_shows_the_expressions_as_they_are_written(self):
        rule_files = [path for path in self.each(".rules.yml") if path.parent.name == "gen"]
        written = {path: expressions(path.read_text(encoding="utf-8")) for path in rule_files}
        with servers.Stack() as stack:
            server = stack.start(servers.prometheus(self.folder, {}, rule_files))
            groups = servers.get_json(server.url + "/api/v1/rules")["data"]["groups"]
        for path, expected in written.items():
            shown = [rule["query"] for group in groups if group["file"] == str(path) for rule in group["rules"]]
            self.assertEqual(sorted(shown), sorted(expected))  # the server lists groups by name


TESTS = ["checkpoint.day.test.yml", "checkpoint.test.yml"]  # the quick ones first

# What somebody could get wrong in the rules of rules/checkpoint.toml, as (name, text, text instead).
IDENTITY = "job, instance, database"
BREAKS = [
    ("another limit", "writes_per_second > 100", "writes_per_second > 100.5"),
    ("the wrong direction", "file_size_bytes > 5", "file_size_bytes < 5"),
    ("a misspelt alert", "alert: CheckpointFileSize", "alert: CheckpointFilesize"),
    ("another severity", "severity: critical", "severity: warning"),
    ("another verdict", "verdict: migrate_now", "verdict: migrate_soon"),
    ("another summary", "MIGRATE NOW - Multi-server", "MIGRATE NOW: Multi-server"),
    ("another runbook", "#checkpointfilesize", "#checkpoint-file-size"),
    ("idle is not a number", f" or sum by ({IDENTITY}) (rate(checkpoint_writes_total[5m])) == 0'", "'"),
    ("a label of the store is lost", f"max by ({IDENTITY}) (checkpoint_file_size_bytes)",
     "max by (job, instance) (checkpoint_file_size_bytes)"),
    ("stores are added up", f"sum by ({IDENTITY}, le)", "sum by (job, instance, le)"),
    ("a ratio matched label by label", f"sum by ({IDENTITY}) (rate(checkpoint_writes_total{{status=\"error\"}}[5m])) /",
     "rate(checkpoint_writes_total{status=\"error\"}[5m]) /"),
    ("a counter without its resets", "rate(checkpoint_store_commits_total[5m])", "deriv(checkpoint_store_commits_total[5m])"),
    ("exporter down loses the stores", "and on (job, instance) max by (job, instance) (up) == 0", "and max by (job, instance) (up) == 0"),
    ("another replica's failure is the exporter's", "max by (job, instance) (up) == 0", "min by (job, instance) (up) == 0"),
    ("idle is a gone writer", f" and sum by ({IDENTITY}) (rate(checkpoint_store_commits_total[5m])) > 0'", "'"),
    ("the same digest alerts", "digest!=", "digest="),
    ("decisions are overdue too early", "- 93600", "- 91800"),
    ("an overdue store hides behind the others", "unless on (subject)", "unless on ()"),
    ("a subject in another order", '"subject", ",job="', '"subject", ",JOB="'),
    ("a young store is overdue", "[1h] offset 1d2h", "[1h] offset 1d1h"),
    ("a store that was taken away is overdue", 'job!=""}[1d2h]', 'job!=""}[2d]'),
    ("a series that names no store is overdue", ',job!=""', ""),
    ("a decision of another spec counts", 'checkpoint_decision_timestamp_seconds{store="checkpoint"}',
     "checkpoint_decision_timestamp_seconds"),
    ("a decision that nobody shows any more is forgotten", "last_over_time(checkpoint:decision_timestamp_seconds[1d2h]) >=",
     "checkpoint:decision_timestamp_seconds >="),
    ("no log is overdue", "and on () last_over_time(checkpoint:decided_stores[1w])'", "and on () vector(1)'"),
    ("a log of another spec will do", "'count(checkpoint:decision_timestamp_seconds)'",
     "'count(checkpoint_decision_timestamp_seconds)'"),
    ("overdue ends with the decider", "decided_stores[1w]", "decided_stores[1d2h]"),
    ("the newest decision of two exporters does not count", "max by (subject)", "min by (subject)"),
    ("presence loses a label of the store", f"max by ({IDENTITY}) (checkpoint_block_up)'", "max by (job, instance) (checkpoint_block_up)'"),
    ("presence is a replica's", f"max by ({IDENTITY}) (checkpoint_block_up)'", "checkpoint_block_up'"),
    ("an exporter that is down is forgotten within the day", "present[1d2h])) and on (job", "present[1d1h])) and on (job"),
    ("an exporter that is down is remembered for longer", "present[1d2h])) and on (job", "present[1d3h])) and on (job"),
    ("a silent store is forgotten within the day", "present[1d2h])) unless", "present[1d1h])) unless"),
    ("a silent store is remembered for longer", "present[1d2h])) unless", "present[1d3h])) unless"),
    ("a store of an exporter that is down is silent", "and on (job, instance) up == 1", "and on (job, instance) up"),
    ("a store of no target is silent", " and on (job, instance) up == 1", ""),
    ("a store measured as 0 is silent", "(checkpoint_block_up) and on", "(checkpoint_block_up == 1) and on"),
    ("a writer is stale too early", "> 300'", "> 299'"),
    ("an unmeasured ratio fires", "write_error_ratio > 0.01'",
     "write_error_ratio > 0.01 or absent(checkpoint:write_error_ratio) == 1'"),
    ("no data fires", "write_error_ratio > 0.01'", "write_error_ratio > 0.01 or on() vector(1)'"),
    ("a server with two databases is two", "count by (shared_id) (count by (shared_id, instance) "
     '(checkpoint_deployment_servers{shared_id!=""}))', 'count by (shared_id) (checkpoint_deployment_servers{shared_id!=""})'),
    ("servers that share are not counted", "count by (shared_id) (count by", "group by (shared_id) (count by"),
    ("more servers than the operator knows are none", 'or 0 * checkpoint_deployment_servers{shared_id!=""} + on (shared_id) '
     'group_left () count by (shared_id) (count by (shared_id, instance) (checkpoint_deployment_servers{shared_id!=""}))', ""),
    ("servers that the operator knows and that do not report do not count", '(checkpoint_deployment_servers{shared_id!=""} >= on '
     '(shared_id) group_left () count by (shared_id) (count by (shared_id, instance) '
     '(checkpoint_deployment_servers{shared_id!=""}))) or 0 *', "0 *"),
    ("another quantile", "histogram_quantile(0.99,", "histogram_quantile(0.995,"),
    ("only commits are writes", f"(sum by ({IDENTITY}) (rate(checkpoint_writes_total[5m])) >= sum by ({IDENTITY}) "
     "(rate(checkpoint_store_commits_total[5m]))) or sum", "sum"),
    ("a failed write covers a commit", 'checkpoint_writes_total{status="success"}[5m])) + 2', "checkpoint_writes_total[5m])) + 2"),
]

# The recorded series' windows are all of 5 minutes, and the tests must find any that is one of these. Not where that makes no
# difference: `A / B >= 0 or B == 0` needs its last part only where nothing happened in 5 minutes, and not in less of them
# either; and of a trace lost before them the last part of the coverage says something only where there is no coverage.
OTHER_WINDOWS = ["[4m]", "[10m]"]


def makes_no_difference(window, before, behind):
    """That window instead of the one between the two halves of an expression."""
    if window == "[4m]":
        return behind.endswith(" == 0'") and " or " not in behind
    return before.endswith("max_over_time(checkpoint_block_trace_lost") and " or 1 - " in before


def longer(seconds):
    """Changes a duration of one unit by that."""
    units = {"s": 1, "m": 60, "h": 3600}
    return lambda match: f"{match[1]}{int(match[2]) * units[match[3]] + seconds}s\n"


# What somebody could get wrong in any alert, as (name, pattern, text instead). Of an alert that has the pattern, the tests
# must find it.
FOR = r"(        for: )(\d+)([smh])\n"
KEEP = r"(        keep_firing_for: )(\d+)([smh])\n"
ALERT_BREAKS = [
    ("without `for`", FOR, ""),
    ("`for` one interval short", FOR, longer(-30)),
    ("`for` one interval long", FOR, longer(30)),
    ("a `for` where none belongs", r"(expr: .*\n)(?!        for:)", r"\1        for: 30s\n"),
    ("without keep_firing_for", KEEP, ""),
    ("keep_firing_for one interval short", KEEP, longer(-30)),
    ("keep_firing_for one interval long", KEEP, longer(30)),
    ("the limit itself breaches", r" ([<>]) ([0-9.e+]+'\n)", r" \1= \2"),
    ("fires without data", r"(expr: '.*)'\n", r"\1 or on() vector(1)'\n"),
]
ALERT = re.compile(r"(?m)^      - alert: (\w+)\n(?:        .*\n)+")


class Teeth(unittest.TestCase):
    """The generated tests of the shipped spec go red on rules that are wrong."""

    def test_each_break_is_found(self):
        source = ROOT / "rules" / "gen"
        rules = (source / "checkpoint.rules.yml").read_text(encoding="utf-8")

        def judge(number):
            """promtool's first status that is not 0, on that break's rules."""
            _, text, instead = BREAKS[number]
            with tempfile.TemporaryDirectory() as folder:
                for test in TESTS:
                    shutil.copy(source / test, folder)
                (pathlib.Path(folder) / "checkpoint.rules.yml").write_text(rules.replace(text, instead), encoding="utf-8")
                statuses = (run("promtool", "test", "rules", test, cwd=folder).returncode for test in TESTS)
                return next((status for status in statuses if status != 0), 0)

        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for (name, text, _), status in zip(BREAKS, pool.map(judge, range(len(BREAKS)))):
                with self.subTest(name):
                    self.assertIn(text, rules)
                    self.assertEqual(status, 1)

    def test_another_window_is_found_in_each_recorded_series(self):
        found = 0
        for store in ("checkpoint", "postgresql"):
            rules = (ROOT / "rules" / "gen" / f"{store}.rules.yml").read_text(encoding="utf-8")
            tests = (ROOT / "rules" / "gen" / f"{store}.test.yml").read_text(encoding="utf-8")
            head, *cases = re.split(r"(?m)^(?=  - name: )", tests)
            with tempfile.TemporaryDirectory() as folder:
                for rule in re.finditer(r"      - record: (\S+)\n        expr: .*", rules):
                    about = [case for case in cases if case.startswith(f"  - name: '{rule[1]}")]
                    (pathlib.Path(folder) / f"{store}.test.yml").write_text("".join([head, *about]), encoding="utf-8")
                    for place, window in itertools.product(re.finditer(r"\[5m\]", rule[0]), OTHER_WINDOWS):
                        before, behind = rule[0][:place.start()], rule[0][place.end():]
                        if makes_no_difference(window, before, behind):
                            continue
                        found += 1
                        with self.subTest(series=rule[1], after=before[-40:], window=window):
                            broken = rules[:rule.start()] + before + window + behind + rules[rule.end():]
                            (pathlib.Path(folder) / f"{store}.rules.yml").write_text(broken, encoding="utf-8")
                            done = run("promtool", "test", "rules", f"{store}.test.yml", cwd=folder)
                            self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertGreater(found, 20)

    def test_what_breaks_any_alert_is_found_in_each(self):
        """Every alert is broken at once, so that one run tells; promtool names the alerts that are not as expected."""
        source = ROOT / "rules" / "gen"
        rules = (source / "checkpoint.rules.yml").read_text(encoding="utf-8")
        for name, pattern, instead in ALERT_BREAKS:
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                for test in TESTS:
                    shutil.copy(source / test, folder)
                broken = set()

                def break_it(match):
                    text, count = re.subn(pattern, instead, match[0], count=1)
                    if count:
                        broken.add(match[1])
                    return text

                path = pathlib.Path(folder) / "checkpoint.rules.yml"
                path.write_text(ALERT.sub(break_it, rules), encoding="utf-8")
                self.assertTrue(broken)
                done = run("promtool", "test", "rules", *TESTS, cwd=folder)
                self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
                self.assertEqual(set(re.findall(r"alertname: ?(\w+)", done.stdout + done.stderr)), broken)


class Bytes(unittest.TestCase):
    """The same spec gives the same bytes; another spec doesn't."""

    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = pathlib.Path(temporary.name)

    def copy(self):
        """The specs in a folder of their own."""
        copied = self.folder / "copy"
        shutil.copytree(ROOT / "rules", copied / "rules")
        return copied

    def test_locale_and_working_directory_make_no_difference(self):
        first = generate(self.folder / "a", cwd=ROOT, env={"LC_ALL": "C"})
        for number, locale in enumerate(["de_DE.UTF-8", "tr_TR.UTF-8", "hi_IN.UTF-8", "C.UTF-8"]):
            out = self.folder / f"b{number}"
            specs = sorted((ROOT / "rules").glob("*.toml"))
            self.assertEqual(generate(out, *specs, cwd="/", env={"LC_ALL": locale, "TZ": "Asia/Tokyo"}), first)
        self.assertIn("rules/gen/checkpoint.rules.yml", first)

    def test_the_committed_artefacts_are_these(self):
        for name, content in generate(self.folder / "a", cwd=ROOT).items():
            self.assertEqual((ROOT / name).read_bytes(), content, name)

    def test_a_changed_threshold_changes_table_rules_tests_dashboard_and_documents(self):
        copied = self.copy()
        before = generate(self.folder / "before", cwd=copied)
        spec = copied / "rules" / "checkpoint.toml"
        text = spec.read_text(encoding="utf-8")
        self.assertEqual(text.count("above   = 0.01\n"), 1)
        spec.write_text(text.replace("above   = 0.01\n", "above   = 0.0125\n"), encoding="utf-8")
        after = generate(self.folder / "after", cwd=copied)
        moved = {name for name, content in after.items() if b"0.0125" in content}
        self.assertEqual(moved, {
            "rules/gen/checkpoint.rules.yml", "rules/gen/victoriametrics/checkpoint.rules.yml",
            "rules/gen/checkpoint.test.yml", "rules/gen/checkpoint.thresholds.inc",
            "grafana-provisioning/dashboards/gen/checkpoint.json", "docs/gen/checkpoint.runbook.md"})
        self.assertIn(b"1.25%", after["docs/gen/checkpoint.decision-matrix.md"])
        self.assertEqual({name for name in before if "postgresql" in name and before[name] != after[name]}, set())

    def test_forgetting_to_regenerate_is_exit_6_and_a_patch_that_mends_it(self):
        copied = self.copy()
        self.assertEqual(run(RULEGEN, "--generate", cwd=copied).returncode, 0)
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 0)
        spec = copied / "rules" / "checkpoint.toml"
        spec.write_text(spec.read_text(encoding="utf-8").replace("above   = 80\n", "above   = 75\n"), encoding="utf-8")
        done = run(RULEGEN, "--check", cwd=copied)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("-        expr: 'checkpoint:writes_per_second > 80'\n+        expr: 'checkpoint:writes_per_second > 75'\n",
                      done.stdout)
        patched = subprocess.run(["git", "apply", "-p0", "--unsafe-paths", "-"], input=done.stdout, text=True, cwd=copied,
                                 capture_output=True, check=False)
        self.assertEqual(patched.returncode, 0, patched.stderr)
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 0)

    def test_an_edited_and_a_missing_artefact_are_exit_6(self):
        copied = self.copy()
        self.assertEqual(run(RULEGEN, "--generate", cwd=copied).returncode, 0)
        rules = copied / "rules" / "gen" / "checkpoint.rules.yml"
        original = rules.read_text(encoding="utf-8")
        rules.write_text(original.replace("> 0.01", "> 0.02"), encoding="utf-8")
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 6)
        rules.unlink()
        done = run(RULEGEN, "--check", cwd=copied)
        self.assertEqual(done.returncode, 6)
        self.assertIn("--- /dev/null\n+++ rules/gen/checkpoint.rules.yml\n", done.stdout)

    def test_what_is_left_over_and_not_removed_is_exit_6_until_somebody_does(self):
        folder = self.folder / "pair"
        shutil.copytree(ROOT / "test" / "golden" / "pair", folder)
        specs = ("--spec", "invoices.toml", "--spec", "orders.toml")
        copied, edited = folder / "gen" / "old.rules.yml", folder / "gen" / "orders.rules.yml"
        shutil.copy(edited, copied)
        with open(edited, "a", encoding="utf-8") as file:
            file.write("# by hand\n")
        spec = folder / "orders.toml"
        spec.write_text(spec.read_text(encoding="utf-8").replace('"orders"', '"shop"'), encoding="utf-8")
        for _ in range(2):
            self.assertEqual(run(RULEGEN, "--generate", *specs, cwd=folder).returncode, 0)
            done = run(RULEGEN, "--check", *specs, cwd=folder)
            self.assertEqual((done.returncode, done.stdout), (6, ""), done.stderr)
            self.assertIn("gen/orders.rules.yml: no longer generated, and not for --generate to remove: changed since rulegen "
                          "wrote it;", done.stderr)
            self.assertIn("gen/old.rules.yml: no longer generated, and not for --generate to remove: it carries this spec's "
                          "mark, and the manifest does not name it;", done.stderr)
        copied.unlink()
        edited.unlink()
        self.assertEqual(run(RULEGEN, "--generate", *specs, cwd=folder).returncode, 0)
        self.assertEqual(run(RULEGEN, "--check", *specs, cwd=folder).returncode, 0)

    def test_a_removed_spec_is_exit_6_until_its_artefacts_are_gone(self):
        copied = self.copy()
        self.assertEqual(run(RULEGEN, "--generate", cwd=copied).returncode, 0)
        (copied / "rules" / "postgresql.toml").unlink()
        done = run(RULEGEN, "--check", cwd=copied)
        self.assertEqual((done.returncode, done.stdout), (6, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Arulegen: rules/postgresql\.manifest: its spec postgresql\.toml is not there.*\n\Z")
        only = ("--spec", "rules/checkpoint.toml")
        self.assertEqual(run(RULEGEN, "--check", *only, cwd=copied).returncode, 0)
        manifest = copied / "rules" / "postgresql.manifest"
        for line in manifest.read_text(encoding="utf-8").splitlines()[1:]:
            (manifest.parent / line.split("  ", 1)[1]).unlink()
        manifest.unlink()
        self.assertEqual(run(RULEGEN, "--check", cwd=copied).returncode, 0)

    def test_a_broken_spec_leaves_every_file_alone(self):
        copied = self.copy()
        self.assertEqual(run(RULEGEN, "--generate", cwd=copied).returncode, 0)
        before = tree(copied)
        spec = copied / "rules" / "postgresql.toml"
        broken = spec.read_bytes() + b"\n[[threshold]]\nid = 5\n"
        spec.write_bytes(broken)
        done = run(RULEGEN, "--generate", cwd=copied)
        self.assertEqual(done.returncode, 3)
        self.assertIn("rules/postgresql.toml:", done.stderr)
        self.assertEqual({**before, "rules/postgresql.toml": broken}, tree(copied))

    def test_another_spec_of_the_same_configuration_that_changes_is_exit_6(self):
        copied = self.folder / "pair"
        shutil.copytree(ROOT / "test" / "golden" / "pair", copied)
        orders = ("--spec", "orders.toml")
        self.assertEqual(run(RULEGEN, "--check", *orders, cwd=copied).returncode, 0)
        spec = copied / "invoices.toml"
        spec.write_text(spec.read_text(encoding="utf-8").replace('"Items"', '"Many"'), encoding="utf-8")
        done = run(RULEGEN, "--check", *orders, cwd=copied)
        self.assertEqual(done.returncode, 6, done.stderr)
        self.assertIn("InvoicesMany", done.stdout)
        self.assertNotIn("+++ gen/orders.rules.yml", done.stdout)
        self.assertEqual(run(RULEGEN, "--generate", *orders, cwd=copied).returncode, 0)
        self.assertEqual(run(RULEGEN, "--check", *orders, cwd=copied).returncode, 0)
        spec.unlink()
        done = run(RULEGEN, "--check", *orders, cwd=copied)
        self.assertEqual(done.returncode, 1)
        self.assertIn('orders.toml:21:9: alertmanager.also: found "invoices.toml", a file that can\'t be read', done.stderr)
        self.assertIn('\n  also = ["invoices.toml"]\n          ^\n', done.stderr)
        # Only what makes artefacts needs the other one.
        (copied / "measurements.json").write_text('{"items": 1}', encoding="utf-8")
        done = run(RULEGEN, "--evaluate", *orders, "--measurements", "measurements.json", cwd=copied)
        self.assertEqual((done.returncode, done.stdout.split("\n")[0]), (0, "Orders sufficient"), done.stderr)

    def test_specs_that_share_a_name_or_a_file_write_nothing(self):
        shutil.copytree(ROOT / "test" / "golden" / "pair", self.folder / "pair")
        for name in ("a", "b"):
            (self.folder / name).mkdir()
        spec = (ROOT / "test" / "golden" / "small" / "small.toml").read_text(encoding="utf-8")
        (self.folder / "a" / "one.toml").write_text(spec, encoding="utf-8")
        (self.folder / "b" / "one.toml").write_text(spec, encoding="utf-8")
        before = tree(self.folder)
        both = ("--spec", "a/one.toml", "--spec", "b/one.toml")
        done = run(RULEGEN, "--generate", *both, cwd=self.folder)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertTrue(done.stderr.startswith("b/one.toml:6:14: store.name: found the store small, which a/one.toml:6:14 "
                                               "has too, expected a name that no other spec of this run has\n"), done.stderr)
        # Another store, but the same name of the manifest once both go to one folder.
        (self.folder / "b" / "one.toml").write_text(spec.replace('"small"', '"tiny"'), encoding="utf-8")
        self.assertEqual(run(RULEGEN, "--check", *both, cwd=self.folder).returncode, 6)
        (self.folder / "b" / "one.toml").rename(self.folder / "a" / "one.spec")
        before = tree(self.folder)
        done = run(RULEGEN, "--generate", "--spec", "a/one.toml", "--spec", "a/one.spec", cwd=self.folder)
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("a/one.spec:1:1: found a spec whose manifest a/one.manifest is also that of a/one.toml:1:1", done.stderr)
        self.assertEqual(tree(self.folder), before)

    def test_without_a_spec_it_says_so(self):
        done = run(RULEGEN, "--generate", cwd=self.folder)
        self.assertEqual(done.returncode, 2)
        self.assertIn("no rules/*.toml here", done.stderr)


if __name__ == "__main__":
    unittest.main()
