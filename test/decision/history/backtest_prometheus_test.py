"""--backtest against a real Prometheus: at random instants of random histories it says what --evaluate --at says.

Usage: backtest_prometheus_test.py RULEGEN [SEED]
"""

import datetime
import functools
import http.server
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import threading
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "test" / "support"))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import history  # noqa: E402
import schema  # noqa: E402
import servers  # noqa: E402
from history import E, STEP  # noqa: E402

RULEGEN = pathlib.Path(sys.argv.pop(1)).resolve()
SEED = int(sys.argv.pop(1)) if len(sys.argv) > 1 and sys.argv[1].isdigit() else random.randrange(2**32)
SPEC = ROOT / "rules" / "checkpoint.toml"
INSTANTS = 8


def milliseconds(text):
    return round(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)


def name_of(store):
    return store["labels"]["database"]


def without_figures(line):
    """Those that come from queries of their own, which a backtest doesn't ask."""
    line = re.sub(r"no data since .*", "no data", line)
    line = re.sub(r"^(SQLite sufficient) - measured since [^;]*(; )?", r"\1 - ", line).removesuffix(" - ")
    line = re.sub(r"(pending: .*?\)) since .*", r"\1", line)
    return re.sub(r"measured since .*, the window of .* is not full", "the window of its rates is not full", line)


