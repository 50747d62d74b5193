"""--evaluate against a real Prometheus, whose recorded series are backfilled: one store a situation, at a fixed T.

Usage: real_prometheus_test.py RULEGEN
"""

import math
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import recorded  # noqa: E402
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SPEC = ROOT / "rules" / "checkpoint.toml"
E = 1_790_000_010  # an evaluation's time
T = E + 7          # between two
STEP = recorded.STEP
GIGABYTE = recorded.GIGABYTE
HOUR = recorded.HOUR


def Store(*arguments, **changed):  # noqa: N802  (a recorded.Store that ends at E)
    return recorded.Store(*arguments, end=E, **changed)


PENDING = "SQLite sufficient - pending: Write errors >1% (SQLite saturated) since 14:09 UTC, 4 min of 5 min"

STORES = [
    Store("healthy", "SQLite sufficient", 0),
    Store("idle", "SQLite sufficient", 0, write_error_ratio=0, writes_per_second=0, write_p99_seconds=0),
    Store("at-the-limits", "SQLite sufficient", 0, write_error_ratio=0.01, writes_per_second=80,
          file_size_bytes=5 * GIGABYTE, write_p99_seconds=0.1),
    Store("errors", "MIGRATE NOW - Write errors >1% (SQLite saturated)", 0,
          write_error_ratio=[0.02] * 11).alert(WriteErrors="firing"),
    Store("errors-one-evaluation-short", PENDING, 0,
          write_error_ratio=[0.02] * 10).alert(WriteErrors="pending"),
    Store("throughput", "MIGRATE NOW - Throughput >100/sec (capacity ceiling)", 0,
          writes_per_second=[120] * 21).alert(Throughput="firing", ThroughputApproaching="firing"),
    Store("servers", "MIGRATE NOW - Multi-server requires network DB", 0, servers=[2]).alert(MultiServer="firing"),
    Store("approaching", "MIGRATE SOON - Throughput >80/sec (approaching capacity ceiling)", 0,
          writes_per_second=[90] * 30).alert(ThroughputApproaching="firing"),
    Store("size", "MIGRATE SOON - File size >5GB (performance degradation likely)", 0,
          file_size_bytes=[6 * GIGABYTE]).alert(FileSize="firing"),
    Store("latency", "MIGRATE SOON - P99 write latency >100ms (lock contention likely)", 0,
          write_p99_seconds=[0.2] * 21).alert(WriteLatency="firing"),
    Store("fresh", "UNDETERMINED - Write errors: beyond the limit, but the history is too short to say for how long", 30,
          evaluations=5, write_error_ratio=0.02).alert(WriteErrors="pending"),
    Store("fresh-and-healthy", "UNDETERMINED - measured since 2026-09-21 14:12:45 UTC, the window of 5 min is not full", 30,
          evaluations=2),
    Store("fresh-and-breached", "MIGRATE NOW - Multi-server requires network DB", 0, evaluations=2,
          servers=2).alert(MultiServer="firing"),
    Store("a-window-old", "SQLite sufficient", 0, evaluations=13),
    Store("hole", "UNDETERMINED - Write errors: beyond the limit, with samples missing in between", 30,
          write_error_ratio=[0.02] * 5 + [None] + [0.02] * 6),
    Store("nan", "UNDETERMINED - P99 write latency: the recorded value is not a finite number", 30,
          write_p99_seconds=[math.nan]),
    Store("inf", "UNDETERMINED - File size: the recorded value is not a finite number", 30,
          file_size_bytes=[math.inf]).alert(FileSize="firing"),
    Store("stopped", "UNDETERMINED - Servers: the recorded series has stopped", 30, servers=[None] * 3),
    Store("late", "SQLite sufficient", 0, servers=[None]),
    Store("absent", "UNDETERMINED - File size: no recorded series", 30, file_size_bytes=[None] * HOUR * 7,
          evaluations=HOUR * 7),
    Store("uncounted", "UNDETERMINED - Write errors: writes go uncounted", 30, coverage_ratio=[0.9]),
    Store("coverage-unknown", "UNDETERMINED - Write errors: whether writes go uncounted is not known", 30,
          coverage_ratio=[None] * HOUR),
    Store("uncounted-but-large", "MIGRATE SOON - File size >5GB (performance degradation likely)", 30,
          coverage_ratio=[0.9], file_size_bytes=[6 * GIGABYTE]).alert(FileSize="firing"),
    Store("uncounted-but-busy", "MIGRATE NOW - Throughput >100/sec (capacity ceiling)", 0, coverage_ratio=0.5,
          writes_per_second=120).alert(Throughput="firing", ThroughputApproaching="firing"),
    Store("two-series", "UNDETERMINED - Write errors: several series have this store's labels", 30).duplicated(),
    Store("silent", "UNDETERMINED - no data since 2026-09-21 02:13:30 UTC", 30, servers=[None] * 60,
          file_size_bytes=[None] * 60).silent_since(E - 12 * 3600),
    Store("drift-not-firing", "MIGRATE NOW - Write errors >1% (SQLite saturated)", 6, write_error_ratio=0.02),
    Store("drift-firing", "SQLite sufficient", 6).alert(MultiServer="firing"),
    Store("held", "SQLite sufficient", 0, write_error_ratio=[0.02] * 40 + [0.001] * 20).alert(WriteErrors="firing"),
    Store("held-too-long", "SQLite sufficient", 6,
          write_error_ratio=[0.02] * 40 + [0.001] * 40).alert(WriteErrors="firing"),
    Store("held-and-pending-again", PENDING.replace("14:09 UTC, 4 min", "14:10 UTC, 3 min"), 0,
          write_error_ratio=[0.02] * 40 + [0.001] * 25 + [0.02] * 8).alert(WriteErrors="firing"),
    Store("burst-with-a-hole", "SQLite sufficient", 0,
          write_error_ratio=[0.02] * 10 + [None] + [0.02] * 8 + [0.001] * 60),
    Store("mostly-uncounted", "SQLite sufficient", 0, coverage_ratio=([0.5] * 9 + [1]) * 12),
    Store("mostly-missing", "SQLite sufficient", 0, file_size_bytes=([None] * 9 + [GIGABYTE]) * 12),
    Store("one-sample-lost", "SQLite sufficient", 0,
          **{signal: [value] * 40 + [None] + [value] * 60 for signal, value in recorded.HEALTHY.items()}),
]


