"""The SQLite observer loaded for the whole process, and outgrown.observe(): each connection is counted once.

Each case is a process of its own, because the observer stays in a process once it is loaded.
"""

import itertools
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
assert status.startswith("counting main as app") and ";" not in status, status
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

# Of the whole process, also what outgrown.observe() was not told of is counted.
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
class Loading(StoreTest):
    def test_each_connection_is_counted_once(self):
        for number, (way, program) in enumerate(WAYS.items()):
            with self.subTest(way):
                name = f"app{number}"
                start = f"import ctypes, os, sqlite3\nimport outgrown\nOBSERVER = {OBSERVER!r}\n"
                source = (start + program + WORK + ANOTHER).replace("app.db", name + ".db")
                done = subprocess.run([sys.executable, "-c", source], cwd=self.folder, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(self.counts(name), {"ok": 16, "constraint": 1, "busy": 1})

    def test_a_transaction_that_is_open_when_observe_comes_is_counted(self):
        program = """
plain = sqlite3.connect("app.db", isolation_level=None)
plain.execute("CREATE TABLE t (x)")
plain.execute("BEGIN")
plain.execute("INSERT INTO t VALUES (1)")
observed = outgrown.observe(plain)
MORE
observed.commit()
observed.execute("INSERT INTO t VALUES (3)")
"""
        load = f"assert ctypes.CDLL({OBSERVER!r}).outgrown_sqlite_load() == 0\n"
        for number, (start, more) in enumerate(itertools.product((load, ""), ("", 'observed.execute("INSERT INTO t VALUES (2)")'))):
            with self.subTest(start, more=more):
                source = "import ctypes, sqlite3\nimport outgrown\n" + start + program.replace("MORE", more)
                done = subprocess.run([sys.executable, "-c", source.replace("app", f"app{number}")], cwd=self.folder,
                                      capture_output=True, text=True)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertEqual(self.counts(f"app{number}"), {"ok": 3 if start else 2})  # CREATE TABLE came before

    def test_an_authorizer_that_hides_the_observer_makes_no_write_count_twice(self):
        for number, (way, program) in enumerate(WAYS.items()):
            for verdict in ("SQLITE_DENY", "SQLITE_IGNORE"):
                with self.subTest(way, verdict=verdict):
                    name = f"app{number}{verdict}"
                    hide = f"""
import logging
logging.disable()
def authorize(action, first, second, *rest):
    return sqlite3.{verdict} if action == 31 and second.startswith("outgrown_") else sqlite3.SQLITE_OK
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

    def test_an_authorizer_that_hides_the_observer_where_it_is_not_loaded_is_a_refusal(self):
        for verdict, reason in (("SQLITE_DENY", "forbids"), ("SQLITE_IGNORE", "hides")):
            with self.subTest(verdict):
                source = f"""
import sqlite3
import outgrown
connection = sqlite3.connect("app.db", isolation_level=None)
connection.set_authorizer(lambda action, first, second, *rest:
    sqlite3.{verdict} if action == 31 and second.startswith("outgrown_") else sqlite3.SQLITE_OK)
outgrown.observe(connection).execute("CREATE TABLE IF NOT EXISTS t (x)")
"""
                done = subprocess.run([sys.executable, "-c", source], cwd=self.folder, capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stderr, f"writes of a connection are not counted: its authorizer {reason} the observer's SQL functions\n")
                self.assertFalse(os.path.exists(self.path("app.v1.counters")))


if __name__ == "__main__":
    main()
