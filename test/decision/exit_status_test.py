"""The exit status of the real binary: of all that apply, the first in the order of docs/decision.md. Verdicts, drift and unknowns
come from a real Prometheus, where each situation has an instant of its own.

Usage: exit_status_test.py RULEGEN
"""

import json
import os
import pathlib
import subprocess
import sys
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import recorded  # noqa: E402
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SPEC = ROOT / "rules" / "checkpoint.toml"
BEGIN = 1_790_000_010
APART = 3 * 86400  # more than the 26 hours for which a silent store is remembered

# What the stores of a situation may be like.
HEALTHY, ERRORS, SIZE, UNKNOWN, DRIFT = "healthy", "errors", "size", "unknown", "drift"
# The stores of each situation, the status, and the status with --exit-code.
SITUATIONS = [
    ([HEALTHY], 0, 0),
    ([HEALTHY, SIZE], 0, 10),
    ([HEALTHY, ERRORS], 0, 20),
    ([HEALTHY, UNKNOWN], 30, 30),
    ([SIZE, UNKNOWN], 30, 30),
    ([ERRORS, UNKNOWN], 30, 20),
    ([DRIFT], 6, 6),
    ([DRIFT, SIZE], 6, 6),
    ([DRIFT, UNKNOWN], 6, 6),
    ([DRIFT, UNKNOWN, SIZE], 6, 6),
    ([DRIFT, UNKNOWN, SIZE, ERRORS], 6, 20),
    ([], 30, 30),
]


def store(kind, end):
    if kind == ERRORS:
        return recorded.Store(kind, end=end, write_error_ratio=[0.02] * 30).alert(WriteErrors="firing")
    if kind == SIZE:
        return recorded.Store(kind, end=end, file_size_bytes=[6 * recorded.GIGABYTE]).alert(FileSize="firing")
    if kind == UNKNOWN:
        return recorded.Store(kind, end=end, coverage_ratio=[0.5])
    if kind == DRIFT:
        return recorded.Store(kind, end=end).alert(MultiServer="firing")
    return recorded.Store(kind, end=end)


