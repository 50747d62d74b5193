"""Many stores, live (a thousand in the long form): Prometheus scrapes them, evaluates the generated rules and remote-writes to
VictoriaMetrics. The decisions of one run against each server must be the right ones, and the same ones, in a handful of queries.

Usage: fleet_test.py BUILD_FOLDER
"""

import functools
import os
import pathlib
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))
import measured  # noqa: E402
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402
import short_spec  # noqa: E402
import synthetic_exporter  # noqa: E402
from synthetic_exporter import Kind  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
STORES = 1000 if os.environ.get("OUTGROWN_SOAK") else 250
# As many queries as there are for one store: the stores and their windows, nine signals, the coverage and its reasons, the
# alerts, and what the errors are made of. Up to 500 stores, the trends of the five thresholds' signals and of the ceiling as well.
QUERIES = 15 if STORES > 500 else 21
RSS_BYTES_MAX = 48 << 20
SUFFICIENT = "SQLite sufficient"
ERRORS = "MIGRATE NOW - Write errors >1% (SQLite saturated)"
THROUGHPUT = "MIGRATE NOW - Throughput >100/sec (capacity ceiling)"
SIZE = "MIGRATE SOON - File size >5GB (performance degradation likely)"


HEALTHY = Kind(SUFFICIENT, 0)
KINDS = {3: Kind(ERRORS, 1, error_share=0.05), 41: Kind(THROUGHPUT, 2, rate=130), 77: Kind(SIZE, 1, size=6 * 2**30)}


@functools.cache
def kind_of(number):
    return KINDS.get(number % 100, HEALTHY)


def name_of(number):
    return f"tenant-{number:04}"


class Fleet(ServerCase):
    @classmethod
    def start(cls):
        # Times that a loaded machine keeps up with.
        seconds = 4 if STORES > 500 else 2
        cls.spec = short_spec.generate(RULEGEN, cls.folder, interval=f"{seconds}s", window_seconds=6 * seconds)
        exporter = synthetic_exporter.Exporter({name_of(number): kind_of(number) for number in range(STORES)})
        cls.stack.callback(exporter.stop)
        cls.victoria = cls.stack.start(servers.victoria_metrics(cls.folder))
        config = servers.prometheus_config({"fleet": [f"127.0.0.1:{exporter.server_port}"]},
                                           [cls.folder / "rules" / "gen" / "checkpoint.rules.yml"], None, f"{seconds}s")
        config = config.replace("{", '{"remote_write": [{"url": "%s/api/v1/write"}],' % cls.victoria.url, 1)
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {}, config=config))
        alerts = sum(kind_of(number).alerts for number in range(STORES))
        servers.wait_for(f"{alerts} firing alerts", lambda: cls.firing() == alerts, 120, 1, alive=[cls.prometheus])
        # One instant for both servers, at which the alerts have fired for a while, and which both have seen.
        cls.at = time.time()
        for server in (cls.prometheus, cls.victoria):
            servers.wait_for(f"{server.name} has what was recorded by then", lambda url=server.url: cls.newest(url) > cls.at,
                             60, 0.5, alive=[server])

    @classmethod
    def firing(cls):
        return len(servers.query(cls.prometheus.url, 'ALERTS{alertstate="firing"}'))

    @staticmethod
    def newest(url):
        """The least of the newest evaluations of all stores, in the signal that is recorded last."""
        found = servers.query(url, "min(timestamp(checkpoint:write_p99_seconds))")
        return float(found[0]["value"][1]) if found else 0

    def evaluate(self, url, *arguments):
        """The stores of the answer by name, the exit status and the peak of resident memory."""
        log = self.folder / "decisions.jsonl"
        command = [RULEGEN, "--evaluate", "--spec", self.spec, "--prometheus", url, "--at", f"{self.at:.3f}", "--log", log,
                   "--format", "json", *arguments]
        with open(self.folder / "answer", "wb") as out:
            done = measured.run(command, out)
        document = schema.check_answer((self.folder / "answer").read_text())
        stores = {store["labels"]["database"]: store for store in document["evaluations"][0]["stores"]}
        return stores, done.status, done.rss_bytes

    def check(self, server):
        stores, status, rss_bytes = self.evaluate(server.url)
        wrong = {name_of(number): stores.get(name_of(number), {}).get("line") for number in range(STORES)
                 if stores.get(name_of(number), {}).get("line") != kind_of(number).line}
        self.assertEqual(wrong, {})
        self.assertEqual(len(stores), STORES)
        agreements = {one["agreement"] for store in stores.values() for one in store["thresholds"]}
        self.assertEqual(agreements, {"agrees"})
        self.assertEqual(status, 0)
        self.assertLess(rss_bytes, RSS_BYTES_MAX)

    def test_prometheus_gives_every_store_its_decision(self):
        self.check(self.prometheus)

    def test_victoriametrics_behind_remote_write_gives_the_same(self):
        self.check(self.victoria)

    def test_many_stores_take_no_more_queries_than_one(self):
        def asked():
            metrics = servers.get(self.prometheus.url + "/metrics")
            return sum(float(line.rsplit(" ", 1)[1]) for line in metrics.splitlines()
                       if line.startswith("prometheus_http_requests_total{") and 'handler="/api/v1/query"' in line)

        before = asked()
        self.evaluate(self.prometheus.url)
        self.assertEqual(asked() - before, QUERIES)

    def test_every_record_is_audited(self):
        self.evaluate(self.prometheus.url)
        audit = subprocess.run([RULEGEN, "--audit", self.folder / "decisions.jsonl"], capture_output=True, text=True, check=False)
        self.assertEqual(audit.returncode, 0, audit.stdout[-1000:] + audit.stderr[-1000:])


if __name__ == "__main__":
    unittest.main()