class RealPrometheus(ServerCase):
    @classmethod
    def start(cls):
        recorded.backfill(STORES, cls.folder)
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, retention="100y"))

    def evaluate(self, *arguments, at=T, check=None):
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", SPEC, "--prometheus", self.prometheus.url, "--at", str(at),
                               *arguments], capture_output=True, text=True, check=False, timeout=60,
                              env={**os.environ, "XDG_STATE_HOME": str(self.folder / "state"), "STATE_DIRECTORY": ""})
        if check is not None:
            self.assertEqual(done.returncode, check, done.stdout + done.stderr)
        return done

    def stores(self, *arguments, at=T):
        document = schema.check_answer(self.evaluate("--format", "json", *arguments, at=at).stdout)
        return {store["labels"]["database"]: store for store in document["evaluations"][0]["stores"]}

    def test_each_situation_has_its_line(self):
        stores = self.stores()
        self.assertEqual(set(stores), {store.name for store in STORES})
        for expected in STORES:
            with self.subTest(expected.name):
                self.assertEqual(stores[expected.name]["line"], expected.line)

    def test_a_limit_that_is_exceeded_but_not_long_enough_is_pending_in_json_and_in_the_table(self):
        states = {name: store["state"] for name, store in self.stores().items()}
        self.assertEqual({name for name, state in states.items() if state == "pending"},
                         {"errors-one-evaluation-short", "held-and-pending-again"})
        self.assertEqual((states["healthy"], states["errors"], states["silent"]), ("sufficient", "breached", "undetermined"))
        table = self.evaluate().stdout
        self.assertIn("  " + PENDING, table)
        self.assertIn("2 SQLite sufficient, pending", table)

    def test_alert_and_decision_agree_but_where_they_were_made_to_differ(self):
        for name, store in self.stores().items():
            agreements = {threshold["agreement"] for threshold in store["thresholds"]}
            with self.subTest(name):
                self.assertEqual("drift" in agreements, name.startswith("drift") or name == "held-too-long")
                self.assertEqual("firing_held" in agreements, name in {"held", "held-and-pending-again"})
                self.assertEqual("firing_unknown" in agreements, name == "inf")

    def test_the_same_holds_on_the_evaluation_itself_and_until_the_next(self):
        reference = {name: store["line"] for name, store in self.stores().items()}
        for at in (E, E + 29.999):
            lines = {name: store["line"] for name, store in self.stores(at=at).items()}
            lines["stopped"] = reference["stopped"]
            lines["late"] = reference["late"]
            self.assertEqual(lines, reference)

    def test_what_could_be_worse_than_the_verdict_is_reported(self):
        stores = self.stores()
        for expected in STORES:
            with self.subTest(expected.name):
                self.assertEqual(stores[expected.name]["worse_unknown"], expected.exit_status == 30)

    def test_the_text_is_a_table_worst_first_with_a_summary(self):
        done = self.evaluate(check=6)
        lines = [line.strip() for line in done.stdout.splitlines()]
        rows = [line for line in lines if " @ app-1:9108 (app)" in line]
        self.assertEqual(len(rows), len(STORES))
        ranks = [("MIGRATE NOW", "UNDETERMINED", "MIGRATE SOON", "SQLite sufficient").index(
            next(verdict for verdict in ("MIGRATE NOW", "UNDETERMINED", "MIGRATE SOON", "SQLite sufficient")
                 if row.startswith(verdict))) for row in rows]
        self.assertEqual(ranks, sorted(ranks))
        self.assertTrue(any(line.startswith(f"{len(STORES)} stores: ") for line in lines), done.stdout)

    def test_exit_code_puts_the_most_severe_verdict_before_drift(self):
        self.evaluate("--exit-code", check=20)

    def test_a_day_later_every_store_is_silent_and_after_26_hours_there_is_none(self):
        stores = self.stores(at=E + 12 * 3600)
        self.assertEqual(len(stores), len(STORES))
        for store in stores.values():
            self.assertTrue(store["line"].startswith("UNDETERMINED - no data since "), store["line"])
        done = self.evaluate(at=E + 30 * 3600, check=30)
        self.assertEqual(self.stores(at=E + 30 * 3600), {})
        self.assertIn("UNDETERMINED - no store found", done.stdout)

    def test_over_a_period_the_most_severe_verdict_that_was_reached_is_reported_with_its_times(self):
        stores = self.stores("--since", "50m")
        errors = "MIGRATE NOW - Write errors >1% (SQLite saturated)"
        for name, line in {"healthy": "SQLite sufficient", "errors": errors, "held": errors, "held-too-long": errors,
                           "errors-one-evaluation-short": PENDING, "late": "SQLite sufficient",
                           "two-series": "UNDETERMINED - Write errors: several series have this store's labels",
                           "silent": "UNDETERMINED - no data since 2026-09-21 02:13:30 UTC"}.items():
            with self.subTest(name):
                self.assertEqual(stores[name]["line"], line)
        held = stores["held"]["thresholds"][0]["period"]
        # Breached for 40 evaluations less the 10 of `for`, up to 20 evaluations before E.
        self.assertEqual(held["breached_last"], "2026-09-21T14:03:30.000Z")
        self.assertEqual(held["breached_evaluations"], 30)
        # Of a store that began within the period what lies before is no hole; its first window is not sufficient by itself.
        self.assertTrue(stores["fresh-and-healthy"]["line"].startswith("UNDETERMINED - measured since 2026-09-21 14:12:45"))
        self.assertEqual(stores["a-window-old"]["line"], "SQLite sufficient - measured since 2026-09-21 14:07:30 UTC")

    def test_over_a_period_what_may_have_been_a_burst_or_was_mostly_unmeasured_is_not_sufficient(self):
        log = self.folder / "gaps.jsonl"
        stores = self.stores("--since", "55m", "--log", log)
        for name, line in {
                "burst-with-a-hole": "UNDETERMINED - Write errors: beyond the limit, with samples missing in between, from "
                                     "2026-09-21 13:39:00 UTC to 2026-09-21 13:40:00 UTC",
                "mostly-uncounted": "UNDETERMINED - Write errors: writes go uncounted, from 2026-09-21 13:18:37 UTC to "
                                    "2026-09-21 13:23:30 UTC, 49 min in all",
                "mostly-missing": "UNDETERMINED - File size: not measured from 2026-09-21 13:18:37 UTC to "
                                  "2026-09-21 13:23:30 UTC, 49 min in all",
                "one-sample-lost": "SQLite sufficient"}.items():
            with self.subTest(name):
                self.assertEqual(stores[name]["line"], line)
        self.assertEqual(stores["one-sample-lost"]["thresholds"][0]["period"]["unknown_seconds"], 30)
        audit = subprocess.run([RULEGEN, "--audit", log], capture_output=True, text=True, check=False)
        self.assertEqual(audit.returncode, 0, audit.stdout + audit.stderr)

    def test_over_a_period_a_store_that_vanished_more_than_a_day_ago_is_not_forgotten(self):
        at = E + 60 * 3600
        self.assertEqual(self.stores(at=at), {})
        log = self.folder / "vanished.jsonl"
        stores = self.stores("--since", "80h", "--log", log, at=at)
        self.assertEqual(set(stores), {store.name for store in STORES})
        self.assertEqual(stores["errors"]["line"], "MIGRATE NOW - Write errors >1% (SQLite saturated)")
        self.assertEqual(stores["errors"]["last_seen"], "2026-09-21T14:13:30.000Z")
        self.assertEqual(stores["healthy"]["line"], "UNDETERMINED - no data since 2026-09-21 14:13:30 UTC")
        self.assertEqual(stores["silent"]["line"], "UNDETERMINED - no data since 2026-09-21 02:13:30 UTC")
        text = self.evaluate("--since", "80h", "--log", log, at=at, check=30).stdout
        row = next(line for line in text.splitlines() if "  errors @ app-1:9108 (app)" in line)
        self.assertTrue(row.endswith("(no data since 2026-09-21 14:13:30 UTC)"), row)
        audit = subprocess.run([RULEGEN, "--audit", log], capture_output=True, text=True, check=False)
        self.assertEqual(audit.returncode, 0, audit.stdout + audit.stderr)

    def test_every_logged_decision_follows_from_its_inputs(self):
        log = self.folder / "audited.jsonl"
        self.evaluate("--log", log)
        self.evaluate("--log", log, "--since", "50m")
        audit = subprocess.run([RULEGEN, "--audit", log], capture_output=True, text=True, check=False)
        self.assertEqual(audit.returncode, 0, audit.stdout + audit.stderr)
        self.assertIn(f"{2 * len(STORES)} decisions recomputed", audit.stdout)
        self.assertEqual(len(schema.check_log(log)), 2 * len(STORES))

    def test_a_stopped_prometheus_gives_a_clear_error_and_a_logged_attempt(self):
        log = self.folder / "attempts.jsonl"
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", SPEC, "--log", log, "--prometheus",
                               f"http://127.0.0.1:{servers.free_port()}"], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 4)
        self.assertIn("answered no query", done.stdout)
        self.assertIn("connect", done.stderr.lower())
        self.assertEqual([record["kind"] for record in schema.check_log(log)], ["attempt"])


if __name__ == "__main__":
    unittest.main()
