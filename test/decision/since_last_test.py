"""--evaluate --since last, with a real Prometheus: each run goes back to where the last one about the store ended, so that what
happens between two late runs is seen; and where the log has a hole, --audit and --history say so.

Usage: since_last_test.py RULEGEN
"""

import json
import pathlib
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "test" / "support"))
import recorded  # noqa: E402
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SPEC = ROOT / "rules" / "checkpoint.toml"
NOW = int(time.time()) // recorded.STEP * recorded.STEP
HOUR = 3600
AHEAD = recorded.HOUR  # evaluations that are recorded already, so that the test may take its time
DAYS = 2 * 24 * recorded.HOUR
# A quarter of an hour at 130 writes a second, between 24 h 27 min and 24 h 12 min ago.
BURST = [130] * 30 + [20] * (24 * 120 + 54 - 30 + AHEAD)


class Runs(ServerCase):
    """Runs with a log of the test's own."""

    def setUp(self):
        self.log = self.folder / f"{self.id()}.jsonl"
        self.newest = self.log.with_suffix(".newest.json")

    def evaluate(self, *arguments):
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", SPEC, "--prometheus", self.prometheus.url, "--log", self.log,
                               "--format", "json", *arguments], capture_output=True, text=True, check=False, timeout=120)
        document = schema.check_answer(done.stdout)
        return {store["labels"]["database"]: store for store in document["evaluations"][0]["stores"]}

    def records(self):
        return schema.check_log(self.log)

    def change(self, names=("late",), **changed):
        """What the file of the newest decisions says of these stores; it says nothing of any other then."""
        document = json.loads(self.newest.read_text())
        document["decisions"] = [{**one, **changed} for one in document["decisions"] if one["labels"]["database"] in names]
        self.newest.write_text(json.dumps(document))

    def ago_ms(self, seconds):
        return int(time.time() - seconds) * 1000


class SinceLast(Runs):
    @classmethod
    def start(cls):
        stores = [recorded.Store(name, end=NOW + AHEAD * recorded.STEP, evaluations=DAYS + AHEAD,
                                 writes_per_second=BURST).silent_since(NOW + 60) for name in ("late", "new")]
        recorded.backfill(stores, cls.folder)
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, retention="100y"))

    def test_each_store_is_decided_about_from_the_end_of_its_last_period_on_and_a_new_one_for_a_day(self):
        self.assertEqual({store["line"] for store in self.evaluate("--since", "24h").values()}, {"SQLite sufficient"})
        end_ms = self.ago_ms(24.5 * HOUR)
        self.change(period_ms=end_ms)
        stores = self.evaluate("--since", "last")
        self.assertEqual(stores["late"]["verdict"], "migrate_now")
        self.assertEqual(stores["new"]["line"], "SQLite sufficient")
        periods = {record["labels"]["database"]: record["period"] for record in self.records()[2:]}
        self.assertEqual(periods["late"]["from_ms"], end_ms)
        self.assertEqual(periods["new"]["from_ms"], periods["new"]["to_ms"] - 24 * HOUR * 1000)
        # The next one goes on from there.
        self.evaluate("--since", "last")
        for record in self.records()[4:]:
            self.assertEqual(record["period"]["from_ms"], periods[record["labels"]["database"]]["to_ms"])

    def test_without_a_period_the_newest_moment_counts_and_a_look_back_never_does(self):
        self.evaluate()
        instant_ms = self.records()[0]["time_ms"]
        self.evaluate("--at", str(int(time.time()) - 60), "--since", "1h")
        self.evaluate("--since", "last")
        self.assertEqual({record["period"]["from_ms"] for record in self.records()[4:]}, {instant_ms})

    def test_the_file_of_the_newest_decisions_says_what_their_records_say(self):
        self.evaluate()
        self.evaluate("--since", "1h")
        self.evaluate("--at", str(int(time.time()) - 60), "--since", "1h")
        document = json.loads(self.newest.read_text())
        records = {record["labels"]["database"]: record for record in self.records()[2:4]}  # of the run without --at
        self.assertEqual({one["labels"]["database"] for one in document["decisions"]}, set(records))
        for one in document["decisions"]:
            record = records[one["labels"]["database"]]
            for member in ("spec", "labels", "digest", "verdict", "time_ms"):
                self.assertEqual(one[member], record[member])
            self.assertEqual((one["instant_ms"], one["period_ms"]), (record["time_ms"], record["period"]["to_ms"]))

    def test_an_end_in_the_future_is_none(self):
        self.evaluate("--since", "1h")
        self.change(period_ms=self.ago_ms(-HOUR))
        self.evaluate("--since", "last")
        period = self.records()[2]["period"]
        self.assertEqual(period["from_ms"], period["to_ms"] - 24 * HOUR * 1000)

    def test_an_end_that_t_went_back_behind_begins_an_interval_ago(self):
        """As from one run to the next behind vmalert."""
        self.evaluate("--since", "1h")
        for ahead, seconds in ((20, 30), (0, 30), (31, 24 * HOUR)):
            self.change(("late", "new"), period_ms=(NOW + ahead) * 1000)
            self.evaluate("--at", str(NOW), "--since", "last")
            period = self.records()[-1]["period"]
            self.assertEqual(period["to_ms"] - period["from_ms"], seconds * 1000, ahead)

    def test_a_hole_between_two_periods_is_reported_by_audit_and_history(self):
        for at in (NOW - 2 * HOUR, NOW):
            self.evaluate("--at", str(at), "--since", "1h")
        for mode in ("--audit", "--history"):
            done = subprocess.run([RULEGEN, mode, self.log], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertRegex(done.stdout, r"no decision (covers|until) .*\(60 min\)")


class AfterLoss(Runs):
    """The server has lost what it had: it shows every store for twenty minutes."""

    LAST = NOW - 3 * HOUR  # the end of the last decision's period

    @classmethod
    def start(cls):
        names = ("lost", "stopped", "new")
        stores = [recorded.Store(name, end=NOW + AHEAD * recorded.STEP, evaluations=40 + AHEAD).silent_since(NOW + 60)
                  for name in names]
        # Of the store that was stopped, the file's time is kept from both sides of the hole.
        scrapes = [*range(cls.LAST - 600, cls.LAST + 1, 15), *range(NOW - 20 * 60, NOW + 60, 15)]
        lines = recorded.open_metrics(stores).removesuffix("# EOF\n")
        for scrape in scrapes:
            lines += ('checkpoint_file_modified_timestamp_seconds{job="app",instance="app-1:9108",database="stopped"} '
                      f"{cls.LAST - 900} {scrape}\n")
        recorded.backfill_text(lines + "# EOF\n", cls.folder)
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, retention="100y"))

    def test_a_store_that_was_decided_about_before_has_not_appeared_within_the_period(self):
        self.evaluate("--since", "last")
        self.change(("lost", "stopped"), period_ms=self.LAST * 1000)
        stores = self.evaluate("--since", "last")
        self.assertRegex(stores["new"]["line"], "^SQLite sufficient - measured since ")
        self.assertEqual(stores["stopped"]["line"], "SQLite sufficient")
        self.assertEqual(len(stores["stopped"]["stopped"]), 1)
        began = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(self.LAST))
        self.assertTrue(stores["lost"]["line"].startswith(f"UNDETERMINED - Write errors: not measured from {began} to "),
                        stores["lost"]["line"])
        self.assertNotIn("measured_since", stores["lost"])
        # The next run is about the time after this one alone.
        self.assertEqual(self.evaluate("--since", "last")["lost"]["line"], "SQLite sufficient")
        done = subprocess.run([RULEGEN, "--audit", self.log], capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
