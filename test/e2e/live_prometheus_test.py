"""A living Prometheus through its hard times: freshly started, frozen with SIGSTOP, stopped, restarted, with the gaps that
these leave. The decision is made during them, and afterwards again for every half second of the whole story: missing data
never read as healthy, nor as a breach of a healthy store.

Usage: live_prometheus_test.py BUILD_FOLDER
"""

import os
import pathlib
import signal
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402
import synthetic_exporter  # noqa: E402
from synthetic_exporter import Kind  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
SPEC = ROOT / "demo" / "checkpoint.toml"  # an evaluation a second, `for` of five
SUFFICIENT = "SQLite sufficient"
ERRORS = "MIGRATE NOW - Write errors >1% (SQLite saturated)"
STORES = {"healthy": Kind(SUFFICIENT, 0), "errors": Kind(ERRORS, 1, error_share=0.05)}
SETTLED_SECONDS = 3
WINDOW_SECONDS = 15  # of the rates
FROZEN_SECONDS = 8  # longer than `for`, shorter than the 5 minutes that Prometheus bridges


class LivePrometheus(ServerCase):
    """One course of events, run once; the tests look at what was seen."""

    @classmethod
    def start(cls):
        subprocess.run([RULEGEN, "--generate", "--spec", SPEC.relative_to(ROOT), "--out", cls.folder / "ops"], cwd=ROOT,
                       check=True, capture_output=True)
        cls.exporter = synthetic_exporter.Exporter(STORES)
        cls.stack.callback(cls.exporter.stop)
        cls.begin = time.time()
        cls.start_prometheus()
        cls.wait_for_errors()

        os.kill(cls.prometheus.popen.pid, signal.SIGSTOP)
        cls.frozen_at = time.time()
        try:
            asked = time.monotonic()
            cls.while_frozen = cls.evaluate("--timeout", "500ms", at=time.time() - 1)
            cls.while_frozen_seconds = time.monotonic() - asked
            servers.wait_for("the end of the freeze", lambda: time.time() - cls.frozen_at > FROZEN_SECONDS)
        finally:
            os.kill(cls.prometheus.popen.pid, signal.SIGCONT)
        cls.thawed_at = time.time()
        cls.wait_for_errors(since=cls.thawed_at + 6)

        cls.prometheus.stop()
        cls.stopped_at = time.time()
        cls.while_stopped = cls.evaluate(at=cls.stopped_at - 1)
        servers.wait_for("a gap of some evaluations", lambda: time.time() - cls.stopped_at > 4)
        cls.start_prometheus()
        cls.restarted_at = time.time()
        cls.wait_for_errors(since=cls.restarted_at)
        cls.end = time.time() - 0.5
        cls.story = {at / 2: cls.evaluate("--format", "json", at=at / 2)
                     for at in range(int(2 * cls.begin), int(2 * cls.end))}

    @classmethod
    def start_prometheus(cls):
        rules = cls.folder / "ops" / "demo" / "gen" / "checkpoint.rules.yml"
        cls.prometheus = cls.stack.start(servers.prometheus(
            cls.folder, {"app": [f"127.0.0.1:{cls.exporter.server_port}"]}, [rules], scrape_interval="1s"))

    @classmethod
    def wait_for_errors(cls, since=0):
        """Until the decision about the store with errors, for some instant since then, is the breach. The instant is one of
        the story's, and old enough that no sample of it is still to come."""
        def breached():
            at = int(2 * (time.time() - SETTLED_SECONDS)) / 2
            return at > since and ERRORS in cls.evaluate(at=at).stdout

        servers.wait_for("the decision about the store with errors", breached, 60, 0.5, alive=[cls.prometheus])

    @classmethod
    def evaluate(cls, *arguments, at):
        return subprocess.run(
            [RULEGEN, "--evaluate", "--spec", SPEC, "--prometheus", cls.prometheus.url, "--at", f"{at:.3f}", "--log",
             cls.folder / "log", *arguments], capture_output=True, text=True, check=False, timeout=60)

    def lines(self, name):
        """The store's line at each instant at which it was known."""
        lines = {}
        for at, done in self.story.items():
            for store in schema.check_answer(done.stdout)["evaluations"][0]["stores"]:
                if store["labels"]["database"] == name:
                    lines[at] = store["line"]
        self.assertGreater(len(lines), 40)
        return lines

    def test_the_store_with_errors_is_never_sufficient(self):
        for at, line in self.lines("errors").items():
            self.assertTrue(line == ERRORS or line.startswith("UNDETERMINED - "), f"{at - self.begin:.1f} s: {line}")

    def test_the_healthy_store_is_never_to_be_migrated(self):
        lines = self.lines("healthy")
        for at, line in lines.items():
            self.assertTrue(line == SUFFICIENT or line.startswith("UNDETERMINED - "), f"{at - self.begin:.1f} s: {line}")
        self.assertIn(SUFFICIENT, lines.values())

    def test_no_moment_is_drift_and_no_query_went_unanswered(self):
        self.assertEqual({done.returncode for done in self.story.values()}, {0, 30})

    def test_freshly_started_there_is_no_store_and_then_too_little_history(self):
        first = next(iter(self.story.values()))
        self.assertEqual(schema.check_answer(first.stdout)["evaluations"][0]["stores"], [])
        before = [line for at, line in self.lines("errors").items() if at < self.frozen_at]
        # Which of the reasons depends on what was scraped and recorded when the first decision is asked for.
        self.assertRegex(before[0], "^UNDETERMINED - (Write errors: beyond the limit, but the history is too short to say for how long|"
                                    "measured since .*, the window of 15 s is not full|the window of its rates is not full)$")

    def test_a_store_is_not_sufficient_before_its_window_is_full(self):
        lines = self.lines("healthy")
        young = {line for at, line in lines.items() if at < min(lines) + WINDOW_SECONDS}
        self.assertNotIn(SUFFICIENT, young)
        self.assertTrue(any("measured since" in line and line.endswith("the window of 15 s is not full") for line in young), young)

    def test_frozen_it_is_no_answer_within_the_time_limit(self):
        self.assertEqual(self.while_frozen.returncode, 4)
        self.assertIn("answered no query", self.while_frozen.stdout)
        self.assertIn("no complete answer within", self.while_frozen.stderr)
        self.assertLess(self.while_frozen_seconds, 5 * servers.PATIENCE)

    def test_the_freeze_leaves_a_gap_and_no_verdict_across_it(self):
        lines = self.lines("errors")
        during = [line for at, line in lines.items() if self.frozen_at + 4 < at < self.thawed_at - 1]
        self.assertTrue(during)
        self.assertEqual({line for line in during if not line.startswith("UNDETERMINED - ")}, set())
        after = [line for at, line in lines.items() if self.thawed_at < at < self.thawed_at + 8]
        self.assertIn("UNDETERMINED - Write errors: beyond the limit, with samples missing in between", after)

    def test_stopped_it_is_no_answer(self):
        self.assertEqual(self.while_stopped.returncode, 4)
        self.assertIn("answered no query", self.while_stopped.stdout)

    def test_restarted_it_decides_again_after_the_gap(self):
        after = [line for at, line in self.lines("errors").items() if at > self.restarted_at]
        gap = next((index for index, line in enumerate(after) if line.startswith("UNDETERMINED - ")), None)
        self.assertIsNotNone(gap, after)
        # Not at every instant from there on: a busy machine may lack an evaluation.
        self.assertIn(ERRORS, after[gap:])

    def test_every_attempt_is_in_the_log(self):
        audit = subprocess.run([RULEGEN, "--audit", self.folder / "log"], capture_output=True, text=True, check=False)
        self.assertEqual(audit.returncode, 0, audit.stdout + audit.stderr)
        self.assertEqual(sum(record["kind"] == "attempt" and record["line"].endswith("answered no query")
                             for record in schema.check_log(self.folder / "log")), 2)


if __name__ == "__main__":
    unittest.main()
