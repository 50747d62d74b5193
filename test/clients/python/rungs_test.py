"""The SQLite observer and outgrown.observe() in one process: each connection is counted by exactly one of the two.

Each case is a process of its own, because the observer stays in a process once it is loaded.
"""

import os
import sqlite3
import subprocess
import sys
import unittest

from support import StoreTest, main, read_block

OBSERVER = os.environ["OUTGROWN_OBSERVER"]

WAYS = {
    "loaded by ctypes before connect": """
assert ctypes.CDLL(OBSERVER).outgrown_sqlite_load() == 0
observed = outgrown.observe(sqlite3.connect("app.db"))
""",
    "loaded by another connection before": """
other = sqlite3.connect(":memory:")
other.enable_load_extension(True)
other.load_extension(OBSERVER)
observed = outgrown.observe(sqlite3.connect("app.db"))
""",
    "loaded by the connection itself, then observed": """
plain = sqlite3.connect("app.db")
plain.enable_load_extension(True)
plain.load_extension(OBSERVER)
observed = outgrown.observe(plain)
""",
    "loaded by the observed connection": """
observed = outgrown.observe(sqlite3.connect("app.db"))
observed.enable_load_extension(True)
observed.load_extension(OBSERVER)
""",
    "loaded by the observed connection in SQL": """
observed = outgrown.observe(sqlite3.connect("app.db"))
observed.enable_load_extension(True)
observed.execute("SELECT load_extension(?)", (OBSERVER,)).fetchall()
""",
}

WORK = """
status = observed.execute("SELECT outgrown_status()").fetchone()[0]
assert status == "not counting: ignored: main", status
with observed:
    observed.execute("CREATE TABLE IF NOT EXISTS t (x UNIQUE)")
for i in range(10):
    with observed:
        observed.execute("INSERT INTO t VALUES (?)", (i,))
try:
    with observed:
        observed.execute("INSERT INTO t VALUES (1)")
except sqlite3.IntegrityError:
    pass
"""

# A connection that nobody observes is the observer's.
ANOTHER = """
another = sqlite3.connect("app.db", timeout=0, isolation_level=None)
for i in range(5):
    another.execute("INSERT INTO t VALUES (?)", (i + 100,))
observed.execute("BEGIN IMMEDIATE")
try:
    another.execute("INSERT INTO t VALUES (99)")
except sqlite3.OperationalError:
    pass
observed.rollback()
"""


@unittest.skipUnless(hasattr(sqlite3.Connection, "enable_load_extension"), "this Python was built without enable_load_extension")
class Rungs(StoreTest):
    def test_each_connection_is_counted_by_exactly_one_rung(self):
        for number, (way, program) in enumerate(WAYS.items()):
            with self.subTest(way):
                name = f"app{number}"
                start = f"import ctypes, os, sqlite3\nimport outgrown\nOBSERVER = {OBSERVER!r}\n"
                source = (start + program + WORK + ANOTHER).replace("app.db", name + ".db")
                done = subprocess.run([sys.executable, "-c", source], cwd=self.folder, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.counts(name), {"ok": 16, "constraint": 1, "busy": 1})

    def test_a_transaction_that_is_open_when_observe_comes_is_the_observers(self):
        program = """
plain = sqlite3.connect("app.db", isolation_level=None)
plain.execute("CREATE TABLE t (x)")
plain.execute("BEGIN")
plain.execute("INSERT INTO t VALUES (1)")
observed = outgrown.observe(plain)
MORE
observed.commit()
observed.execute("INSERT INTO t VALUES (3)")
assert observed.execute("SELECT outgrown_status()").fetchone()[0] == "not counting: ignored: main"
"""
        load = f"assert ctypes.CDLL({OBSERVER!r}).outgrown_sqlite_load() == 0\n"
        for number, more in enumerate(("", 'observed.execute("INSERT INTO t VALUES (2)")')):
            with self.subTest(more):
                source = "import ctypes, sqlite3\nimport outgrown\n" + load + program.replace("MORE", more)
                done = subprocess.run([sys.executable, "-c", source.replace("app", f"app{number}")], cwd=self.folder,
                                      capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(self.counts(f"app{number}"), {"ok": 3})

    def test_an_authorizer_that_hides_the_observer_makes_no_write_count_twice(self):
        for number, (way, program) in enumerate(WAYS.items()):
            for verdict in ("SQLITE_DENY", "SQLITE_IGNORE"):
                with self.subTest(way, verdict=verdict):
                    name = f"app{number}{verdict}"
                    hide = f"""
def authorize(action, first, second, *rest):
    return sqlite3.{verdict} if action == 31 and second == "outgrown_ignore" else sqlite3.SQLITE_OK
real_connect = sqlite3.connect
def connect(*arguments, **named):
    connection = real_connect(*arguments, **named)
    connection.set_authorizer(authorize)
    return connection
sqlite3.connect = connect
"""
                    start = f"import ctypes, os, sqlite3\nimport outgrown\nOBSERVER = {OBSERVER!r}\n"
                    source = (start + hide + program + WORK.split("\n", 3)[3]).replace("app.db", name + ".db")
                    done = subprocess.run([sys.executable, "-c", source], cwd=self.folder, capture_output=True, text=True)
                    self.assertEqual((done.returncode, done.stderr), (0, ""))
                    self.assertEqual(self.counts(name), {"ok": 11, "constraint": 1})
                    self.assertEqual(read_block(self.folder, name)["in_flight"], 0)

    def test_an_authorizer_that_hides_all_of_the_observer_shows_as_lost(self):
        hide = """
def authorize(action, first, second, *rest):
    return sqlite3.SQLITE_DENY if action == 31 and second.startswith("outgrown_") else sqlite3.SQLITE_OK
plain = sqlite3.connect("app.db", isolation_level=None)
plain.set_authorizer(authorize)
observed = outgrown.observe(plain)
observed.execute("CREATE TABLE t (x)")
"""
        load = f"assert ctypes.CDLL({OBSERVER!r}).outgrown_sqlite_load() == 0\n"
        for loaded in (True, False):
            with self.subTest(loaded=loaded):
                name = f"app{loaded}"
                source = "import ctypes, os, sqlite3\nimport outgrown\n" + (load if loaded else "") + hide
                done = subprocess.run([sys.executable, "-c", source.replace("app.db", name + ".db")], cwd=self.folder,
                                      capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.counts(name), {"ok": 1})
                self.assertEqual("no longer counted" in done.stderr, loaded, done.stderr)
                self.assertEqual(read_block(self.folder, name)["last_trace_lost_unix_ns"] != 0, loaded)

    def test_a_class_that_observe_leaves_alone_is_the_observers(self):
        source = f"""
import ctypes, sqlite3
import outgrown
assert ctypes.CDLL({OBSERVER!r}).outgrown_sqlite_load() == 0
class Own(sqlite3.Connection):
    def execute(self, *arguments):
        return super().execute(*arguments)
connection = outgrown.observe(sqlite3.connect("app.db", isolation_level=None, factory=Own))
connection.execute("CREATE TABLE t (x)")
"""
        done = subprocess.run([sys.executable, "-c", source], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(self.counts(), {"ok": 1})
        self.assertEqual(read_block(self.folder, "app")["traces_lost"], 0)


if __name__ == "__main__":
    main()
