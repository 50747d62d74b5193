"""What rulegen generates, in the hands of those it is for: promtool, amtool, vmalert and a running Prometheus.

Usage: artefacts_test.py BUILD_FOLDER
"""

import json
import pathlib
import re
import shutil
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve() / "rulegen" / "rulegen"
sys.path.insert(0, str(ROOT / "test" / "support"))

import servers  # noqa: E402
from artefacts import SPECS, generate, run  # noqa: E402
from promtool import promtool  # noqa: E402


def expressions(rules_yaml):
    """The expressions of a generated rule file, in order: rulegen writes each in single quotes or plain in one line."""
    found = []
    for line in rules_yaml.splitlines():
        match = re.fullmatch(r"\s+expr: (.*)", line)
        if match:
            text = match.group(1)
            found.append(text[1:-1].replace("''", "'") if text.startswith("'") else text)
    return found


def with_plain_numbers(expression):
    """Prometheus 2 shows 1000000000 as 1e+09, and Prometheus 3 as it is."""
    return re.sub(r"(?<![\w.:])\d+(\.\d+)?(e[+-]?\d+)?(?![\w.:])", lambda number: repr(float(number[0])), expression)


class Consumers(unittest.TestCase):
    """The real tools take every artefact of every spec."""

    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.files = generate(RULEGEN, cls.folder, *SPECS)

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
        done = promtool("check", "rules", "--lint-fatal", *self.each(".rules.yml"))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_promtool_passes_the_generated_tests(self):
        for path in self.each(".test.yml"):
            done = promtool("test", "rules", path.name, cwd=path.parent)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_the_shipped_specs_leave_no_counter_without_idle_and_reset(self):
        for path in [path for path in self.each(".test.yml") if path.name.count(".") == 2]:
            text = path.read_text(encoding="utf-8")
            notes = re.findall(r"(?m)^# (\S+:\S+): ", text)
            rules = (path.parent / re.search(r"rule_files: \[(.+)\]", text)[1]).read_text(encoding="utf-8")
            # The cases of a signal's split and of the coverage's reasons say what these are.
            records = [name for name in re.findall(r"(?m)^      - record: (\S+)$", rules)
                       if not name.endswith((":split", ":coverage_reason"))]
            self.assertEqual(sorted(notes), sorted(records))
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
        flavors = {servers.vmalert_flavor(), "victoriametrics-1.79"}  # the older one is for any vmalert
        for path in [path for path in self.each(".rules.yml") if path.parent.name in flavors]:
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
            self.assertGreater(len(ids), 2)
        self.assertEqual(len(uids), len(self.each(".json")))

    def test_prometheus_shows_the_expressions_as_they_are_written(self):
        rule_files = [path for path in self.each(".rules.yml") if path.parent.name == "gen"]
        written = {path: expressions(path.read_text(encoding="utf-8")) for path in rule_files}
        with servers.Stack() as stack:
            server = stack.start(servers.prometheus(self.folder, {}, rule_files))
            groups = servers.get_json(server.url + "/api/v1/rules")["data"]["groups"]
        for path, expected in written.items():
            shown = [rule["query"] for group in groups if group["file"] == str(path) for rule in group["rules"]]
            # The server lists groups by name.
            self.assertEqual(sorted(map(with_plain_numbers, shown)), sorted(map(with_plain_numbers, expected)))


if __name__ == "__main__":
    unittest.main()
