"""`rulegen --verify` against real servers: Prometheus with the generated rules, and vmalert beside VictoriaMetrics.

Each case makes one copy differ and expects the one line that names it; the shipped spec's exporter is the real one.

Usage: verify_test.py BUILD_FOLDER
"""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))

import server_case  # noqa: E402  (the path above)
import servers  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
EXPORTER = BUILD / "exporter" / "outgrown-exporter"
GROUP = "group outgrown-checkpoint: "


class Ops:
    """An ops repo of its own with the shipped spec at one evaluation a second, and what is generated from it."""

    def __init__(self, folder):
        self.folder = folder / "ops"
        self.folder.mkdir()
        text = (ROOT / "rules" / "checkpoint.toml").read_text()
        text, count = re.subn(r'(?m)^interval( +)= "30s"', r'interval\1= "1s"', text, count=1)
        assert count == 1, "the spec's interval is not where it was"
        # A group's first evaluation is up to one interval after its loading, and until then its health is unknown.
        text = re.sub(r'(?m)^interval( +)= "2m"', r'interval\1= "2s"', text)
        text = re.sub(r'"\.\./(?:grafana-provisioning/dashboards|docs)/gen"', '"gen"', text)
        self.spec = self.folder / "checkpoint.toml"
        self.spec.write_text(text)
        shutil.copy(ROOT / "rules" / "alertmanager.base.yml", self.folder)
        self.rules = self.folder / "gen" / "checkpoint.rules.yml"
        self.generate()

    def generate(self):
        subprocess.run([RULEGEN, "--generate", "--spec", self.spec], check=True, capture_output=True)

    def verify(self, prometheus_url, *arguments):
        return subprocess.run([RULEGEN, "--verify", "--spec", "checkpoint.toml", "--prometheus", prometheus_url,
                               "--timeout", "5s", *arguments], cwd=self.folder, capture_output=True, text=True,
                              check=False)


class Case(server_case.ServerCase):
    """One set of servers for all cases; each case finds the ops repo, and what was deployed of it, as at the beginning."""

    @classmethod
    def start(cls):
        cls.ops = Ops(cls.folder)
        cls.pristine = {path: path.read_bytes() for path in cls.ops.folder.rglob("*") if path.is_file()}
        cls.loaded = cls.folder / "loaded.rules.yml"  # what the server loads: a deployed copy of the generated file
        shutil.copy(cls.generated(), cls.loaded)

    def setUp(self):
        for path in self.ops.folder.rglob("*"):
            if path.is_file() and path not in self.pristine:
                path.unlink()
        for path, content in self.pristine.items():
            path.write_bytes(content)
        if self.loaded.read_bytes() != self.generated().read_bytes():
            shutil.copy(self.generated(), self.loaded)

    def expect(self, verify, status, wanted, behind=None):
        """Verifies until rules that were just loaded are evaluated and exporters scraped, and there is a line with each
        of the wanted ends, and `behind` lines of that kind in all; `status` None is any. Returns the report."""
        last = None

        def settled():
            nonlocal last
            last = verify()
            lines = last.stdout.splitlines()
            return (status in (None, last.returncode) and all(any(line.endswith(end) for line in lines) for end in wanted)
                    and behind in (None, last.stdout.count(": behind: ")))

        try:
            servers.wait_for("the report", settled, timeout_seconds=60, poll_seconds=0.3)
        except servers.NotReady:
            self.fail(f"wanted status {status}, {behind} behind and {wanted}\ngot {last.returncode}\n"
                      f"{last.stdout}{last.stderr}")
        return last.stdout


class OverPrometheusCase(Case):
    @classmethod
    def start(cls):
        super().start()
        cls.beside = cls.folder / "beside.rules.yml"  # not there until a case writes it
        blocks = cls.folder / "blocks"
        blocks.mkdir(mode=0o750)
        cls.exporters = []
        for name, spec in cls.exporter_specs():
            (cls.folder / name).mkdir()
            cls.exporters.append(cls.stack.start(servers.exporter(
                cls.folder / name, EXPORTER, [f"--block.dir={blocks}", f"--spec={spec}"])))
        cls.targets = [exporter.url.removeprefix("http://") for exporter in cls.exporters]
        cls.prometheus = cls.stack.start(servers.prometheus(
            cls.folder, {"outgrown": cls.targets}, [cls.loaded, cls.beside], scrape_interval="1s", retention=cls.retention))

    retention = "7d"

    @classmethod
    def generated(cls):
        return cls.ops.rules

    @classmethod
    def exporter_specs(cls):
        spec = cls.folder / "exporter.toml"  # a copy, as on another machine
        shutil.copy(cls.ops.spec, spec)
        return [("a", spec)]

    def setUp(self):
        self.beside.unlink(missing_ok=True)
        super().setUp()
        self.reload()

    def reload(self):
        servers.post(f"{self.prometheus.url}/-/reload")

    def load(self, old, new, count=1):
        """Edits the deployed rule file by hand and has Prometheus load it."""
        text = self.loaded.read_text()
        self.assertIn(old, text)
        self.loaded.write_text(text.replace(old, new, count))
        self.reload()

    def verify(self, *arguments):
        return self.ops.verify(self.prometheus.url, *arguments)

    def expect_in_step(self):
        loaded = f"ok: loaded rules at {self.prometheus.url}: "
        out = self.expect(self.verify, 0, ["as the spec generates, evaluated and healthy"], 0)
        self.assertIn(loaded, out)
        return out

    def expect_loaded(self, *differences):
        behind = f"checkpoint.toml: behind: loaded rules at {self.prometheus.url}: "
        self.expect(self.verify, 6, [behind + difference for difference in differences], len(differences))


