"""A day's history on a chain's query server: the series that the shipped spec's rules record, backfilled, in which each threshold is
breached once for half an hour and is no more. Decisions about the whole day, about its end, and the backtest of it.

Usage: history_test.py BUILD_FOLDER CHAIN
"""

import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
CHAIN = sys.argv.pop(1)
sys.path.insert(0, str(ROOT / "test" / "support"))

import chains  # noqa: E402  (the path above)
import recorded  # noqa: E402
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
DAY = 24 * recorded.HOUR
BEFORE = 3 * recorded.HOUR  # so long the stores were there before
OFF_GRID = 7  # seconds by which T is later than the newest sample: most decisions are made between two evaluations
SUFFICIENT = "SQLite sufficient"
# Each trigger of the decision matrix: the signal, its value while it is breached, and the line.
TRIGGERS = {
    "errors": ("write_error_ratio", 0.05, "MIGRATE NOW - Write errors >1% (SQLite saturated)"),
    "throughput": ("writes_per_second", 130, "MIGRATE NOW - Throughput >100/sec (capacity ceiling)"),
    "servers": ("servers", 2, "MIGRATE NOW - Multi-server requires network DB"),
    "approaching": ("writes_per_second", 90, "MIGRATE SOON - Throughput >80/sec (approaching capacity ceiling)"),
    "size": ("file_size_bytes", 6 * recorded.GIGABYTE, "MIGRATE SOON - File size >5GB (performance degradation likely)"),
    "latency": ("write_p99_seconds", 0.25, "MIGRATE SOON - P99 write latency >100ms (lock contention likely)"),
}
BEGIN, LENGTH = DAY // 2, recorded.HOUR // 2  # of the breach, in evaluations
HOLE = "hole"  # a store that was not measured for an hour
HOLE_LINE = "UNDETERMINED - Write errors: not measured from "


def stores(end):
    evaluations = BEFORE + DAY
    made = [recorded.Store("healthy", evaluations=evaluations, end=end)]
    for name, (signal, value, _) in TRIGGERS.items():
        healthy = recorded.HEALTHY[signal]
        values = [healthy] * (BEFORE + BEGIN) + [value] * LENGTH + [healthy] * (DAY - BEGIN - LENGTH)
        made.append(recorded.Store(name, evaluations=evaluations, end=end, **{signal: values}))
    missing = {signal: [value] * (BEFORE + BEGIN) + [None] * recorded.HOUR + [value] * (DAY - BEGIN - recorded.HOUR)
               for signal, value in recorded.HEALTHY.items()}
    made.append(recorded.Store(HOLE, evaluations=evaluations, end=end, **missing))
    return made


class History(ServerCase):
    @classmethod
    def start(cls):
        cls.end = int(time.time()) // recorded.STEP * recorded.STEP - 120
        text = recorded.open_metrics(stores(cls.end))
        env = chains.environment(CHAIN)
        starter = chains.Starter(cls.stack, cls.folder, [], ROOT / "rules" / "gen", "30s")
        if "vmalert" in CHAIN:
            server = starter.victoria(env, scrapes=False)
            # Prometheus' format has milliseconds.
            lines = [f"{line.rsplit(' ', 1)[0]} {line.rsplit(' ', 1)[1]}000" for line in text.splitlines() if line[0] != "#"]
            servers.post(f"{server.url}/api/v1/import/prometheus", body="\n".join(lines) + "\n")
            servers.wait_for("what was imported", lambda: cls.count(server) == 8, 60, 1)
        else:
            (cls.folder / "prometheus").mkdir()
            recorded.backfill_text(text, cls.folder / "prometheus")
            server = starter.prometheus(env, rules=False, external_labels={"cluster": "one"})
            if CHAIN.startswith("thanos"):
                server = starter.thanos_query(env, [starter.sidecar(env, server).grpc])
            servers.wait_for("the blocks", lambda: cls.count(server) == 8, 60, 1)
        cls.server = server

    @classmethod
    def count(cls, server):
        return len(servers.query(server.url, "checkpoint:servers", cls.end))

    def rulegen(self, mode, *arguments):
        return subprocess.run([RULEGEN, mode, *arguments, "--spec", ROOT / "rules" / "checkpoint.toml", "--prometheus", self.server.url,
                               "--at", str(self.end + OFF_GRID)], capture_output=True, text=True, check=False, cwd=self.folder)

    def lines(self, *arguments):
        done = self.rulegen("--evaluate", "--format", "json", "--log", "log", *arguments)
        evaluation = schema.check_answer(done.stdout)["evaluations"][0]
        self.assertEqual(evaluation["warnings"], [])
        self.assertEqual({one["agreement"] for store in evaluation["stores"] for one in store["thresholds"]}, {"agrees"})
        return done.returncode, {store["labels"]["database"]: store["line"] for store in evaluation["stores"]}

    def test_at_its_end_every_store_is_sufficient(self):
        self.assertEqual(self.lines(), (0, dict.fromkeys(["healthy", HOLE, *TRIGGERS], SUFFICIENT)))

    def test_over_the_day_each_breach_is_reported(self):
        began = time.monotonic()
        status, lines = self.lines("--since", "24h")
        print(f"--since 24h of {len(lines)} stores: {time.monotonic() - began:.1f} s")
        self.assertTrue(lines.pop(HOLE).startswith(HOLE_LINE))
        self.assertEqual(lines.pop("healthy"), SUFFICIENT)
        self.assertEqual(lines, {name: line for name, (_, _, line) in TRIGGERS.items()})
        self.assertEqual(status, 30)

    def test_the_backtest_shows_each_breach_where_it_was(self):
        done = self.rulegen("--backtest", "--format", "json", "--since", "23h")
        self.assertEqual(done.returncode, 0, done.stderr)
        found = {store["labels"]["database"]: store["intervals"] for store in schema.check_backtest(done.stdout)["backtests"][0]["stores"]}
        self.assertEqual([one["line"] for one in found["healthy"]], [SUFFICIENT])
        for name, (_, _, line) in TRIGGERS.items():
            breaches = [one for one in found[name] if one["line"] == line]
            self.assertEqual(len(breaches), 1, found[name])
            last = self.end - (DAY - BEGIN - LENGTH) * recorded.STEP
            self.assertEqual(breaches[0]["last"], time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(last + OFF_GRID)) + ".000Z")
            self.assertEqual([one for one in found[name] if not one["line"].startswith(SUFFICIENT) and one["line"] != line], [])

    def test_the_archive_has_every_sample(self):
        done = self.rulegen("--archive", "archive", "--since", "24h")
        self.assertEqual(done.returncode, 0, done.stderr)
        schema.check_manifest(self.folder / "archive")


if __name__ == "__main__":
    chains.main(lambda: chains.environment(CHAIN))
