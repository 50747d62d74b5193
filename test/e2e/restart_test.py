"""Stores under load while their exporter is killed, started anew at once, upgraded, and away for longer than a window: no rate is ever
wrong, and no verdict but "sufficient" and "undetermined" is given; within the tolerated gap none but "sufficient".

One store has been written to for long: its commit counter stands at COMMITS before the exporter first looks. The processes that
write to the others end without closing their connection, or are killed. The spec is the demo's, whose windows are 15 s, with another limit of latency.

Usage: restart_test.py BUILD_FOLDER
"""

import os
import pathlib
import shutil
import sqlite3
import struct
import subprocess
import sys
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
sys.path.insert(0, str(ROOT / "test" / "support"))
import artefacts  # noqa: E402
import schema  # noqa: E402
import servers  # noqa: E402
from server_case import ServerCase  # noqa: E402

RULEGEN = BUILD / "rulegen" / "rulegen"
WRITER = pathlib.Path(__file__).with_name("evidence_writer.py")
OBSERVER = BUILD / "clients" / "sqlite_observer" / "outgrown_sqlite.so"
PYTHON = "/usr/bin/python3"  # its sqlite3 loads extensions
COMMITS = 3_000_000
LATENCY_LIMIT = "above   = 0.1\n"  # latency is what the machine makes it, beside other tests
RATES = {"steady": 20, "request": 20, "process": 5, "killed": 5}
IS_LONG = bool(os.environ.get("OUTGROWN_SOAK"))
RESTARTS, AWAY_SECONDS = (3, 60) if IS_LONG else (1, 16)


def checksum(words):
    """walChecksumBytes() of SQLite's wal.c, in the machine's byte order."""
    first = second = 0
    for a, b in zip(words[::2], words[1::2]):
        first = (first + a + second) & 0xFFFFFFFF
        second = (second + b + first) & 0xFFFFFFFF
    return first, second


def set_commits(shm):
    """Both copies of the wal-index's header as after COMMITS commits. In the short form: making them takes a minute."""
    with open(shm, "r+b") as file:
        words = list(struct.unpack("12I", file.read(48)))  # WalIndexHdr: iChange is the third, the checksum the last two
        words[2] = COMMITS
        words[10:] = checksum(words[:10])
        file.seek(0)
        file.write(2 * struct.pack("12I", *words))


class Restart(ServerCase):
    @classmethod
    def start(cls):
        (cls.folder / "demo").mkdir()
        shutil.copytree(ROOT / "rules", cls.folder / "rules", ignore=shutil.ignore_patterns("gen"))
        cls.spec = cls.folder / "demo" / "checkpoint.toml"
        text = (ROOT / "demo" / "checkpoint.toml").read_text()
        assert LATENCY_LIMIT in text
        cls.spec.write_text(text.replace(LATENCY_LIMIT, "above   = 60\n"))
        artefacts.generate(RULEGEN, cls.folder, cls.spec)
        cls.blocks = cls.folder / "blocks"
        cls.blocks.mkdir(mode=0o700)
        cls.held = cls.commit_often(cls.folder / "steady.db")  # kept open, so that the wal-index stays
        cls.stack.callback(cls.held.close)
        for store, rate in RATES.items():
            cls.stack.start(servers.Process(
                f"writer-{store}", [PYTHON, WRITER, store, cls.folder / f"{store}.db", f"--observer={OBSERVER}", f"--rate={rate}"],
                cls.folder, env={"OUTGROWN_DIR": str(cls.blocks)}))
        cls.port = servers.free_port()
        cls.program = pathlib.Path(shutil.copy(BUILD / "exporter" / "outgrown-exporter", cls.folder))
        cls.exporter = cls.start_exporter()
        cls.stack.callback(lambda: cls.exporter.stop())
        rules = cls.folder / "demo" / "gen" / "checkpoint.rules.yml"
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {"app": [f"127.0.0.1:{cls.port}"]}, [rules], scrape_interval="1s"))
        cls.lines = []

    @classmethod
    def commit_often(cls, database):
        connection = sqlite3.connect(database, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("CREATE TABLE c(n)")
        connection.execute("INSERT INTO c VALUES (0)")
        if IS_LONG:
            for _ in range(COMMITS):
                connection.execute("UPDATE c SET n = n + 1")
        else:
            set_commits(f"{database}-shm")
        return connection

    @classmethod
    def start_exporter(cls):
        return servers.Server("exporter", [cls.program, f"--web.listen-address=127.0.0.1:{cls.port}",
                                           f"--block.dir={cls.blocks}", f"--spec={cls.spec}"], cls.folder, cls.port, "/-/healthy")

    def kill(self):
        self.exporter.popen.kill()
        self.exporter.popen.wait()

    def upgrade(self):
        """As a package does it: another file of the program's name, then a restart."""
        new = self.program.with_name("new")
        shutil.copy(self.program, new)
        new.rename(self.program)
        self.exporter.stop()
        type(self).exporter = self.start_exporter()

    def look(self):
        """The stores' verdict lines now."""
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", self.spec, "--prometheus", self.prometheus.url, "--format", "json",
                               "--log", self.folder / "log"], capture_output=True, text=True, check=False, timeout=60)
        stores = schema.check_answer(done.stdout)["evaluations"][0]["stores"]
        lines = {store["labels"]["database"]: store["line"] for store in stores}
        self.lines += lines.values()
        return lines

    def wait_for_sufficient(self):
        try:
            servers.wait_for("sufficient", lambda: self.look() == dict.fromkeys(RATES, "SQLite sufficient"), 30, 1)
        except servers.NotReady as problem:
            self.fail(f"{problem}: {self.look()}")

    def look_for(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            time.sleep(1)

    def test_restarts_make_no_rate_and_no_migration(self):
        self.wait_for_sufficient()
        begin = len(self.lines)
        for _ in range(RESTARTS):  # at once: within what is tolerated
            self.kill()
            type(self).exporter = self.start_exporter()
            self.look_for(5)
        self.assertEqual(set(self.lines[begin:]), {"SQLite sufficient"})
        self.upgrade()
        self.look_for(5)
        self.assertEqual(set(self.lines[begin:]), {"SQLite sufficient"})
        self.kill()
        self.look_for(AWAY_SECONDS)
        type(self).exporter = self.start_exporter()
        self.wait_for_sufficient()
        self.assertEqual([line for line in self.lines if line.startswith("MIGRATE")], [])
        highest = {series["metric"]["database"]: float(series["value"][1]) for series in
                   servers.query(self.prometheus.url, "max_over_time(checkpoint:writes_per_second[1h])")}
        for store, rate in RATES.items():
            self.assertLess(highest[store], 1.1 * rate + 0.5, store)


if __name__ == "__main__":
    unittest.main()