class OverPrometheus(OverPrometheusCase):
    def test_every_copy_in_step_is_one_line_each(self):
        out = self.expect_in_step()
        self.assertIn("checkpoint.toml: ok: files: ", out)
        self.assertIn("checkpoint.toml: ok: dashboards: ", out)
        self.assertIn(f"checkpoint.toml: ok: exporters as seen by {self.prometheus.url}: 1 with digest ", out)
        report = json.loads(self.verify("--format", "json").stdout)
        self.assertEqual(report["exit_status"], 0)
        self.assertEqual({finding["state"] for finding in report["specs"][0]["findings"]}, {"ok"})

    def test_a_hand_edit_of_a_loaded_rule_shows_though_every_digest_agrees(self):
        self.expect_in_step()
        edits = [
            ("checkpoint:write_error_ratio > 0.01", "checkpoint:write_error_ratio > 0.02",
             "alert CheckpointWriteErrors: expr is `checkpoint:write_error_ratio > 0.02 < +Inf`, the spec says "
             "`checkpoint:write_error_ratio > 0.01 < +Inf`"),
            ("for: 5m", "for: 6m", "alert CheckpointWriteErrors: for is 6m, the spec says 5m"),
            ("keep_firing_for: 15m", "keep_firing_for: 1m",
             "alert CheckpointWriteErrors: keep_firing_for is 1m, the spec says 15m"),
            ("severity: critical", "severity: info",
             'alert CheckpointWriteErrors: label severity is "info", the spec says "critical"'),
            ("summary: 'MIGRATE NOW - Write errors >1% (SQLite saturated)'", "summary: all is well",
             'alert CheckpointWriteErrors: annotation summary is "all is well", the spec says "MIGRATE NOW - Write '
             'errors >1% (SQLite saturated)"'),
            ("interval: 1s", "interval: 2s", "interval is 2s, the spec says 1s"),
            ("interval: 1s", "interval: 1s\n    limit: 1000", "limit is 1000, the spec has none"),
        ]
        for old, new, difference in edits:
            with self.subTest(edit=new):
                self.load(old, new)
                self.expect_loaded(GROUP + difference)
                self.load(new, old)
        self.expect_in_step()

    def test_another_spelling_of_the_same_expression_is_no_drift(self):
        self.load("checkpoint:write_error_ratio > 0.01", "(checkpoint:write_error_ratio) > 1e-2")
        # Prometheus keeps the parentheses in its canonical form, so this one is another expression.
        self.expect_loaded(GROUP + "alert CheckpointWriteErrors: expr is `(checkpoint:write_error_ratio) > 0.01 < +Inf`, the "
                           "spec says `checkpoint:write_error_ratio > 0.01 < +Inf`")
        self.load("(checkpoint:write_error_ratio) > 1e-2", "checkpoint:write_error_ratio>10.0e-3")
        self.expect_in_step()

    def test_rules_out_of_order_show(self):
        text = self.loaded.read_text()
        rules = re.findall(r"(?ms)^      - (?:alert|record): .*?(?=^      - |^  - |\Z)", text)
        self.assertGreater(len(rules), 3)
        first = next(i for i, rule in enumerate(rules) if "alert: CheckpointWriteErrors" in rule)
        self.loaded.write_text(text.replace(rules[first - 1] + rules[first], rules[first] + rules[first - 1]))
        self.reload()
        before = re.match(r"      - record: (\S+)", rules[first - 1])[1]
        self.expect_loaded(f"{GROUP}alert CheckpointWriteErrors comes before recording rule {before}, the spec has it after")

    def test_an_old_rule_file_is_behind_in_content_and_digest(self):
        self.expect_in_step()
        spec = self.ops.spec.read_text()
        self.ops.spec.write_text(spec.replace("above   = 0.01", "above   = 0.03"))
        self.ops.generate()
        out = self.expect(self.verify, 6, [
            "alert CheckpointWriteErrors: expr is `checkpoint:write_error_ratio > 0.01 < +Inf`, the spec says "
            "`checkpoint:write_error_ratio > 0.03 < +Inf`"])
        self.assertIn("alert CheckpointDigestMismatch: expr is ", out)
        # The exporter still has the old digest, and is named.
        self.assertIn(f"checkpoint.toml: behind: exporter at {self.targets[0]} (job outgrown): its table is of ", out)
        self.assertNotIn("behind: file", out)

    def test_a_spec_that_was_changed_and_not_generated_is_distinguished_from_old_copies(self):
        self.expect_in_step()
        spec = self.ops.spec.read_text()
        self.ops.spec.write_text(spec.replace("above   = 0.01", "above   = 0.03"))
        out = self.expect(self.verify, 6, ["or this spec is the copy that is behind"])
        self.assertIn("behind: file gen/checkpoint.rules.yml: it was generated from digest ", out)
        self.assertIn("behind: dashboard gen/", out)

    def test_rules_that_are_not_loaded_show(self):
        self.loaded.write_text("groups: []\n")
        self.reload()
        out = self.expect(self.verify, 6, [], 3)
        self.assertRegex(out, r"group outgrown-checkpoint is not loaded \(\d+ rules\)")

    def test_groups_of_others_are_ignored_and_stale_ones_of_ours_are_not(self):
        with open(self.loaded, "a", encoding="utf-8") as file:
            file.write("  - name: theirs\n    rules: [{record: their:one, expr: vector(1)}]\n")
        self.reload()
        self.expect_in_step()
        with open(self.loaded, "a", encoding="utf-8") as file:
            file.write("  - name: outgrown-checkpoint-9\n    rules: [{record: checkpoint:old, expr: vector(1)}]\n")
        self.reload()
        self.expect_loaded(f"group outgrown-checkpoint-9 (from {self.loaded}) is loaded, the spec has none of that name")

    def test_a_group_of_others_with_a_series_or_an_alert_of_ours_shows(self):
        self.beside.write_text("groups:\n  - name: theirs\n    rules:\n"
                               "      - {record: checkpoint:write_error_ratio, expr: vector(0)}\n"
                               "      - {alert: CheckpointWriteErrors, expr: vector(0) > 1}\n")
        self.reload()
        self.expect_loaded(f"checkpoint:write_error_ratio is also recorded by group theirs (from {self.beside})",
                           f"CheckpointWriteErrors is also an alert of group theirs (from {self.beside})")

    def test_groups_of_ours_that_no_spec_here_owns_are_noted(self):
        # As after a store was renamed: the new rules are deployed, and the old file was left behind.
        old = self.loaded.read_text().replace("checkpoint:", "ledger:").replace("Checkpoint", "Ledger")
        self.beside.write_text(re.sub(r"\boutgrown-checkpoint\b", "outgrown-ledger", old))
        self.reload()
        note = f"checkpoint.toml: note: loaded rules at {self.prometheus.url}: group "
        why = f" (from {self.beside}) is of no spec given here: it is another repo's, or its rule file was left behind"
        notes = [note + name + why for name in ("outgrown-ledger", "outgrown-ledger-measurement-2s", "outgrown-ledger-measurement")]
        out = self.expect(self.verify, 0, notes, 0)
        self.assertEqual(out.count(": note: "), 3)

    def test_a_failed_reload_shows_though_the_old_rules_are_right(self):
        self.expect_in_step()
        self.loaded.write_text("groups: [{name: broken\n")
        with self.assertRaises(OSError):
            self.reload()
        self.expect_loaded("the last reload failed; the rules loaded before still run")

    def test_an_unhealthy_rule_shows_with_its_error(self):
        self.load("checkpoint:write_error_ratio > 0.01 < +Inf", "up + on () group_left () {job=\"outgrown\"} > 0.01")
        self.expect(self.verify, 6, ["many-to-many matching not allowed: matching labels must be unique on one side"])

    def test_a_hand_edited_file_shows(self):
        self.expect_in_step()
        self.ops.rules.write_text(self.ops.rules.read_text().replace("> 0.01", "> 0.5"))
        self.expect(self.verify, 6, ["checkpoint.toml: behind: file gen/checkpoint.rules.yml: it differs, with "
                                           "the spec's own digest: edited by hand, or of another rulegen"], 1)

    def test_servers_that_do_not_answer_are_status_4(self):
        out = self.expect(lambda: self.ops.verify(f"http://127.0.0.1:{servers.free_port()}"), 4, [])
        self.assertIn(": unknown: loaded rules at ", out)
        self.assertIn(": unknown: exporters as seen by ", out)
        # Something answers, but it is no Prometheus.
        out = self.expect(lambda: self.ops.verify(self.exporters[0].url), 4, [])
        self.assertIn(": unknown: loaded rules at ", out)


