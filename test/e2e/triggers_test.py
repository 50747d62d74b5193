"""Each trigger of the decision matrix through the whole chain: an application on a real SQLite file, its counter block, the
exporter, Prometheus with the generated rules, the decision. One store a trigger, all at the same time.

The spec is the demo's, whose windows are short. One limit is another: 5 GB of file would take a machine some minutes to write, so
that here 200 MiB are too many, and the store in question really is larger. Everything else is what the store does.

Usage: triggers_test.py BUILD_FOLDER
"""

import contextlib
import pathlib
import sqlite3
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
WAIT_SECONDS = 150
SIZE_LIMIT_BYTES = 200 * 2**20
SIZE_BYTES = 256 * 2**20

# Store: its line, the thresholds that must be breached, and the applications that write to it.
WRITE, MAINTAIN = "write", "maintain"
STORES = {
    "healthy": ("SQLite sufficient", set(), [(WRITE, "--rate=10")]),
    # A lock held for a quarter of a second, and writers that wait a tenth of one.
    "errors": ("MIGRATE NOW - Write errors >1% (SQLite saturated)", {"WriteErrors"},
               [(WRITE, "--rate=10"), (WRITE, "--rate=10"), (MAINTAIN, "--hold-ms=250"), (MAINTAIN, "--hold-ms=250")]),
    "busy": ("MIGRATE NOW - Throughput >100/sec (capacity ceiling)", {"Throughput", "ThroughputApproaching"},
             [(WRITE, "--rate=70"), (WRITE, "--rate=70")]),
    "shared": ("MIGRATE NOW - Multi-server requires network DB", {"MultiServer"}, [(WRITE, "--rate=5")]),
    "approaching": ("MIGRATE SOON - Throughput >80/sec (approaching capacity ceiling)", {"ThroughputApproaching"},
                    [(WRITE, "--rate=90")]),
    "large": ("MIGRATE SOON - File size >5GB (performance degradation likely)", {"FileSize"}, [(WRITE, "--rate=5")]),
    # The same lock, and a writer that waits for it: no error, but each such write takes long.
    "slow": ("MIGRATE SOON - P99 write latency >100ms (lock contention likely)", {"WriteLatency"},
             [(WRITE, "--rate=5", "--busy-timeout-ms=5000"), (MAINTAIN, "--hold-ms=250", "--busy-timeout-ms=5000")]),
}
# Stores without a counter block, of which the exporter knows the file alone: busy enough to say so, and too quiet to say
# anything.
UNCOUNTED = {
    "uncounted": ("UNDETERMINED - the application has the store open but does not count its writes", set(), [(WRITE, "--rate=10")]),
    "uncounted-busy": ("MIGRATE NOW - Throughput >100/sec (capacity ceiling)", {"Throughput", "ThroughputApproaching"},
                       [(WRITE, "--rate=140")]),
}
STORES.update(UNCOUNTED)
# What the same lock may breach as well.
MAY_ALSO = {"errors": {"WriteLatency"}}


