"""Decisions on one chain of real servers over two edges of a breach (healthy, breached, healthy): 200 polls, in which nothing may be
called drift or UNDETERMINED, and the other modes about what happened.

Usage: edges_test.py BUILD_FOLDER CHAIN
"""

import json
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
CHAIN = sys.argv.pop(1)
sys.path.insert(0, str(ROOT / "test" / "support"))

import chains  # noqa: E402  (the path above)
import edges  # noqa: E402
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402

POLLS = 200


class Edges(ServerCase):
    @classmethod
    def start(cls):
        cls.story = edges.Story(cls.stack, cls.folder, BUILD / "rulegen" / "rulegen", CHAIN)
        cls.settled = cls.story.settle()
        cls.tally = cls.story.poll(POLLS, 40 + chains.CHAINS[CHAIN].delay_seconds)
        cls.period = ["--since", f"{int(time.time() - cls.story.began) - 15}s"]

    def test_the_stores_get_their_first_verdicts(self):
        self.assertTrue(self.settled)

    def test_no_poll_is_drift_or_undetermined_or_wrong(self):
        self.assertEqual(self.tally.polls, POLLS)
        self.assertEqual(self.tally.faults(), [])
        self.assertEqual(set(self.tally.statuses), {0})

    def test_each_edge_is_seen_once(self):
        self.assertEqual(self.tally.wrong_courses(), {})

    def test_alerts_are_compared(self):
        """No fault because nothing was looked at would be none."""
        self.assertGreater(self.tally.agreements["agrees"], 9 * sum(self.tally.agreements.values()) // 10)

    def test_nothing_is_warned_of(self):
        self.assertEqual(dict(self.tally.warnings), {})

    def test_over_the_period_each_breach_is_reported(self):
        done = self.story.run("--evaluate", *self.story.chain.connection(), "--log", "period.jsonl", "--format", "json", *self.period)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
        lines = {store["labels"]["database"]: store["line"]
                 for store in schema.check_answer(done.stdout)["evaluations"][0]["stores"]}
        self.assertTrue(lines.pop("healthy").startswith(edges.SUFFICIENT), done.stdout)
        self.assertEqual(lines, {**edges.EDGES, **{name: kind.line for name, kind in edges.STEADY.items() if name != "healthy"}})

    def test_verify_finds_the_rules_as_generated(self):
        done = self.story.run("--verify", *self.story.chain.connection())
        self.assertIn(f"ok: loaded rules at {self.story.chain.rules.url}: ", done.stdout, done.stdout + done.stderr)
        self.assertNotIn(": behind: loaded rules", done.stdout)

    def test_the_backtest_shows_the_breach_between_healthy_stretches(self):
        done = self.story.run("--backtest", *self.story.chain.connection(), "--format", "json", *self.period)
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)
        for store in schema.check_backtest(done.stdout)["backtests"][0]["stores"]:
            name = store["labels"]["database"]
            if name in edges.EDGES:
                lines = [one["line"] for one in store["intervals"]]
                self.assertIn(edges.EDGES[name], lines)
                self.assertTrue(lines[-1].startswith(edges.SUFFICIENT), lines)

    def test_the_archive_holds_the_evidence(self):
        done = self.story.run("--archive", "archive", *self.story.chain.connection(), "--log", "decisions.jsonl", *self.period)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        schema.check_manifest(self.folder / "archive")

    def test_the_log_is_audited(self):
        done = self.story.run("--audit", "decisions.jsonl")
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr)


if __name__ == "__main__":
    chains.main(lambda: chains.environment(CHAIN))
