"""An observed connection with attached databases, the observer being loaded for the whole process as well or not: every file's
count is what SQLite itself says of its commits.

The program is a process of its own, because the observer stays in a process once it is loaded.
"""

import json
import os
import pathlib
import random
import sqlite3
import subprocess
import sys
import unittest

from support import StoreTest, main, read_block

OBSERVER = os.environ["OUTGROWN_OBSERVER"]
MODES = {"app": "wal", "one": "wal", "two": "delete"}  # a store's name to its file's journal mode
SCHEMAS = {"app": "main", "one": "one", "two": "two"}

ALONE = """
observed = outgrown.observe(sqlite3.connect("app.db", isolation_level=None, timeout=0))
"""
LOADED_BEFORE = """
assert ctypes.CDLL(OBSERVER).outgrown_sqlite_load() == 0
observed = outgrown.observe(sqlite3.connect("app.db", isolation_level=None, timeout=0))
"""
LOADED_LATER = """
observed = outgrown.observe(sqlite3.connect("app.db", isolation_level=None, timeout=0))
observed.execute("SELECT 1 FROM t").fetchall()
observed.enable_load_extension(True)
observed.load_extension(OBSERVER)
"""

# Random writes to the three, each statement's and transaction's outcome being known to this program.
WORK = """
for store in ("one", "two"):
    observed.execute(f"ATTACH '{store}.db' AS {store}")
status = observed.execute("SELECT outgrown_status()").fetchone()[0]
assert status == "counting main as app, one as one, two as two", status
commits = {store: oracle.Commits(os.path.abspath(store + ".db"), mode == "wal") for store, mode in MODES.items()}
failed = {store: {} for store in MODES}
number = 0

def insert(store, fresh=True):
    global number
    number += fresh
    observed.execute(f"INSERT INTO {SCHEMAS[store]}.t VALUES (?)", (number if fresh else 0,))

def attempt(store, reason, write):
    try:
        write()
    except sqlite3.Error:
        failed[store][reason] = failed[store].get(reason, 0) + 1
    else:
        raise AssertionError("expected " + reason)

for _ in range(200):
    store = draw.choice(list(MODES))
    what = draw.randrange(6)
    if what < 2:
        insert(store)
    elif what == 2:
        attempt(store, "constraint", lambda: insert(store, fresh=False))
    elif what == 3:
        rival = sqlite3.connect(store + ".db", isolation_level=None)
        rival.execute("BEGIN IMMEDIATE")
        attempt(store, "busy", lambda: insert(store))
        rival.close()
    else:
        observed.execute("BEGIN")
        for each in draw.sample(list(MODES), draw.randint(1, 3)):
            insert(each)
        observed.execute("COMMIT" if what == 4 else "ROLLBACK")
seen = {store: {"ok": commits[store].count(), **failed[store]} for store in MODES}
observed.close()
print(json.dumps(seen))
"""


@unittest.skipIf(sqlite3.sqlite_version_info < (3, 39), "before SQLite 3.39 attached databases are not counted")
class Attached(StoreTest):
    def run_program(self, load, seed):
        imports = "import ctypes, json, os, random, sqlite3\nimport oracle, outgrown\n"
        names = f"OBSERVER = {OBSERVER!r}\nMODES = {MODES!r}\nSCHEMAS = {SCHEMAS!r}\ndraw = random.Random({seed})\n"
        paths = [str(pathlib.Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        done = subprocess.run([sys.executable, "-c", imports + names + load + WORK], cwd=self.folder, capture_output=True,
                              text=True, env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))})
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return json.loads(done.stdout)

    def test_each_file_is_counted_once(self):
        loads_extensions = hasattr(sqlite3.Connection, "enable_load_extension")
        for load in (ALONE, LOADED_BEFORE, LOADED_LATER) if loads_extensions else (ALONE,):
            seed = random.randrange(2**32)
            with self.subTest(load, seed=seed):
                self.make_files()
                before = {store: self.counts_so_far(store) for store in MODES}
                seen = self.run_program(load, seed)
                for store, expected in seen.items():
                    after = self.counts_so_far(store)
                    self.assertEqual({what: n - before[store].get(what, 0) for what, n in after.items()}, expected, store)
                    self.assertEqual(read_block(self.folder, store)["traces_lost"], 0)

    def make_files(self):
        for store, mode in MODES.items():
            for path in pathlib.Path(self.folder).glob(f"{store}.db*"):
                path.unlink()
            connection = sqlite3.connect(self.path(store + ".db"))  # in this process, which has no observer
            connection.execute(f"PRAGMA journal_mode = {mode}")
            connection.execute("CREATE TABLE t (x UNIQUE)")
            connection.execute("INSERT INTO t VALUES (0)")
            connection.commit()
            connection.close()

    def counts_so_far(self, store):
        return self.counts(store) if os.path.exists(self.path(store + ".v1.counters")) else {}


if __name__ == "__main__":
    main()
