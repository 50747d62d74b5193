"""`rulegen --verify` against a real Prometheus with the generated rules; the shipped spec's exporter is the real one."""

import json
import re
import shutil
import unittest

import verify_case
import servers  # verify_case's path

EXPORTER = verify_case.BUILD / "exporter" / "outgrown-exporter"


class OverPrometheusCase(verify_case.Case):
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
                self.expect_loaded(verify_case.GROUP + difference)
                self.load(new, old)
        self.expect_in_step()

    def test_another_spelling_of_the_same_expression_is_no_drift(self):
        self.load("checkpoint:write_error_ratio > 0.01", "(checkpoint:write_error_ratio) > 1e-2")
        # Prometheus keeps the parentheses in its canonical form, so this one is another expression.
        self.expect_loaded(verify_case.GROUP + "alert CheckpointWriteErrors: expr is `(checkpoint:write_error_ratio) > 0.01 < +Inf`, the "
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
        self.expect_loaded(f"{verify_case.GROUP}alert CheckpointWriteErrors comes before recording rule {before}, the spec has it after")

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


if __name__ == "__main__":
    unittest.main(warnings="ignore")  # refused connections while a server starts leave unclosed sockets behind
