"""A store that has been written to for long, under load, while its exporter is killed, started anew at once, and away for a minute:
no rate is ever wrong, and no verdict but "sufficient" and "undetermined" is given.

The commit counter of the wal-index stands at COMMITS before the exporter first looks. The spec is the demo's, whose windows are short.

Usage: restart_test.py BUILD_FOLDER
"""

import os
import pathlib
import sqlite3
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
COMMITS = 3_000_000 if os.environ.get("OUTGROWN_SOAK") else 30_000
RATE = 20
AWAY_SECONDS = 60


class Restart(ServerCase):
    @classmethod
    def start(cls):
        cls.spec = ROOT / "demo" / "checkpoint.toml"
        artefacts.generate(RULEGEN, cls.folder, cls.spec)
        cls.blocks = cls.folder / "blocks"
        cls.blocks.mkdir(mode=0o700)
        cls.database = cls.folder / "state.db"
        cls.held = cls.commit_often()  # kept open, so that the wal-index stays
        cls.stack.callback(cls.held.close)
        cls.stack.start(servers.Process(
            "writer", [PYTHON, WRITER, "steady", cls.database, f"--observer={OBSERVER}", f"--rate={RATE}"], cls.folder,
            env={"OUTGROWN_DIR": str(cls.blocks)}))
        cls.port = servers.free_port()
        cls.exporter = cls.start_exporter()
        cls.stack.callback(lambda: cls.exporter.stop())
        rules = cls.folder / "demo" / "gen" / "checkpoint.rules.yml"
        cls.prometheus = cls.stack.start(servers.prometheus(cls.folder, {"app": [f"127.0.0.1:{cls.port}"]}, [rules], scrape_interval="1s"))
        cls.lines = []

    @classmethod
    def commit_often(cls):
        connection = sqlite3.connect(cls.database, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("CREATE TABLE c(n)")
        connection.execute("INSERT INTO c VALUES (0)")
        for _ in range(COMMITS):
            connection.execute("UPDATE c SET n = n + 1")
        return connection

    @classmethod
    def start_exporter(cls):
        return servers.Server("exporter", [BUILD / "exporter" / "outgrown-exporter", f"--web.listen-address=127.0.0.1:{cls.port}",
                                           f"--block.dir={cls.blocks}", f"--spec={cls.spec}"], cls.folder, cls.port, "/-/healthy")

    def kill(self):
        self.exporter.popen.kill()
        self.exporter.popen.wait()

    def line(self):
        done = subprocess.run([RULEGEN, "--evaluate", "--spec", self.spec, "--prometheus", self.prometheus.url, "--format", "json",
                               "--log", self.folder / "log"], capture_output=True, text=True, check=False, timeout=60)
        stores = schema.check_answer(done.stdout)["evaluations"][0]["stores"]
        line = stores[0]["line"] if stores else "none"
        self.lines.append(line)
        return line

    def wait_for_sufficient(self):
        servers.wait_for("sufficient", lambda: self.line() == "SQLite sufficient", 60, 1)

    def test_restarts_make_no_rate_and_no_migration(self):
        self.wait_for_sufficient()
        begin = len(self.lines)
        for _ in range(3):  # at once: within what is tolerated
            self.kill()
            type(self).exporter = self.start_exporter()
            for _ in range(5):
                self.line()
                time.sleep(1)
        self.assertEqual(set(self.lines[begin:]), {"SQLite sufficient"})
        self.kill()
        away = time.monotonic() + AWAY_SECONDS
        while time.monotonic() < away:
            self.line()
            time.sleep(2)
        type(self).exporter = self.start_exporter()
        self.wait_for_sufficient()
        self.assertEqual([line for line in self.lines if line.startswith("MIGRATE")], [])
        highest = servers.query(self.prometheus.url, "max_over_time(checkpoint:writes_per_second[1h])")
        self.assertLess(float(highest[0]["value"][1]), 1.1 * RATE)


if __name__ == "__main__":
    unittest.main()
