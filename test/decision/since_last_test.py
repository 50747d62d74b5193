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


class SinceLast(ServerCase):
    @classmethod
    def start(cls):
        stores = [recorded.Store(name, end=NOW + AHEAD * recorded.STEP, evaluations=DAYS + AHEAD,
                                 writes_per_second=BURST).silent_since(NOW + 60) for name in ("late", "new")]
        recorded.backfill(stores, cls.folder)
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, retention="100y"))

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

    def change(self, **changed):
        """What the file of the newest decisions says of the store `late`."""
        document = json.loads(self.newest.read_text())
        for one in document["decisions"]:
            if one["labels"]["database"] == "late":
                one.update(changed)
        document["decisions"] = [one for one in document["decisions"] if one["labels"]["database"] == "late"]
        self.newest.write_text(json.dumps(document))

    def ago_ms(self, seconds):
        return int(time.time() - seconds) * 1000

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

    def test_an_end_in_the_future_is_none(self):
        self.evaluate("--since", "1h")
        self.change(period_ms=self.ago_ms(-HOUR))
        self.evaluate("--since", "last")
        period = self.records()[2]["period"]
        self.assertEqual(period["from_ms"], period["to_ms"] - 24 * HOUR * 1000)

    def test_a_hole_between_two_periods_is_reported_by_audit_and_history(self):
        for at in (NOW - 2 * HOUR, NOW):
            self.evaluate("--at", str(at), "--since", "1h")
        for mode in ("--audit", "--history"):
            done = subprocess.run([RULEGEN, mode, self.log], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout)
            self.assertRegex(done.stdout, r"no decision (covers|until) .*\(60 min\)")


if __name__ == "__main__":
    unittest.main()