class ExitStatus(ServerCase):
    @classmethod
    def start(cls):
        # After Prometheus' start, which is yet to come.
        cls.soon = (int(time.time()) // recorded.STEP + 4) * recorded.STEP
        recorded.backfill([store(kind, BEGIN + number * APART) for number, (kinds, _, _) in enumerate(SITUATIONS)
                           for kind in kinds] + cls.stores_of_soon(), cls.folder)
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, retention="100y"))

    @classmethod
    def stores_of_soon(cls):
        """A breach whose alert has begun to count anew, as after a restart of Prometheus; and one whose
        alert is not there at all."""
        return [recorded.Store("just-started", end=cls.soon, write_error_ratio=[0.02] * 20).alert(WriteErrors="pending"),
                recorded.Store("not-firing", end=cls.soon, write_error_ratio=[0.02] * 20)]

    def run_rulegen(self, *arguments, url=None, spec=SPEC, log="log", at=BEGIN + 7, values=None):
        environment = {**os.environ, "XDG_STATE_HOME": str(self.folder / "state"), "STATE_DIRECTORY": ""}
        return subprocess.run(
            [RULEGEN, "--evaluate", "--spec", spec, "--prometheus", url or self.prometheus.url, "--at", str(at), "--log",
             self.folder / log, "--timeout", "5s", *arguments],
            input=values, capture_output=True, text=True, check=False, timeout=60, env=environment)

    def nobody(self):
        return f"http://127.0.0.1:{servers.free_port()}"

    def bad_spec(self):
        bad = self.folder / "bad.toml"
        bad.write_text("schema = 2\n")
        return bad

    def test_of_verdicts_drift_and_unknowns_the_first_that_applies(self):
        for number, (kinds, plain, with_codes) in enumerate(SITUATIONS):
            with self.subTest(stores=kinds):
                at = BEGIN + number * APART + 7
                done = self.run_rulegen(at=at)
                self.assertEqual(done.returncode, plain, done.stdout + done.stderr)
                self.assertEqual(self.run_rulegen("--exit-code", at=at).returncode, with_codes)

    def test_usage_comes_first_of_all(self):
        self.assertEqual(self.run_rulegen("--no-such-option", spec=self.bad_spec(), url=self.nobody()).returncode, 2)

    def test_a_bad_spec_comes_before_an_unreadable_file_an_unwritable_log_and_a_silent_server(self):
        for arguments in ([], ["--measurements", "/nowhere"], ["--headers-file", "/nowhere"]):
            done = self.run_rulegen(*arguments, spec=self.bad_spec(), url=self.nobody(), log="")
            self.assertEqual(done.returncode, 3, done.stderr)

    def test_a_file_that_cannot_be_read_comes_before_an_unwritable_log_and_a_silent_server(self):
        for arguments in (["--headers-file", "/nowhere"], ["--basic-auth-file", "/nowhere"]):
            self.assertEqual(self.run_rulegen(*arguments, url=self.nobody(), log="").returncode, 1)
        self.assertEqual(self.run_rulegen("--measurements", "-", values="no JSON", log="").returncode, 1)

    def test_an_unwritable_log_comes_before_a_silent_server_and_every_verdict_and_nothing_is_printed(self):
        for url in (self.nobody(), self.prometheus.url):
            done = self.run_rulegen("--exit-code", url=url, log="", at=BEGIN + 10 * APART + 7)
            self.assertEqual(done.returncode, 5)
            self.assertEqual(done.stdout, "")
        given = self.run_rulegen("--measurements", "-", "--exit-code", values=json.dumps({"write_error_ratio": 1}), log="")
        self.assertEqual((given.returncode, given.stdout), (5, ""))

    def test_a_silent_server_is_4_with_or_without_exit_code(self):
        for arguments in ([], ["--exit-code"]):
            self.assertEqual(self.run_rulegen(*arguments, url=self.nobody()).returncode, 4)

    def test_given_values_have_the_verdicts_codes(self):
        for values, plain, with_codes in (({"write_error_ratio": 1}, 0, 20), ({"file_size_bytes": 1e12}, 30, 30), ({}, 30, 30)):
            text = json.dumps(values)
            self.assertEqual(self.run_rulegen("--measurements", "-", values=text).returncode, plain)
            self.assertEqual(self.run_rulegen("--measurements", "-", "--exit-code", values=text).returncode, with_codes)

    def test_an_alert_that_counts_anew_since_prometheus_has_just_started_is_a_note_and_no_drift(self):
        done = self.run_rulegen("--format", "json", at=self.soon + 7)
        stores = {one["labels"]["database"]: one for one in schema.check_answer(done.stdout)["evaluations"][0]["stores"]}
        self.assertEqual(stores["just-started"]["thresholds"][0]["agreement"], "pending_after_start")
        self.assertEqual(stores["just-started"]["alert_notes"],
                         ["note: the alert CheckpointWriteErrors is still pending, because Prometheus has just started"])
        self.assertEqual(stores["not-firing"]["thresholds"][0]["agreement"], "drift")
        self.assertEqual(done.returncode, 6)

    def test_behind_victoriametrics_which_has_no_start_time_that_alert_is_not_compared_and_no_drift(self):
        victoria = self.stack.start(servers.victoria_metrics(self.folder))
        end = int(time.time()) // recorded.STEP * recorded.STEP - 2 * recorded.STEP
        just_started = recorded.Store("just-started", end=end, write_error_ratio=[0.02] * 20).alert(WriteErrors="pending")
        text = recorded.open_metrics([just_started]).replace("# EOF\n", "")
        # Its text format has milliseconds.
        lines = "".join(f"{line}000\n" for line in text.splitlines())
        urllib.request.urlopen(urllib.request.Request(victoria.url + "/api/v1/import/prometheus", lines.encode())).close()

        def answered():
            self.done = self.run_rulegen("--format", "json", url=victoria.url, at=end + 7)
            self.evaluation = schema.check_answer(self.done.stdout)["evaluations"][0]
            return self.evaluation["stores"] and self.evaluation["stores"][0]["verdict"] == "migrate_now" and any(
                one["alert"] == "pending" for one in self.evaluation["stores"][0]["thresholds"])

        servers.wait_for("VictoriaMetrics shows what it was given", answered, 60, 0.5, alive=[victoria])
        self.assertEqual(self.evaluation["stores"][0]["thresholds"][0]["agreement"], "not_compared")
        self.assertEqual(self.evaluation["warnings"], [
            "the alert CheckpointWriteErrors is pending where its threshold is breached, and not compared: the server doesn't say "
            "whether Prometheus has just started"])
        self.assertEqual(self.done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