class Triggers(ServerCase):
    @classmethod
    def start(cls):
        cls.write_spec()
        cls.fill(cls.folder / "large.db", SIZE_BYTES)
        cls.processes = []
        # A server is a folder of blocks and an exporter here. "shared" has an application on two of them, whose exporters
        # name the same storage.
        counted = [name for name in STORES if name != "shared" and name not in UNCOUNTED]
        targets = [cls.start_server("server-1", counted),
                   cls.start_server("server-2", ["shared"], "--store.shared-id=orders"),
                   cls.start_server("server-3", ["shared"], "--store.shared-id=orders"),
                   cls.start_server("server-4", UNCOUNTED, *(f"--store={name}={cls.folder / name}.db" for name in UNCOUNTED),
                                    blocks_of_the_exporter="server-4-without-blocks")]
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {"app": targets}, [cls.rules], scrape_interval="1s"))
        cls.processes.append(cls.prometheus)
        try:
            cls.stores = servers.wait_for("every store's decision", cls.decided, WAIT_SECONDS, 2, alive=cls.processes)
        except servers.NotReady as error:
            raise AssertionError(f"{error}; at last: {cls.seen}") from error

    @classmethod
    def write_spec(cls):
        text = (ROOT / "demo" / "checkpoint.toml").read_text()
        limit = "above   = 5368709120"
        if text.count(limit) != 1:
            raise AssertionError(f"demo/checkpoint.toml has no single {limit}")
        (cls.folder / "rules").mkdir()
        cls.spec = cls.folder / "rules" / "checkpoint.toml"
        cls.spec.write_text(text.replace(limit, f"above   = {SIZE_LIMIT_BYTES}"))
        (cls.folder / "rules" / "alertmanager.base.yml").write_bytes((ROOT / "rules" / "alertmanager.base.yml").read_bytes())
        subprocess.run([RULEGEN, "--generate", "--spec", "rules/checkpoint.toml"], cwd=cls.folder, check=True,
                       capture_output=True)
        cls.rules = cls.folder / "rules" / "gen" / "checkpoint.rules.yml"

    @staticmethod
    def fill(path, size_bytes):
        """A real database of that size."""
        with contextlib.closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("CREATE TABLE filler (content BLOB)")
            part = 16 * 2**20
            for _ in range(size_bytes // part):
                with database:
                    database.execute("INSERT INTO filler VALUES (zeroblob(?))", (part,))

    @classmethod
    def start_server(cls, server, names, *exporter_arguments, blocks_of_the_exporter=None):
        """The applications of these stores, and their exporter, whose address it returns."""
        blocks = cls.folder / server
        seen_blocks = cls.folder / (blocks_of_the_exporter or server)
        for folder in {blocks, seen_blocks}:
            folder.mkdir(mode=0o750)
        for name in names:
            for number, (what, *arguments) in enumerate(STORES[name][2]):
                cls.processes.append(cls.stack.start(servers.Process(
                    f"{server}-{name}-{number}",
                    [BUILD / "demo" / "checkpoint-workload", what, f"--store={name}", f"--id={number}", *arguments,
                     f"--database={cls.folder / name}.db", f"--blocks={blocks}"], cls.folder)))
        exporter = cls.stack.start(servers.exporter(cls.folder, BUILD / "exporter" / "outgrown-exporter",
                                                    [f"--block.dir={seen_blocks}", f"--spec={cls.spec}", *exporter_arguments]))
        cls.processes.append(exporter)
        return exporter.url.removeprefix("http://")

    @classmethod
    def evaluate(cls, *arguments):
        return subprocess.run([RULEGEN, "--evaluate", "--spec", cls.spec, "--prometheus", cls.prometheus.url, "--log",
                               cls.folder / "log", *arguments], capture_output=True, text=True, check=False, timeout=60)

    @classmethod
    def decided(cls):
        """The stores, once each has its line and no alert differs; else None. Both servers of the shared store write to one
        file and count their own writes only, so that there each misses the other's."""
        done = cls.evaluate("--format", "json")
        found = schema.check_answer(done.stdout)["evaluations"][0]["stores"]
        cls.seen = sorted((store["labels"]["database"], store["line"]) for store in found)
        expected = sorted((name, STORES[name][0]) for name in [*STORES, "shared"])
        cls.seen += [(store["labels"]["database"], one["id"], one["state"], one["alert"], one["agreement"])
                     for store in found for one in store["thresholds"]
                     if one["agreement"] != ("not_compared" if one["state"] == "unknown" else "agrees")]
        # 30: of one store nobody knows whether it is sufficient.
        return found if cls.seen == expected and done.returncode == 30 else None

    def of(self, name):
        return [store for store in self.stores if store["labels"]["database"] == name]

    def test_each_trigger_has_fired_and_only_where_it_was_pulled(self):
        for name, (line, breached, _) in STORES.items():
            for store in self.of(name):
                with self.subTest(name):
                    self.assertEqual(store["line"], line)
                    found = {one["id"] for one in store["thresholds"] if one["state"] == "breached"}
                    self.assertEqual(found - MAY_ALSO.get(name, set()), breached)

    def test_every_threshold_of_the_matrix_is_among_them(self):
        pulled = set().union(*(breached for _, breached, _ in STORES.values()))
        self.assertEqual(pulled, {one["id"] for one in self.stores[0]["thresholds"]})

    def test_each_alert_fires_where_its_threshold_is_breached(self):
        for store in self.stores:
            name = store["labels"]["database"]
            firing = {one["id"] for one in store["thresholds"] if one["alert"] == "firing"}
            self.assertEqual(firing - MAY_ALSO.get(name, set()), STORES[name][1])

    def test_both_servers_of_the_shared_store_report_two_and_that_the_others_writes_go_uncounted(self):
        stores = self.of("shared")
        self.assertEqual(len({store["labels"]["instance"] for store in stores}), 2)
        for store in stores:
            self.assertIn("Write errors: writes go uncounted", store["unknown"])
            self.assertEqual([signal["value"] for signal in store["signals"] if signal["id"] == "servers"], [2])

    def test_the_large_store_is_as_large_as_it_is_said_to_be(self):
        size = next(signal["value"] for signal in self.of("large")[0]["signals"] if signal["id"] == "file_size_bytes")
        self.assertGreaterEqual(size, SIZE_BYTES)

    def test_every_decision_on_the_way_follows_from_its_inputs(self):
        audit = subprocess.run([RULEGEN, "--audit", self.folder / "log"], capture_output=True, text=True, check=False)
        self.assertEqual(audit.returncode, 0, audit.stdout + audit.stderr)
        schema.check_log(self.folder / "log")


if __name__ == "__main__":
    unittest.main()
