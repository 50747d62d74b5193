"""What ends without saying so: dropped connections, bare ones closed past us, forks, Ctrl-C, the interpreter itself."""

import contextlib
import copy
import gc
import os
import pickle
import signal
import sqlite3
import subprocess
import sys
import unittest

import outgrown
from support import ConnectionTest, main, read_block

INSERT = "INSERT INTO t VALUES (1, '')"


class Endings(ConnectionTest):
    def in_flight(self):
        return read_block(self.folder, "app")["in_flight"]

    def test_a_connection_that_is_dropped_in_a_write_leaves_nothing_in_flight(self):
        connection = outgrown.observe(sqlite3.connect(self.path()))
        connection.execute(INSERT)
        self.assertEqual(self.in_flight(), 1)
        del connection
        gc.collect()
        self.assertEqual((self.in_flight(), self.counted()), (0, {}))

    def test_a_connection_that_is_dropped_in_a_failed_transaction_counts_it(self):
        connection = outgrown.observe(sqlite3.connect(self.path()))
        with self.assertRaises(sqlite3.IntegrityError):
            connection.execute("INSERT INTO t VALUES (0, '')")
        del connection
        gc.collect()
        self.assertEqual((self.in_flight(), self.counted()), (0, {"constraint": 1}))

    def test_a_bare_connection_that_is_closed_past_us_leaves_nothing_in_flight(self):
        with contextlib.closing(sqlite3.connect(self.path())) as bare:
            connection = outgrown.observe(bare)
            connection.execute(INSERT)
        del connection
        gc.collect()
        self.assertEqual((self.in_flight(), self.counted()), (0, {}))

    def test_a_connection_that_is_closed_before_the_rows_of_its_write_are_fetched_has_written(self):
        for fetched in (0, 1):
            connection = self.connect(isolation_level=None)
            cursor = connection.execute(f"INSERT INTO t VALUES ({fetched} + 1, ''), ({fetched} + 8, '') RETURNING x")
            cursor.fetchmany(fetched)
            connection.close()
            with self.assertRaisesRegex(sqlite3.ProgrammingError, "closed"):
                cursor.fetchone()
            del cursor, connection
            gc.collect()
            self.assertEqual((self.in_flight(), self.counted()), (0, {"ok": fetched + 1}))
        self.assertEqual(self.rival().execute("SELECT count(*) FROM t").fetchone(), (5,))

    def test_a_cursor_keeps_a_dropped_connection_counting(self):
        cursor = outgrown.observe(sqlite3.connect(self.path())).cursor()
        gc.collect()
        cursor.execute(INSERT)
        cursor.connection.commit()
        self.assertEqual(self.counted(), {"ok": 1})

    def test_a_forked_childs_copy_of_a_failed_transaction_is_not_counted_again(self):
        with self.assertRaises(sqlite3.IntegrityError):
            self.connection.execute("INSERT INTO t VALUES (0, '')")
        if (child := os.fork()) == 0:
            os._exit(0)  # SQLite's own rule: a child doesn't touch its parent's connection
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual(self.counted(), {})
        self.connection.rollback()
        self.assertEqual(self.counted(), {"constraint": 1})

    def test_a_forked_childs_own_connection_is_counted(self):
        with self.connection:
            self.connection.execute(INSERT)
        if (child := os.fork()) == 0:
            connection = outgrown.observe(sqlite3.connect(self.path()))
            with connection:
                connection.execute("INSERT INTO t VALUES (2, '')")
            os._exit(0)
        self.assertEqual(os.waitpid(child, 0)[1], 0)
        self.assertEqual((self.in_flight(), self.counted()), (0, {"ok": 2}))

    def test_an_interrupt_in_a_call_does_not_lose_its_write(self):
        # As a job in the background, whose interrupts are ignored, the interpreter doesn't set it itself.
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))
        connection = self.connect(isolation_level=None)

        def rows():
            yield (1,)
            signal.raise_signal(signal.SIGINT)  # the interpreter raises it before it asks for the next row
            yield (2,)

        with self.assertRaises(KeyboardInterrupt):
            connection.executemany("INSERT INTO t VALUES (?, '')", rows())
        self.assertEqual(self.rival().execute("SELECT count(*) FROM t").fetchone(), (2,))
        self.assertEqual((self.in_flight(), self.counted()), (0, {"ok": 1}))

    def test_the_interpreters_end_amid_everything_is_silent(self):
        program = f"""
import outgrown, sqlite3, sys
connection = outgrown.observe(sqlite3.connect(sys.argv[1], isolation_level=None))
cursor = connection.execute("INSERT INTO t VALUES (1, ''), (2, '') RETURNING x")
cursor.fetchone()
other = outgrown.observe(sqlite3.connect(sys.argv[1], timeout=0))
try:
    other.execute({INSERT!r})
except sqlite3.OperationalError:
    pass
"""
        done = subprocess.run([sys.executable, "-c", program, self.path()], check=True, capture_output=True, text=True)
        self.assertEqual(done.stderr, "")
        self.assertEqual(self.counted()["busy"], 1)


class Settings(ConnectionTest):
    def test_settings_that_commit_nothing_end_no_write(self):
        self.connection.execute(INSERT)
        self.connection.isolation_level = "IMMEDIATE"
        self.assertEqual((self.connection.in_transaction, self.counted()), (True, {}))
        self.connection.rollback()
        self.assertEqual(self.counted(), {})

    @unittest.skipIf(sys.version_info < (3, 12), "Python 3.12 has Connection.autocommit")
    def test_settings_under_autocommit_that_commit_nothing_end_no_write(self):
        for name, value in (("autocommit", False), ("isolation_level", "IMMEDIATE")):
            connection = self.connect(autocommit=False)
            connection.execute(INSERT)
            setattr(connection, name, value)
            connection.rollback()
            connection.close()
            self.assertEqual(self.counted(), {}, name)
        connection = self.connect(autocommit=True)
        connection.execute("BEGIN")
        connection.execute(INSERT)
        connection.autocommit = False
        connection.rollback()
        self.assertEqual(self.counted(), {})
        connection.execute(INSERT)
        connection.autocommit = True
        self.assertEqual(self.counted(), {"ok": 1})


class Copies(ConnectionTest):
    def test_a_connection_can_be_neither_copied_nor_pickled(self):
        for attempt in (copy.copy, pickle.dumps):
            with self.assertRaisesRegex(TypeError, "pickle .*Connection"):
                attempt(self.connection)


if __name__ == "__main__":
    main()