class ASilentExporter(OverPrometheusCase):
    retention = "1d"

    def test_a_silent_exporter_is_named(self):
        self.expect_in_step()
        self.exporters[0].stop()
        self.expect(self.verify, 6, [f"behind: exporter at {self.targets[0]} (job outgrown): silent: it reported a "
                                     "digest within the last 26h and does not now"])

    def test_a_server_that_keeps_too_little_is_noted(self):
        self.expect(self.verify, None, ["--since and --backtest see no further back than what is kept: raise "
                                        "--storage.tsdb.retention.time"])


class OneExporterWithAnotherSpec(OverPrometheusCase):
    @classmethod
    def exporter_specs(cls):
        other = cls.folder / "other.toml"
        other.write_text(cls.ops.spec.read_text().replace("above   = 0.01", "above   = 0.03"))
        return [*super().exporter_specs(), ("b", other)]

    def test_only_the_exporter_that_differs_is_named(self):
        digest = re.search("spec digest ([0-9a-f]{8})", self.ops.rules.read_text())[1]
        out = self.expect(self.verify, 6, [f", the spec's is {digest}"], 1)
        self.assertIn(f"behind: exporter at {self.targets[1]} (job outgrown): its table is of digest ", out)


class OverVmalert(Case):
    """A vmalert of its own for each case: 1.79 puts a rule that was edited, and edited back, at the end of its group."""

    @classmethod
    def start(cls):
        super().start()
        cls.metrics = cls.stack.start(servers.victoria_metrics(cls.folder))

    def setUp(self):
        super().setUp()
        port = servers.free_port()
        self.vmalert = servers.Server("vmalert", [
            "vmalert", f"-rule={self.loaded}", f"-datasource.url={self.metrics.url}",
            f"-remoteWrite.url={self.metrics.url}", "-notifier.url=http://127.0.0.1:1", f"-httpListenAddr=127.0.0.1:{port}"],
            self.folder, port, "/health")
        self.addCleanup(self.vmalert.stop)

    @classmethod
    def generated(cls):
        return cls.ops.folder / "gen" / servers.vmalert_flavor() / "checkpoint.rules.yml"

    def reload(self):
        servers.get(f"{self.vmalert.url}/-/reload")

    def verify(self):
        return self.ops.verify(self.metrics.url, "--rules-url", self.vmalert.url)

    def test_rules_in_vmalert_are_in_step_by_their_flavor(self):
        # This VictoriaMetrics scrapes no exporter, and that is reported.
        out = self.expect(self.verify, 6, ["as the spec generates, evaluated and healthy",
                                           "none reports a digest for the store checkpoint"], 1)
        self.assertIn(f"ok: loaded rules at {self.vmalert.url}: ", out)

    def test_a_hand_edit_in_vmalert_shows(self):
        self.loaded.write_text(self.loaded.read_text().replace("checkpoint:write_error_ratio > 0.01",
                                                               "checkpoint:write_error_ratio > 0.02"))
        self.reload()
        self.expect(self.verify, 6, [
            f"behind: loaded rules at {self.vmalert.url}: {GROUP}alert CheckpointWriteErrors: expr is "
            "`checkpoint:write_error_ratio > 0.02 < +Inf`, the spec says `checkpoint:write_error_ratio > 0.01 < +Inf`"])

    def test_a_group_of_vmalert_that_asks_with_parameters_shows(self):
        text = self.loaded.read_text()
        self.assertIn("    interval: 1s\n", text)
        self.loaded.write_text(text.replace("    interval: 1s\n", "    interval: 1s\n    params: {extra_label: ['x=y']}\n"
                                                                  "    concurrency: 3\n", 1))
        self.reload()
        behind = f"behind: loaded rules at {self.vmalert.url}: {GROUP}"
        self.expect(self.verify, 6, [f'{behind}params is "extra_label=x=y", the spec has none',
                                     f"{behind}concurrency is 3, the spec has none"])

    def test_a_failed_reload_of_vmalert_shows(self):
        self.loaded.write_text("groups: [{name: broken\n")
        self.reload()
        self.expect(self.verify, 6, [f"behind: loaded rules at {self.vmalert.url}: the last reload failed; the rules "
                                     "loaded before still run"])


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # refused connections while a server starts leave unclosed sockets behind