class Backfilled(unittest.TestCase):
    """A Prometheus with `lines()` in its blocks."""

    @classmethod
    def setUpClass(cls):
        if cls is Backfilled:
            raise unittest.SkipTest("only its subclasses have a history")
        cls.stack = servers.Stack()
        cls.folder = pathlib.Path(cls.stack.enter_context(tempfile.TemporaryDirectory()))
        cls.state = cls.folder / "state"
        try:
            history.backfill(cls.folder, cls.lines())
            cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, retention="100y"))
        except BaseException:
            cls.stack.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def rulegen(self, *arguments, check=None, url=None):
        done = subprocess.run([RULEGEN, *map(str, arguments), "--prometheus", url or self.prometheus.url],
                              capture_output=True, text=True, check=False, timeout=120, cwd=self.folder,
                              env={**os.environ, "XDG_STATE_HOME": str(self.state), "STATE_DIRECTORY": ""})
        if check is not None:
            self.assertEqual(done.returncode, check, done.stdout[-2000:] + done.stderr)
        return done

    def backtest(self, *arguments, spec=SPEC):
        done = self.rulegen("--backtest", "--spec", spec, "--format", "json", *arguments, check=0)
        return schema.check_backtest(done.stdout)["backtests"][0]

    def changed_spec(self, name, *replacements):
        text = SPEC.read_text()
        for old, new in replacements:
            self.assertIn(old, text)
            text = text.replace(old, new, 1)
        # Beside copies of what it names.
        folder = self.folder / "rules"
        folder.mkdir(exist_ok=True)
        (folder / "alertmanager.base.yml").write_bytes((SPEC.parent / "alertmanager.base.yml").read_bytes())
        path = folder / name
        path.write_text(text)
        return path

    def compare_with_evaluate(self, dice, since_seconds, step_seconds):
        at_ms = E * 1000 - dice.randrange(since_seconds * 100)
        document = self.backtest("--at", f"{at_ms / 1000:.3f}", "--since", f"{since_seconds}s", "--step",
                                 f"{step_seconds}s")
        self.assertEqual(document["warnings"], [])
        compared, verdicts = 0, set()
        for _ in range(INSTANTS):
            time_ms = at_ms - 1000 * step_seconds * dice.randrange(since_seconds // step_seconds + 1)
            found = {}
            for store in document["stores"]:
                for interval in store["intervals"]:
                    if milliseconds(interval["first"]) <= time_ms <= milliseconds(interval["last"]):
                        found[name_of(store)] = (interval["verdict"], interval["line"])
            evaluated = json.loads(self.rulegen("--evaluate", "--spec", SPEC, "--format", "json", "--at",
                                                f"{time_ms / 1000:.3f}").stdout)
            expected = {name_of(store): (store["verdict"], without_figures(store["line"]))
                        for store in evaluated["evaluations"][0]["stores"]}
            self.assertEqual(found, expected, f"seed {SEED}, at {time_ms / 1000:.3f}")
            compared += len(expected)
            verdicts.update(line for _, line in expected.values())
        return compared, verdicts


class Few(Backfilled):
    """With a few stores --evaluate looks six hours further back."""

    @classmethod
    def lines(cls):
        dice = random.Random(SEED)
        return [line for name in ("a", "b", "c", "d") for line in history.random_store(dice, name, 8 * 120)]

    def test_at_random_instants_it_says_what_evaluate_says(self):
        compared, verdicts = self.compare_with_evaluate(random.Random(SEED + 1), 7 * 3600, STEP)
        self.assertGreater(compared, INSTANTS)
        self.assertGreater(len(verdicts), 3, verdicts)

    def test_with_a_step_of_its_own_too(self):
        self.compare_with_evaluate(random.Random(SEED + 2), 7 * 3600, 130)
        self.compare_with_evaluate(random.Random(SEED + 3), 7 * 3600, 7000)


class Many(Backfilled):
    @classmethod
    def lines(cls):
        dice = random.Random(SEED + 4)
        return [line for number in range(15) for line in history.random_store(dice, f"s{number}", 3 * 120)]

    def test_at_random_instants_it_says_what_evaluate_says(self):
        compared, verdicts = self.compare_with_evaluate(random.Random(SEED + 5), 3 * 3600, STEP)
        self.assertGreater(compared, 10 * INSTANTS)
        self.assertGreater(len(verdicts), 6, verdicts)

    def test_the_text_is_a_table_worst_first(self):
        done = self.rulegen("--backtest", "--spec", SPEC, "--at", E, "--since", "2h", check=0)
        rows = [line for line in done.stdout.splitlines() if " @ app-1:9108 (app)" in line]
        self.assertEqual(len(rows), 15, done.stdout)
        order = ("MIGRATE NOW", "UNDETERMINED", "MIGRATE SOON", "SQLite sufficient")
        ranks = [next(rank for rank, verdict in enumerate(order) if f"  {verdict}" in row) for row in rows]
        self.assertEqual(ranks, sorted(ranks))
        self.assertNotIn("\x1b", done.stdout)
        self.assertEqual(done.stderr, "")


LENGTH = 4 * 2880  # evaluations: more than Prometheus' 11,000 points
HOURS = 95


class Days(Backfilled):
    """One store for four days: busy for an hour on the second, silent recordings for half an hour on the third,
    growing beyond 5 GB at the end."""

    BUSY = range(2880, 2880 + 120)
    GAP = range(2 * 2880, 2 * 2880 + 60)

    @classmethod
    def lines(cls):
        return history.steady_store("days", {
            "writes_per_second": lambda index: None if index in cls.GAP else 120 if index in cls.BUSY else 75,
            "file_size_bytes": lambda index: 6 * history.GIGABYTE if index >= LENGTH - 240 else 4 * history.GIGABYTE,
        }, LENGTH)

    def at(self, index):
        return (E - (LENGTH - 1 - index) * STEP) * 1000

    def test_days_have_their_intervals_with_first_and_last_time(self):
        document = self.backtest("--at", E, "--since", f"{HOURS}h")
        store, = document["stores"]
        found = [(interval["line"], milliseconds(interval["first"]), milliseconds(interval["last"]))
                for interval in store["intervals"]]
        start = E * 1000 - HOURS * 3600_000
        throughput = "MIGRATE NOW - Throughput >100/sec (capacity ceiling)"
        stopped = "UNDETERMINED - Writes per second: the recorded series has stopped"
        self.assertEqual(found, [
            ("SQLite sufficient", start, self.at(self.BUSY[0] - 1)),
            ("SQLite sufficient - pending: Throughput >100/sec (capacity ceiling)", self.at(self.BUSY[0]),
             self.at(self.BUSY[0] + 19)),
            (throughput, self.at(self.BUSY[0] + 20), self.at(self.BUSY[-1])),
            ("SQLite sufficient", self.at(self.BUSY[-1] + 1), self.at(self.GAP[0] + 1)),
            (stopped, self.at(self.GAP[0] + 2), self.at(self.GAP[-1])),
            ("SQLite sufficient", self.at(self.GAP[-1] + 1), self.at(LENGTH - 241)),
            ("MIGRATE SOON - File size >5GB (performance degradation likely)", self.at(LENGTH - 240), E * 1000)])
        totals = {total["verdict"]: total for total in store["verdicts"]}
        self.assertEqual(totals["migrate_now"]["seconds"], 100 * STEP)
        self.assertEqual(totals["migrate_soon"]["seconds"], 240 * STEP)
        self.assertEqual(totals["sufficient"]["times"], 3)
        self.assertEqual(milliseconds(totals["sufficient"]["last"]), self.at(LENGTH - 241))
        self.assertEqual(document["approximate"], [])

    def test_a_changed_limit_tells_what_it_would_have_changed_and_why(self):
        other = self.changed_spec("lower.toml", ("above   = 80", "above   = 70"))
        document = self.backtest("--at", E, "--since", f"{HOURS}h", "--against", other)
        change, = document["changes"]
        intervals = [(one["from"]["verdict"], one["to"]["verdict"], one["why"]) for one in change["intervals"]]
        why = "ThroughputApproaching: above 70 instead of above 80"
        self.assertEqual(set(intervals), {("sufficient", "migrate_soon", why), ("sufficient", "undetermined", why)})
        seconds = {verdict: sum(one["seconds"] for one in change["intervals"] if one["to"]["verdict"] == verdict)
                   for verdict in ("migrate_soon", "undetermined")}
        # Everything that was sufficient; beyond the new limit the gap counts, for the ten minutes of `for` after it.
        self.assertEqual(seconds["undetermined"], 20 * STEP)
        sufficient = next(total for total in document["stores"][0]["verdicts"] if total["verdict"] == "sufficient")
        self.assertEqual(seconds["migrate_soon"], sufficient["seconds"] - 20 * STEP)
        text = self.rulegen("--backtest", "--spec", SPEC, "--at", E, "--since", f"{HOURS}h", "--against", other, check=0).stdout
        self.assertIn("SQLite sufficient -> MIGRATE SOON - Throughput >80/sec", text)
        self.assertIn("1 store would have had a different verdict", text)

    def test_a_changed_expression_is_asked_raw_and_called_approximate(self):
        other = self.changed_spec("double.toml", ('expr        = "max by (job, instance, database) (checkpoint_file_size_bytes)"',
                                                  'expr        = "2 * max by (job, instance, database) (checkpoint_file_size_bytes)"'),
                                  ("value  = 5368709120", "value  = 10737418240"))
        document = self.backtest("--at", E, "--since", f"{HOURS}h", "--against", other)
        self.assertEqual(document["approximate"], [])
        against = document["against"]
        self.assertEqual([one["signal"] for one in against["approximate"]], ["File size"])
        self.assertIn("differs", against["approximate"][0]["reason"])
        self.assertEqual(against["warnings"], [])
        # 4 GB twice is beyond 5 GB: all the hours but for the busy one. Proven over more than 11,000 points.
        verdicts = {total["verdict"]: total["seconds"] for total in against["stores"][0]["verdicts"]}
        self.assertEqual(verdicts, {"migrate_now": 100 * STEP, "migrate_soon": (HOURS * 120 - 100) * STEP})
        self.assertIn("another expression", document["changes"][0]["intervals"][0]["why"])

    def test_a_series_that_an_older_versions_rules_record_too_is_asked_raw(self):
        expr, = (signal["expr"] for signal in tomllib.loads(SPEC.read_text())["signal"] if signal["id"] == "file_size_bytes")
        groups = [{"name": "outgrown-checkpoint", "file": f"{version}.yml", "interval": 30,
                   "rules": [{"type": "recording", "name": "checkpoint:file_size_bytes", "query": query, "health": "ok"}]}
                  for version, query in (("old", f"2 * {expr}"), ("new", expr))]
        (self.folder / "api" / "v1").mkdir(parents=True)
        (self.folder / "api" / "v1" / "rules").write_text(json.dumps({"status": "success", "data": {"groups": groups}}))
        handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=self.folder)
        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            at = ["--at", E, "--rules-url", f"http://127.0.0.1:{server.server_port}"]
            document = self.backtest(*at, "--since", "3h")
            evaluated = json.loads(self.rulegen("--evaluate", "--spec", SPEC, "--format", "json", *at, "--log", self.folder / "log").stdout)
            server.shutdown()
        self.assertIn("checkpoint:file_size_bytes is recorded by rules with different expressions (old.yml, new.yml)",
                      "".join(evaluated["evaluations"][0]["warnings"]))
        self.assertEqual([(one["signal"], one["reason"]) for one in document["approximate"]],
                         [("File size", "Prometheus records another expression")])

    def test_a_signal_that_was_never_recorded_is_asked_raw(self):
        # The watches name its recorded series as often as they like.
        named = [("checkpoint:file_size_bytes", "checkpoint:file_bytes")] * SPEC.read_text().count("checkpoint:file_size_bytes")
        spec = self.changed_spec("renamed.toml", ('id          = "file_size_bytes"', 'id          = "file_bytes"'),
                                 ('signal  = "file_size_bytes"', 'signal  = "file_bytes"'), *named)
        document = self.backtest("--at", E, "--since", "3h", spec=spec)
        self.assertEqual([(one["signal"], one["reason"]) for one in document["approximate"]],
                         [("File size", "Prometheus has not recorded it")])
        self.assertEqual({total["verdict"] for total in document["stores"][0]["verdicts"]},
                         {"sufficient", "migrate_soon"})

    def test_nothing_is_logged(self):
        self.backtest("--at", E, "--since", "1h")
        self.assertFalse(self.state.exists())

    def test_a_terminal_gets_the_timeline_and_progress_and_a_pipe_neither(self):
        command = [str(RULEGEN), "--backtest", "--spec", str(SPEC), "--at", str(E), "--since", f"{HOURS}h", "--prometheus",
                   self.prometheus.url]
        shown = subprocess.run(["script", "-qec", " ".join(command), "/dev/null"], capture_output=True, check=False,
                               timeout=120, env={**os.environ, "TERM": "xterm", "NO_COLOR": ""}).stdout.decode()
        self.assertIn("▁▁▁", shown)
        self.assertIn("█", shown)
        self.assertIn("\x1b[1;31m", shown)
        self.assertRegex(shown, r"backtest of checkpoint: \d+ %")
        plain = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        self.assertEqual(plain.stderr, "")
        self.assertNotIn("▁", plain.stdout)

    def test_exit_statuses(self):
        done = self.rulegen("--backtest", "--spec", SPEC, "--against", SPEC, check=4,
                            url=f"http://127.0.0.1:{servers.free_port()}")
        self.assertEqual(done.stdout.count("UNDETERMINED"), 2, done.stdout)
        self.assertNotIn("no verdict would have differed", done.stdout)
        self.rulegen("--backtest", "--spec", SPEC, "--step", "0s", check=2)
        self.rulegen("--backtest", "--spec", SPEC, "--exit-code", check=2)
        self.rulegen("--backtest", "--spec", SPEC, "--against", ROOT / "rules" / "postgresql.toml", check=2)
        bad = self.folder / "bad.toml"
        bad.write_text("schema = 1\n")
        self.rulegen("--backtest", "--spec", SPEC, "--against", bad, check=3)
        self.rulegen("--backtest", "--spec", SPEC, "--at", E, "--since", "1d", "--step", "1s", check=0)


if __name__ == "__main__":
    print(f"seed {SEED}", file=sys.stderr)
    unittest.main()
