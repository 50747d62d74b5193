"""Rungs 2 and 3 say the same of the same failure, but where docs/adopting.md says that they differ.

Each rung is a process of its own, because the observer stays in a process once it is loaded. Called with `--rung` this
file is that process.
"""

import ctypes
import os
import sqlite3
import subprocess
import sys
import unittest

import outgrown
from support import StoreTest, main


def refused(connection, sql, reason):
    try:
        connection.execute(sql)
    except sqlite3.Error as error:
        assert reason in str(error), error
    else:
        raise AssertionError(f"{sql} was not refused")


def read(connection):
    connection.execute("SELECT * FROM t").fetchall()


# What the application does on `connection`; `rival` is counted by nobody.


def first_statement_is_locked_out(connection, rival):
    rival.execute("BEGIN EXCLUSIVE")
    refused(connection, "INSERT INTO t VALUES (2, '')", "locked")


def later_statement_is_locked_out(connection, rival):
    read(connection)
    rival.execute("BEGIN EXCLUSIVE")
    refused(connection, "INSERT INTO t VALUES (2, '')", "locked")
    refused(connection, "BEGIN IMMEDIATE", "locked")
    refused(connection, "CREATE TABLE u (x)", "locked")


def statement_that_finds_nothing_to_do_is_locked_out(connection, rival):
    read(connection)
    rival.execute("BEGIN EXCLUSIVE")
    refused(connection, "CREATE TABLE IF NOT EXISTS t (x)", "locked")


def another_writes(connection, rival):
    rival.execute("BEGIN IMMEDIATE")
    refused(connection, "INSERT INTO t VALUES (2, '')", "locked")
    refused(connection, "CREATE TABLE u (x)", "locked")
    connection.execute("CREATE TABLE IF NOT EXISTS t (x)")


def row_is_too_big(connection, rival):
    refused(connection, "INSERT INTO t VALUES (2, zeroblob(2000000000))", "too big")


def values_stay(connection, rival):
    connection.execute("UPDATE t SET y = 'as ever'")
    connection.execute("INSERT INTO t VALUES (1, 'as ever') ON CONFLICT (x) DO UPDATE SET y = excluded.y")
    connection.execute("UPDATE t SET y = 'as ever' WHERE x = 99")


def handler_stops_it_while_it_writes(connection, rival):
    connection.set_progress_handler(lambda: 1, 1000)
    endless = "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT i, '' FROM n"
    refused(connection, endless, "interrupted")
    connection.set_progress_handler(None, 1)


def handler_stops_it_before_it_asks_for_the_lock(connection, rival):
    connection.set_progress_handler(lambda: 1, 1)
    refused(connection, "INSERT INTO t VALUES (2, '')", "interrupted")
    connection.isolation_level = ""  # so that sqlite3 begins a transaction before it
    refused(connection, "INSERT INTO t VALUES (2, '')", "interrupted")
    connection.set_progress_handler(None, 1)


# What rung 2 counts, and what rung 3 does.
CASES = {
    first_statement_is_locked_out: ({}, {"busy": 1}),
    later_statement_is_locked_out: ({"busy": 3}, {"busy": 3}),
    statement_that_finds_nothing_to_do_is_locked_out: ({"busy": 1}, {}),
    another_writes: ({"busy": 2}, {"busy": 2}),
    row_is_too_big: ({"other": 1}, {"other": 1}),
    values_stay: ({}, {"ok": 2}),
    handler_stops_it_while_it_writes: ({"other": 1}, {"other": 1}),
    handler_stops_it_before_it_asks_for_the_lock: ({}, {"other": 2}),
}


def run_cases(rung):
    if rung == "2":
        assert ctypes.CDLL(os.environ["OUTGROWN_OBSERVER"]).outgrown_sqlite_load() == 0
    for case in CASES:
        path = case.__name__ + ".db"
        rival = sqlite3.connect(f"file:{path}?outgrown=off", uri=True, isolation_level=None)
        rival.executescript("CREATE TABLE t (x INTEGER PRIMARY KEY, y); INSERT INTO t VALUES (1, 'as ever')")
        connection = sqlite3.connect(path, isolation_level=None, timeout=0)
        case(outgrown.observe(connection) if rung == "3" else connection, rival)


@unittest.skipUnless(hasattr(sqlite3.Connection, "enable_load_extension"), "this Python was built without enable_load_extension")
class Agreement(StoreTest):
    def test_the_rungs_agree_but_where_they_are_said_not_to(self):
        for rung in (2, 3):
            done = subprocess.run([sys.executable, __file__, "--rung", str(rung)], cwd=self.folder, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for case, expected in CASES.items():
                with self.subTest(case.__name__, rung=rung):
                    self.assertEqual(self.counts(case.__name__), expected[rung - 2])
            for case in CASES:
                os.remove(self.path(case.__name__ + ".db"))
                os.remove(self.path(case.__name__ + ".v1.counters"))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--rung"]:
        run_cases(sys.argv[2])
    else:
        main()
